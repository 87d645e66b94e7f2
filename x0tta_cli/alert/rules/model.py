"""The nouns of rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from x0tta_cli.core.errors import ExitStatus
from x0tta_cli.core.notices import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert, ready to be written for Prometheus.

    `after` is how long it has to hold before it fires. `window` is how far its expression looks
    back, and `period` how far apart two of the events that it counts may be; None where it counts
    no events. `inhibits` names rules that add nothing while this one fires with the same
    `equal` labels.
    """

    name: str
    severity: Severity
    expression: str
    after: timedelta
    summary: str
    description: str
    runbook: str
    window: timedelta | None = None
    period: timedelta | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    inhibits: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules that Prometheus evaluates one after the other."""

    name: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """A rule as a file or a running Prometheus has it."""

    group: str
    name: str
    expression: str
    after: timedelta
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """Something that is wrong with a rule or a file: `where` is one of them."""

    where: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at, with which tools, and what is wrong."""

    files: tuple[str, ...]
    rules: int
    tools: tuple[str, ...]
    findings: tuple[RuleFinding, ...]

    @property
    def exit_status(self) -> ExitStatus:
        """0 where nothing is wrong, 3 where something is."""
        return ExitStatus.NO if self.findings else ExitStatus.DONE


@dataclass(frozen=True, slots=True)
class Rendered:
    """A file as it was, or would be, written: created, changed, the same or only shown.

    `content` is empty where the file was written.
    """

    file: str
    state: str
    content: str = ""
    would_change: bool = False


@dataclass(frozen=True, slots=True)
class Rendering:
    """All files of one rendering."""

    files: tuple[Rendered, ...]
    notes: tuple[str, ...] = ()

    @property
    def would_change(self) -> bool:
        """Whether a file is other than it should be."""
        return any(file.would_change for file in self.files)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is other there than it is here: `what` is missing, extra or changed."""

    where: str
    rule: str
    what: str
    field: str = ""
    here: str = ""
    there: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `there` lacks or has otherwise."""

    there: str
    differences: tuple[Difference, ...]

    @property
    def exit_status(self) -> ExitStatus:
        """0 where both are the same, 3 where they differ."""
        return ExitStatus.NO if self.differences else ExitStatus.DONE
