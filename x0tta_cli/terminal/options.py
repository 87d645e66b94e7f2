"""The options that every command takes, before or after its name."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from x0tta_cli.core.errors import UsageError
from x0tta_cli.terminal.session import Session

FORMS = ("table", "wide", "json", "jsonl", "csv")
OFF = frozenset({"", "0", "false", "no", "off"})


class Kind(str):
    """Names in an annotation where completion finds values: a key of `completion.values.KINDS`."""

    __slots__ = ()


class Words(tuple[str, ...]):
    """Lists in an annotation all values that there are, for completion."""

    __slots__ = ()


class Listed(str):
    """Names in an annotation the function that lists all values that there are, for completion.

    As `package.module:function`; it is called when the completion scripts are written, where
    listing them takes too long for every command line.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SharedOption:
    """One option of a `Session`; a flag where it has no metavar. `values` are for completion."""

    name: str
    flags: tuple[str, ...]
    help: str
    metavar: str | None = None
    convert: Callable[[str], Any] = str
    values: Kind | Words | None = None


def to_form(value: str) -> str:
    """Check the name of an output form; UsageError `usage.bad_value`."""
    if value in FORMS:
        return value
    raise UsageError(
        "usage.bad_value",
        f"There is no output form '{value}'.",
        reason=f"-o takes {', '.join(FORMS[:-1])} or {FORMS[-1]}.",
        fix=did_you_mean(value, FORMS) or "Try -o json.",
    )


def to_fields(value: str) -> tuple[str, ...]:
    """Split `a,b` into names; UsageError `usage.bad_value` where there is none."""
    names = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    if names:
        return names
    raise UsageError(
        "usage.bad_value",
        "--fields needs at least one name.",
        fix="Separate names by commas, as in --fields node,score.",
    )


def to_seconds(value: str) -> float:
    """Read a duration such as `90s` or `1h30m`; UsageError where it is none, or not positive."""
    from x0tta_cli.core.times import parse_duration

    seconds = parse_duration(value).total_seconds()
    if seconds > 0:
        return seconds
    raise UsageError(
        "usage.bad_value",
        f"--timeout {value} leaves no time at all.",
        fix="Give a duration above zero, such as --timeout 30s.",
    )


SHARED_OPTIONS = (
    SharedOption(
        "output",
        ("-o", "--output"),
        "Form of the result: table, wide, json, jsonl or csv.",
        "FORM",
        to_form,
        Words(FORMS),
    ),
    SharedOption("fields", ("--fields",), "Only these fields, in this order.", "A,B", to_fields),
    SharedOption("quiet", ("-q", "--quiet"), "The result and errors alone: no progress, no notes."),
    SharedOption("verbose", ("-v", "--verbose"), "Log on stderr what is being done."),
    SharedOption("debug", ("--debug",), "Log everything, and show tracebacks."),
    SharedOption(
        "profile",
        ("--profile",),
        "Profile of the configuration.",
        "NAME",
        values=Kind("profile"),
    ),
    SharedOption("config", ("--config",), "Configuration file.", "FILE", Path),
    SharedOption("no_color", ("--no-color",), "No colours, as with NO_COLOR=1."),
    SharedOption(
        "timeout_s", ("--timeout",), "Give up after, say, 90s or 10m.", "DURATION", to_seconds
    ),
    SharedOption("utc", ("--utc",), "Show times in UTC, not in local time."),
    SharedOption("read_only", ("--read-only",), "Change nothing, as with X0TTA_READ_ONLY=1."),
)
ROOT_OPTIONS = (SharedOption("version", ("--version",), "Show the version."),)
CHANGING_OPTIONS = (
    SharedOption("dry_run", ("--dry-run",), "Print the plan and change nothing."),
    SharedOption(
        "exit_code", ("--exit-code",), "With --dry-run, end with 3 when something would change."
    ),
    SharedOption("yes", ("-y", "--yes"), "Go ahead without asking."),
)


def first_session() -> Session:
    """Start with what the environment says: X0TTA_READ_ONLY is on unless it says off."""
    return Session(read_only=os.environ.get("X0TTA_READ_ONLY", "").strip().lower() not in OFF)


def merged(outer: Session, given: dict[str, Any]) -> Session:
    """Lay the options of an inner command line over those of the outer."""
    return replace(outer, **{name: value for name, value in given.items() if value})


def scan(arguments: Sequence[str]) -> Session:
    """Find the shared options of a line that may be wrong, so that its error takes their form.

    Lenient: what can't be read is passed over. Everything after `--` is a value.
    """
    given: dict[str, Any] = {}
    position = 0
    while position < len(arguments) and arguments[position] != "--":
        position += _read(arguments, position, given) or 1
    return merged(first_session(), given)


def count_leading(arguments: Sequence[str]) -> int:
    """Count the leading arguments that are shared options or values of theirs."""
    position = 0
    while position < len(arguments):
        taken = _read(arguments, position, {})
        if not taken:
            break
        position += taken
    return position


def did_you_mean(word: str, possibilities: Sequence[str]) -> str:
    """Say what may have been meant, or nothing.

    The dashes of options do not count: they would make all of them alike.
    """
    from difflib import get_close_matches

    names = {possibility.lstrip("-"): possibility for possibility in possibilities}
    matches = [names[name] for name in get_close_matches(word.lstrip("-"), list(names), n=2)]
    return f"Did you mean {' or '.join(matches)}?" if matches else ""


def _read(arguments: Sequence[str], position: int, given: dict[str, Any]) -> int:
    """Read the argument at `position` into `given`; how many it took, 0 where it isn't shared."""
    found = _shared_options_in(arguments[position])
    taken = 1 if found else 0
    for option, attached in found:
        value = attached
        if option.metavar is not None and value is None and position + 1 < len(arguments):
            value, taken = arguments[position + 1], 2
        with suppress(UsageError):
            if option.metavar is None:
                given[option.name] = True
            elif value is not None:
                given[option.name] = option.convert(value)
    return taken


def _shared_options_in(argument: str) -> list[tuple[SharedOption, str | None]]:
    """Take `--output=json`, `-q`, `-qv` or `-ojson` apart into options and attached values."""
    if argument.startswith("--"):
        flag, equals, value = argument.partition("=")
        option = _by_flag().get(flag)
        return [(option, value if equals else None)] if option else []
    found: list[tuple[SharedOption, str | None]] = []
    for index, letter in enumerate(argument[1:], start=2):
        option = _by_flag().get(f"-{letter}") if argument.startswith("-") else None
        if option is None:
            return []
        if option.metavar is not None:
            return [*found, (option, argument[index:] or None)]
        found.append((option, None))
    return found


@cache
def _by_flag() -> dict[str, SharedOption]:
    return {flag: option for option in SHARED_OPTIONS for flag in option.flags}
