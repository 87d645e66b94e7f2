"""What was taken off interfaces, or cleaned away, or would be."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Detached:
    """What became of one interface of a detach command.

    `changed` is false where nothing of ours was there, and then nothing was sent to the kernel.
    """

    interface: str
    netns: str | None
    program: str | None
    id: int | None
    operation: str | None
    changed: bool
    carrier_lost_ms: float | None = None
    still_loaded: bool = False
    would_change: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Detaching:
    """What a detach command did, or would do, an attachment a row."""

    detached: tuple[Detached, ...]

    @property
    def rows(self) -> tuple[Detached, ...]:
        """One row for each attachment, or for each interface that had none."""
        return self.detached

    @property
    def would_change(self) -> bool:
        """Whether anything would be removed."""
        return any(item.would_change for item in self.detached)


@dataclass(frozen=True, slots=True)
class Removal:
    """One thing that was left behind."""

    what: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Cleanup:
    """What a clean command removed, or would remove."""

    removed: tuple[Removal, ...]
    would_change: bool = False
    kept: tuple[Removal, ...] = field(default=())

    @property
    def rows(self) -> tuple[Removal, ...]:
        """One row for each thing."""
        return self.removed
