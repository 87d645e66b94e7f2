"""The nouns of the doctor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from x0tta_cli.core.errors import ExitStatus, OperatorError
from x0tta_cli.core.notices import Severity

if TYPE_CHECKING:
    from pydantic import BaseModel

    from x0tta_cli.core.config import Configuration


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be: a stable code, about what, and the mend.

    `info` is what is not here and has not been asked for; `warning` is a trouble to come; `error`
    keeps a command from working.
    """

    exit_status: ClassVar[ExitStatus] = ExitStatus.NO

    code: str
    severity: Severity
    object: str
    message: str
    fix: str
    reason: str = ""

    @classmethod
    def from_error(
        cls, error: OperatorError, about: str, severity: Severity = Severity.ERROR
    ) -> Finding:
        """Word an error as a finding about the object it names, else `about`."""
        named = [error.context.get(name) for name in ("key", "variable", "section", "file")]
        subject = next((str(name) for name in named if name), about)
        fix = error.fix or f"x0tta explain {error.code}"
        return cls(error.code, severity, subject, str(error), fix, error.reason)


@dataclass(frozen=True, slots=True)
class Observed:
    """What a check saw: a few words for one who reads quickly, and what is wrong.

    `unknown` says why nothing could be seen: that is neither well nor wrong.
    """

    summary: str = ""
    findings: tuple[Finding, ...] = ()
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the checks look at; `root` is where /proc, /sys and /usr are, `models` by section."""

    configuration: Configuration
    models: Mapping[str, type[BaseModel]]
    internet_url: str
    root: Path = Path("/")

    def settings(self) -> Iterator[tuple[str, object]]:
        """Give each configured value by its key; a section that can't be read has none."""
        for name, model in self.models.items():
            try:
                section = self.configuration.section(name, model)
            except OperatorError:
                # The check of the configuration tells of it.
                continue
            yield from _walk(name, section)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at; `name` is what --need calls it.

    `run` raises OperatorError where it may not look. `is_remote` checks talk to other machines.
    """

    name: str
    run: Callable[[Surroundings], Observed] = field(repr=False)
    is_remote: bool = False


class State(StrEnum):
    """How a check ended; `note` has findings of `info` alone, `unknown` could not be made."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one check."""

    group: str
    check: str
    state: State
    summary: str
    findings: tuple[Finding, ...]
    unknown: str = ""


_GRAVITY = (Severity.INFO, Severity.WARNING, Severity.ERROR, Severity.CRITICAL)


def is_at_least(severity: Severity, threshold: Severity) -> bool:
    """Whether a severity reaches a threshold."""
    return _GRAVITY.index(severity) >= _GRAVITY.index(threshold)


def state_of(observed: Observed) -> State:
    """Sum up what a check saw: the gravest finding counts."""
    if not observed.findings:
        return State.UNKNOWN if observed.unknown else State.OK
    gravest = max((finding.severity for finding in observed.findings), key=_GRAVITY.index)
    if gravest is Severity.INFO:
        return State.NOTE
    return State.WARNING if gravest is Severity.WARNING else State.ERROR


def _walk(path: str, settings: BaseModel) -> Iterator[tuple[str, object]]:
    from pydantic import BaseModel

    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            yield from _walk(f"{path}.{name}", value)
        elif isinstance(value, Mapping) and any(isinstance(i, BaseModel) for i in value.values()):
            for key, item in value.items():
                yield from _walk(f"{path}.{name}.{key}", item)
        else:
            yield f"{path}.{name}", value
