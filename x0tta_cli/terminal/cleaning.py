"""What `x0tta ops clean` removes: the leftovers of operations whose process was killed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from x0tta_cli.core.errors import ExitStatus, OperatorError, first_of

if TYPE_CHECKING:
    from x0tta_cli.core.journal import Leftover, OperationRecord


@dataclass(frozen=True, slots=True)
class Removed:
    """One thing that an operation (or, where None, a write that was cut short) left behind."""

    what: str
    name: str
    operation: str | None


@dataclass(frozen=True, slots=True)
class NotRemoved:
    """One thing that could not be removed, and why."""

    what: str
    name: str
    operation: str | None
    reason: str
    exit_status: int


@dataclass(frozen=True, slots=True)
class GivenUp:
    """One operation that is closed as cancelled."""

    id: str
    kind: str


@dataclass(frozen=True, slots=True)
class Kept:
    """One interrupted operation that is left as it is."""

    id: str
    kind: str
    reason: str
    fix: str


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What was removed and given up; with `would_change`, what would be."""

    removed: tuple[Removed, ...] = ()
    given_up: tuple[GivenUp, ...] = ()
    kept: tuple[Kept, ...] = ()
    failed: tuple[NotRemoved, ...] = ()
    would_change: bool = False

    @property
    def rows(self) -> tuple[Removed, ...]:
        """What CSV shows: the things removed."""
        return self.removed

    @property
    def exit_status(self) -> ExitStatus:
        """0, or the gravest of what went wrong."""
        return first_of(item.exit_status for item in self.failed)

    def __add__(self, other: Cleaning) -> Cleaning:
        return Cleaning(
            self.removed + other.removed,
            self.given_up + other.given_up,
            self.kept + other.kept,
            self.failed + other.failed,
        )


def plan(identifiers: Sequence[str]) -> Cleaning:
    """Find what there is to clean up, of the operations named or of all; changes nothing.

    Raises NotFoundError `journal.unknown_operation`, ConflictError `journal.running` and
    `journal.over` for what is named, and what the journal raises.
    """
    from x0tta_cli.core.journal.leftovers import temporary_files

    total = Cleaning()
    for record in _chosen(identifiers):
        finder = _finder(record.kind)
        if finder is None and not identifiers:
            total += Cleaning(kept=(_kept(record),))
            continue
        found = tuple(_removed(item, record) for item in (finder(record) if finder else ()))
        total += Cleaning(removed=found, given_up=(GivenUp(record.id, record.kind),))
    if not identifiers:
        total += Cleaning(removed=tuple(_removed(item, None) for item in temporary_files()))
    return replace(total, would_change=bool(total.removed or total.given_up))


def carry_out(identifiers: Sequence[str]) -> Cleaning:
    """Clean up; what can't be removed does not keep the rest from it. Raises as `plan`."""
    from x0tta_cli.core.journal.leftovers import temporary_files

    total = Cleaning()
    for record in _chosen(identifiers):
        finder = _finder(record.kind)
        if finder is None and not identifiers:
            total += Cleaning(kept=(_kept(record),))
        else:
            total += _give_up(record, finder)
    if not identifiers:
        total += _remove(temporary_files(), None)
    return total


def _chosen(identifiers: Sequence[str]) -> list[OperationRecord]:
    from x0tta_cli.core import journal

    if identifiers:
        return [journal.find_interrupted(name) for name in dict.fromkeys(identifiers)]
    unfinished = journal.operations(unfinished=True)
    return [record for record in unfinished if record.state is journal.State.INTERRUPTED]


def _give_up(
    record: OperationRecord, finder: Callable[[OperationRecord], Iterable[Leftover]] | None
) -> Cleaning:
    """Remove what one operation left; only where all of it is gone is the operation closed."""
    from x0tta_cli.core import journal

    cleaned = Cleaning()

    def clean() -> bool:
        nonlocal cleaned
        cleaned = _remove(finder(record) if finder else (), record)
        return not cleaned.failed

    try:
        if not journal.give_up(record.id, clean):
            return cleaned
    except OperatorError as error:
        failure = NotRemoved("operation", record.id, record.id, _why(error), int(error.exit_status))
        return cleaned + Cleaning(failed=(failure,))
    return cleaned + Cleaning(given_up=(GivenUp(record.id, record.kind),))


def _remove(leftovers: Iterable[Leftover], record: OperationRecord | None) -> Cleaning:
    removed, failed = [], []
    for leftover in leftovers:
        thing = _removed(leftover, record)
        try:
            leftover.remove()
        except OperatorError as error:
            status = int(error.exit_status)
            failed.append(NotRemoved(thing.what, thing.name, thing.operation, _why(error), status))
        else:
            removed.append(thing)
    return Cleaning(removed=tuple(removed), failed=tuple(failed))


def _finder(kind: str) -> Any:
    from x0tta_cli.terminal.groups import load, operation_kind

    known = operation_kind(kind)
    return load(known.leftovers) if known and known.leftovers else None


def _removed(leftover: Leftover, record: OperationRecord | None) -> Removed:
    return Removed(leftover.what, leftover.name, record.id if record else None)


def _kept(record: OperationRecord) -> Kept:
    from x0tta_cli.terminal.groups import operation_kind

    known = operation_kind(record.kind)
    if known and known.resume:
        reason, fix = "It can be gone on with.", f"x0tta ops resume {record.id}"
    else:
        reason = "What it leaves behind is not known here."
        fix = f"x0tta ops clean {record.id}, after mending by hand what is half done."
    return Kept(record.id, record.kind, reason, fix)


def _why(error: OperatorError) -> str:
    return f"{error} {error.reason} ({error.code})".replace("  ", " ")
