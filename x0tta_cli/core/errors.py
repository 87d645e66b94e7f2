"""The family of errors: one subclass for each exit status that means 'not done'.

    Exception
    └── OperatorError            code, message, reason, fix, retryable, context
        ├── InternalError          1  a defect of x0tta itself
        ├── UsageError             2  the command line or a file that was given cannot be used
        ├── NotFoundError          4  what was named does not exist
        ├── ConflictError          5  someone else's program, lock or state is in the way
        ├── NotPermittedError      6  not permitted, not authenticated, read-only
        ├── UnavailableError       7  down, timed out, rate-limited, full: later it may work
        ├── UnsupportedError       8  this kernel, machine or installation cannot do it
        ├── ConfigurationError     9  configuration or state files are invalid
        ├── NotYetKnownError      10  pending, no data, inconclusive
        ├── Interrupted          130  SIGINT, or a question was answered with no
        └── Terminated           143  SIGTERM, after cleaning up

Status 3 (the answer is no) is a result, not an error. Codes are stable, dotted and listed in
`core.catalogue`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import ClassVar


class ExitStatus(IntEnum):
    """How a command ends; the numbers are a contract with every script that calls x0tta."""

    DONE = 0
    INTERNAL = 1
    USAGE = 2
    NO = 3
    NOT_FOUND = 4
    CONFLICT = 5
    NOT_PERMITTED = 6
    UNAVAILABLE = 7
    UNSUPPORTED = 8
    CONFIGURATION = 9
    NOT_YET_KNOWN = 10
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    TERMINATED = 143


_GRAVEST_FIRST = (143, 130, 141, 1, 2, 9, 6, 8, 5, 7, 4, 3, 10, 0)


def first_of(statuses: Iterable[int]) -> ExitStatus:
    """Choose the status of a command that had several outcomes: 1 9 6 8 5 7 4 3 10 0.

    A signal goes before all of them, and 2 stands right after 1: both ask for a correction that
    no other outcome can make up for. Of no outcome at all, DONE. Raises ValueError for a number
    that is no exit status.
    """
    found = {int(ExitStatus(status)) for status in statuses}
    return ExitStatus(next((status for status in _GRAVEST_FIRST if status in found), 0))


class OperatorError(Exception):
    """What an operator can understand and mend; `str()` of it is the message.

    `message` says what happened, `reason` why, `fix` what to type or change; `retryable` is true
    where the same command may succeed later; `context` names the objects for programs. Secrets
    are taken out of the texts at once, and out of the context where it is shown. Code and
    subclass belong together: `core.catalogue`.
    """

    exit_status: ClassVar[ExitStatus] = ExitStatus.INTERNAL

    def __init__(
        self,
        code: str,
        message: str,
        *,
        reason: str = "",
        fix: str = "",
        retryable: bool = False,
        context: Mapping[str, object] | None = None,
    ) -> None:
        from x0tta_cli.core.secrets import redact

        super().__init__(redact(message))
        self.code = code
        self.reason = redact(reason)
        self.fix = redact(fix)
        self.retryable = retryable
        self.context = dict(context or {})

    def __reduce__(self) -> tuple[object, ...]:
        # Exception would pass the message alone, so that no copy or worker process could raise it.
        return _rebuild, (type(self), self.code, str(self), self._details())

    def problem(self) -> dict[str, object]:
        """Describe the error as an RFC 9457 object, extended by x0tta's own members."""
        from x0tta_cli.core.catalogue import CATALOGUE
        from x0tta_cli.core.secrets import json_form

        entry = CATALOGUE.get(self.code)
        members: dict[str, object] = {
            "type": f"urn:x0tta:error:{self.code}",
            "title": entry.title if entry else str(self),
            "detail": str(self),
            "exit_status": int(self.exit_status),
            "code": self.code,
            **self._details(),
        }
        members["context"] = json_form(self.context)
        return members

    def _details(self) -> dict[str, object]:
        return {
            "reason": self.reason,
            "fix": self.fix,
            "retryable": self.retryable,
            "context": self.context,
        }


class InternalError(OperatorError):
    """A defect of x0tta itself."""

    exit_status = ExitStatus.INTERNAL


class UsageError(OperatorError):
    """The command line, or a file that it names, cannot be used as it is."""

    exit_status = ExitStatus.USAGE


class NotFoundError(OperatorError):
    """What was named does not exist."""

    exit_status = ExitStatus.NOT_FOUND


class ConflictError(OperatorError):
    """Someone else's program, lock or state is in the way."""

    exit_status = ExitStatus.CONFLICT


class NotPermittedError(OperatorError):
    """Not permitted, not authenticated, or read-only."""

    exit_status = ExitStatus.NOT_PERMITTED


class UnavailableError(OperatorError):
    """Down, timed out, rate-limited or full: the same command may succeed later."""

    exit_status = ExitStatus.UNAVAILABLE


class UnsupportedError(OperatorError):
    """This kernel, machine or installation cannot do it."""

    exit_status = ExitStatus.UNSUPPORTED


class ConfigurationError(OperatorError):
    """The configuration, or a file that x0tta keeps, is invalid."""

    exit_status = ExitStatus.CONFIGURATION


class NotYetKnownError(OperatorError):
    """There is no answer yet: pending, too little data, inconclusive."""

    exit_status = ExitStatus.NOT_YET_KNOWN


class Interrupted(OperatorError):  # noqa: N818 - a decision of the operator, not a fault
    """SIGINT arrived, or a question was answered with no."""

    exit_status = ExitStatus.INTERRUPTED


class Terminated(OperatorError):  # noqa: N818 - a decision of the system, not a fault
    """SIGTERM arrived; everything was cleaned up."""

    exit_status = ExitStatus.TERMINATED


def _rebuild(
    kind: type[OperatorError], code: str, message: str, details: Mapping[str, object]
) -> OperatorError:
    return kind(code, message, **details)  # type: ignore[arg-type]
