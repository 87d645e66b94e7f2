"""What the commands of `x0tta config` return, and how it is laid out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from x0tta_cli.core.errors import ExitStatus, OperatorError, first_of
from x0tta_cli.terminal.blocks import (
    Block,
    Cell,
    Column,
    Facts,
    Heading,
    Table,
    Text,
    Tone,
    Verbatim,
)
from x0tta_cli.terminal.text import counted


class Outcome(StrEnum):
    """What became of a file: `planned` with --dry-run."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True)
class NewFile:
    """A configuration file with every key and its default."""

    file: Path
    outcome: Outcome
    content: str

    @property
    def would_change(self) -> bool:
        """Whether something would be done without --dry-run."""
        return self.outcome is Outcome.PLANNED


@dataclass(frozen=True, slots=True)
class Change:
    """A key of a file that was set; `overridden_by` names what is stronger than the file."""

    key: str
    value: Any
    before: Any
    file: Path
    profile: str | None
    outcome: Outcome
    overridden_by: str | None

    @property
    def would_change(self) -> bool:
        """Whether something would be done without --dry-run."""
        return self.outcome is Outcome.PLANNED


@dataclass(frozen=True, slots=True)
class Setting:
    """A value in force, and the layer that it comes from."""

    key: str
    value: Any
    source: str


@dataclass(frozen=True, slots=True)
class SettingOrigin:
    """A value in force, and the place that it comes from, with its line in a file."""

    key: str
    value: Any
    source: str
    line: int | None


class FileState(StrEnum):
    """What there is to say of a configuration file by itself."""

    VALID = "valid"
    INVALID = "invalid"
    UNREADABLE = "unreadable"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file that is looked for: `given_by` is --config, X0TTA_CONFIG, user or system."""

    file: Path
    given_by: str
    state: FileState
    problems: int
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the configuration."""

    code: str
    status: int
    message: str
    reason: str
    fix: str


@dataclass(frozen=True, slots=True)
class Checked:
    """The configuration as a whole: what was looked at, and all that is wrong."""

    files: tuple[Path, ...]
    profile: str | None
    sections: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def rows(self) -> tuple[Problem, ...]:
        """What CSV and --fields show: the problems."""
        return self.problems

    @property
    def exit_status(self) -> ExitStatus:
        """The gravest problem's status, 0 where there is none."""
        return first_of(problem.status for problem in self.problems)


def blocks_of_new_file(result: NewFile) -> Iterator[Block]:
    """Say what was written, or show what would be."""
    if result.would_change:
        yield Text(f"{result.file} would be written:", "dim")
        yield Verbatim(result.content.rstrip("\n"))
        return
    yield Text(f"Wrote {result.file}.", "good")
    yield Text("Nothing is set in it yet: take the '#' off a line, or use x0tta config set.")


def blocks_of_change(result: Change) -> Iterator[Block]:
    """Say in a sentence what a file says now, or would."""
    place = f"{result.file}" + (f" [profiles.{result.profile}]" if result.profile else "")
    value = written(result.value)
    before = "" if result.before is None else f" (was {written(result.before)})"
    match result.outcome:
        case Outcome.UNCHANGED:
            yield Text(f"{result.key} is {value} already in {place}.", "good")
        case Outcome.PLANNED:
            yield Text(f"{result.key} would be {value} in {place}{before}.")
        case Outcome.WRITTEN:
            yield Text(f"{result.key} is {value} in {place}{before}.", "good")
    if result.overridden_by:
        yield Text(f"warning: {result.overridden_by} is stronger and still wins.", "warning")


def blocks_of_files(files: list[ConfigFile]) -> Iterator[Block]:
    """Lay the files out, the strongest first."""
    tones: dict[FileState, Tone] = {FileState.VALID: "good", FileState.ABSENT: "dim"}
    rows = []
    for file in files:
        count = f", {counted(file.problems, 'problem')}" if file.problems else ""
        state = Cell(f"{file.state}{count}", tones.get(file.state, "bad"))
        rows.append((file.file, file.given_by, state, file.changed_at))
    yield Table([Column("FILE"), Column("GIVEN BY"), Column("STATE"), Column("CHANGED")], rows)
    if any(file.problems for file in files):
        yield Text("x0tta config check says what is wrong.", "dim")


def blocks_of_check(result: Checked) -> Iterator[Block]:
    """Show every problem with its mend, or in one line that there is none."""
    for problem in result.problems:
        yield Heading(problem.message)
        facts = [("why", problem.reason), ("mend", problem.fix), ("code", problem.code)]
        yield Facts([(name, text) for name, text in facts if text])
    if result.problems:
        yield Text(f"{counted(len(result.problems), 'problem')} found.", "bad")
        return
    files = ", ".join(map(str, result.files)) or "no file, all is at its default"
    profile = f", profile {result.profile}" if result.profile else ""
    sections = ", ".join(result.sections)
    yield Text(f"The configuration is valid: {files}{profile}; sections {sections}.", "good")


def blocks_of_schema(schema: dict[str, Any]) -> Iterator[Block]:
    """Print the schema as it is: JSON, whatever the form of output."""
    import json

    yield Verbatim(json.dumps(schema, indent=2))


def blocks_of_settings(settings: list[Setting] | list[SettingOrigin]) -> Iterator[Block]:
    """Lay values out beside their keys; their sources with --origin or -o wide."""
    has_origins = any(isinstance(setting, SettingOrigin) for setting in settings)
    columns = [Column("KEY"), Column("VALUE"), Column("SOURCE", wide_only=not has_origins)]
    rows = []
    for setting in settings:
        is_default = setting.source == "default"
        value = Cell(written(setting.value), "dim" if is_default else "plain")
        source = setting.source
        if isinstance(setting, SettingOrigin) and setting.line:
            source += f", line {setting.line}"
        rows.append((setting.key, value, Cell(source, "dim")))
    yield Table(columns, rows)


def state_of(found: list[OperatorError] | None) -> tuple[FileState, int]:
    """Sum up what was found in a file; None is a file that is not there."""
    if found is None:
        return FileState.ABSENT, 0
    if any(problem.code.startswith("files.") for problem in found):
        return FileState.UNREADABLE, len(found)
    return (FileState.INVALID if found else FileState.VALID), len(found)


def when_changed(file: Path) -> datetime | None:
    """Tell when a file was last written; None where it is not there, or may not be looked at."""
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError:
        return None


def problem_of(error: OperatorError) -> Problem:
    """Make a row of an error."""
    return Problem(error.code, int(error.exit_status), str(error), error.reason, error.fix)


def bare(value: Any) -> str:
    """Write a value for a shell: a text without its quotation marks, nothing where none is set."""
    if value is None:
        return ""
    return value if isinstance(value, str) else written(value)


def written(value: Any) -> str:
    """Write a value as a file has it."""
    import json

    from x0tta_cli.core.config.references import is_reference
    from x0tta_cli.core.secrets import HIDDEN

    if value is None:
        return "not set"
    if value == HIDDEN:
        return HIDDEN
    if is_reference(value):
        [(kind, name)] = value.items()
        return f'{{ {kind} = "{name}" }}'
    return json.dumps(value, ensure_ascii=False)
