"""How a library says how far it is, without knowing who watches."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Progress(Protocol):
    """Follows work that has stages; they may be nested."""

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Mark a stage as running until the block ends."""
        ...

    def update(self, fraction: float | None = None, note: str = "") -> None:
        """Say how far the running stage is (0 to 1, None where unknown), and at what."""
        ...


class Silent:
    """Progress that nobody watches."""

    def stage(self, name: str) -> AbstractContextManager[None]:  # noqa: ARG002
        """Do nothing around the block."""
        return nullcontext()

    def update(self, fraction: float | None = None, note: str = "") -> None:
        """Say nothing."""
