"""What an attach command did, or would do, and what happens while interfaces are followed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from x0tta_cli.ebpf.model import Holding, HostCheck, Mode, Refusal


@dataclass(frozen=True, slots=True)
class Attached:
    """What became of one interface of an attach command."""

    interface: str
    netns: str | None
    mode: Mode
    attachment: Holding
    program: str
    id: int
    link_id: int | None
    operation: str
    expires_at: datetime | None
    pinned_at: str | None
    keeper_pid: int | None
    changed: bool
    carrier_lost_ms: float | None
    refusals: tuple[Refusal, ...] = ()
    checked: tuple[HostCheck, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attaching:
    """What an attach command did, an interface a row."""

    attached: tuple[Attached, ...]

    @property
    def rows(self) -> tuple[Attached, ...]:
        """One row for each interface."""
        return self.attached


@dataclass(frozen=True, slots=True)
class FollowEvent:
    """Something that happened to a followed interface.

    `event` is attached, unchanged, missing, or failed; `code` that of the error of a failure.
    """

    at: datetime
    interface: str
    event: str
    index: int | None = None
    mode: Mode | None = None
    id: int | None = None
    operation: str | None = None
    code: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PlannedAttachment:
    """What attaching would do to one interface; `effects` is what native mode changes there."""

    interface: str
    netns: str | None
    program: str
    modes: tuple[Mode, ...]
    attachment: Holding
    held_by: str
    would_change: bool
    effects: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AttachPlan:
    """The plan of an attach command."""

    planned: tuple[PlannedAttachment, ...]

    @property
    def rows(self) -> tuple[PlannedAttachment, ...]:
        """One row for each interface."""
        return self.planned

    @property
    def would_change(self) -> bool:
        """Whether anything would be attached or replaced."""
        return any(item.would_change for item in self.planned)
