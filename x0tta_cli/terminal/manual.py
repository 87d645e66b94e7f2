"""The manual: a page about x0tta, one about each group, and `x0tta help`, which shows them.

The same pages are installed for man(1): see `roff`.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from x0tta_cli.terminal import streams, usage
from x0tta_cli.terminal.command import App, Block, Facts, Heading, Text, Words, session
from x0tta_cli.terminal.groups import GROUPS, SUMMARY, load
from x0tta_cli.terminal.help import STATUSES

if TYPE_CHECKING:
    from x0tta_cli.terminal.tree import Command, Parameter

app = App("Show the manual of a group, or of x0tta as a whole.", single=True)

ABOUT = (
    "Results go to standard output, and all else to standard error: progress, logs, questions. "
    "The same rows come out of a pipe and a terminal. With -o json the result is one JSON value, "
    "and an error one line of JSON (RFC 9457), the last on standard error.",
    "An error names its code, which x0tta-explain(1) explains. The exit status depends on the "
    "answer alone, never on the form of the output.",
    "Settings come from options, from the environment, from the file of --config or X0TTA_CONFIG, "
    "from the user's file and from that of the machine, in this order.",
)
FILES = (
    ("~/.config/x0tta/config.toml", "Configuration of the user."),
    ("/etc/x0tta/config.toml", "Configuration of the machine."),
    ("/var/lib/x0tta", "State of root: the journal and what belongs to it."),
    ("~/.local/state/x0tta", "State of any other user."),
)
ENVIRONMENT = (
    (
        "X0TTA_SECTION__KEY",
        "Sets a key of the configuration, as X0TTA_DRILL__SEED sets drill.seed.",
    ),
    ("X0TTA_CONFIG", "Configuration file, as --config."),
    ("X0TTA_PROFILE", "Profile of the configuration, as --profile."),
    ("X0TTA_READ_ONLY", "Where it is set and not 0, as --read-only."),
    ("X0TTA_STATE_DIR", "Folder of the state, in place of the usual one."),
    ("NO_COLOR", "Where it is set, as --no-color."),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A term and what it means."""

    term: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page: paragraphs, then terms, then lines that stay as they are, then parts."""

    title: str
    paragraphs: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    lines: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the manual; `name` is `x0tta-drill`."""

    name: str
    summary: str
    sections: tuple[Section, ...]


def blocks(page: Page) -> Iterator[Block]:
    """Lay a page out for where there is no man(1)."""
    pending = [*page.sections]
    while pending:
        section = pending.pop(0)
        yield Heading(section.title)
        for paragraph in section.paragraphs:
            yield Text(paragraph + "\n" * (paragraph != section.paragraphs[-1]))
        if section.entries:
            yield Facts([(entry.term, entry.meaning) for entry in section.entries])
        if section.lines:
            yield Text("\n".join(section.lines))
        pending = [*section.sections, *pending]


@app.command(
    "help",
    view=blocks,
    examples=["x0tta help drill  # all about one group", "x0tta help  # x0tta as a whole"],
)
def show_manual(
    group: Annotated[
        str | None, typer.Argument(help="Name of the group; without it, x0tta."), Words(GROUPS)
    ] = None,
) -> Page | None:
    """Show the manual of a group, or of x0tta as a whole.

    On a terminal the installed page is shown by man(1), elsewhere the same as plain text.
    """
    from x0tta_cli.terminal.tree import command_tree, group_tree

    if group is not None and group not in GROUPS:
        raise usage.unknown_command(group, list(GROUPS), "x0tta")
    if session().output == "table" and streams.is_terminal(sys.stdout):
        _show_installed("-".join(filter(None, ["x0tta", group])))
    return page_of_group(group_tree(group)) if group else page_of_root(command_tree())


def pages(tree: Command) -> list[Page]:
    """Write all pages: the root's, and one for each group."""
    return [page_of_root(tree), *map(page_of_group, tree.commands)]


def page_of_root(tree: Command) -> Page:
    """Write the page about x0tta as a whole."""
    from x0tta_cli.terminal.tree import shared_options

    return _page(
        "x0tta",
        SUMMARY,
        Section("SYNOPSIS", lines=(" ".join(tree.usage),)),
        Section("DESCRIPTION", ABOUT),
        Section(
            "COMMANDS",
            entries=tuple(Entry(f"{_name_of(group)}(1)", group.summary) for group in tree.commands),
        ),
        Section(
            "OPTIONS",
            entries=_entries(tree.options),
            sections=(
                Section(
                    "Shared options",
                    ("Every command takes them, before or after its name; the innermost wins.",),
                    _entries(shared_options()),
                ),
            ),
        ),
        Section("EXAMPLES", lines=tree.examples),
        Section("EXIT STATUS", entries=_statuses()),
        Section("FILES", entries=tuple(Entry(*pair) for pair in FILES)),
        Section("ENVIRONMENT", entries=tuple(Entry(*pair) for pair in ENVIRONMENT)),
        Section("SEE ALSO", (", ".join(f"{_name_of(group)}(1)" for group in tree.commands),)),
    )


def page_of_group(group: Command) -> Page:
    """Write the page about one group with all its commands."""
    commands = [command for command in group.walk() if not command.commands]
    summary, *others = _paragraphs(group.help)
    description = Section("DESCRIPTION", (summary, *others), _entries(group.arguments))
    parts = [description]
    options = Section("OPTIONS", entries=_entries(group.options), sections=(_of_all_commands(),))
    if group.commands:
        parts.append(Section("COMMANDS", sections=tuple(_section(c, group) for c in commands)))
        own = [
            Section(" ".join(command.path), entries=_entries(command.options))
            for command in commands
        ]
        options = Section("OPTIONS", sections=(*own, _of_all_commands()))
    return _page(
        _name_of(group),
        summary,
        Section("SYNOPSIS", lines=tuple(" ".join(command.usage) for command in commands)),
        *parts,
        options,
        Section("EXAMPLES", lines=tuple(line for c in commands for line in c.examples)),
        Section("EXIT STATUS", entries=_statuses()),
        Section("FILES", _on_settings(group), tuple(Entry(*pair) for pair in FILES)),
        Section("ENVIRONMENT", ("Beside those of x0tta(1):",), _variables(group))
        if _variables(group)
        else Section("ENVIRONMENT", ("The variables of x0tta(1).",)),
        Section("SEE ALSO", ("x0tta(1), x0tta-explain(1)",)),
    )


def _show_installed(name: str) -> None:
    """Become man(1) where it and the installed page are found; come back where not."""
    installed, viewer = _installed(name), shutil.which("man")
    if installed is None or viewer is None:
        return
    streams.flush()
    try:
        os.execv(viewer, ["man", str(installed)])  # noqa: S606 - no shell is wanted
    except OSError:
        return


def _installed(name: str) -> Path | None:
    from importlib import metadata

    try:
        files = metadata.files("x0tta") or []
    except metadata.PackageNotFoundError:
        return None
    found = (Path(str(file.locate())) for file in files if file.name == f"{name}.1")
    return next((path.resolve() for path in found if path.is_file()), None)


def _page(name: str, summary: str, *sections: Section) -> Page:
    said = summary[0].lower() + summary[1:].rstrip(".")
    return Page(name, summary, (Section("NAME", lines=(f"{name} - {said}",)), *sections))


def _section(command: Command, group: Command) -> Section:
    note = ["The default: its name may be left out."] * (command.path[-1] == group.default)
    paragraphs = (*_paragraphs(command.help), *note)
    return Section(" ".join(command.path), paragraphs, _entries(command.arguments))


def _of_all_commands() -> Section:
    return Section("Shared options", ("Those of x0tta(1), before or after the command's name.",))


def _entries(parameters: Sequence[Parameter]) -> tuple[Entry, ...]:
    return tuple(Entry(parameter.label, parameter.meaning) for parameter in parameters)


def _statuses() -> tuple[Entry, ...]:
    pairs = (status.rstrip(",").partition(" ") for status in STATUSES)
    return tuple(
        Entry(number, f"{meaning[0].upper()}{meaning[1:]}.") for number, _, meaning in pairs
    )


def _on_settings(group: Command) -> tuple[str, ...]:
    name = group.path[-1]
    has_settings = name in GROUPS and GROUPS[name].settings
    return (
        (f"Its settings stand in the section [{name}] of the configuration.",)
        if has_settings
        else ()
    )


def _variables(group: Command) -> tuple[Entry, ...]:
    """List the variables that set the keys of a group's section."""
    known = GROUPS.get(group.path[-1])
    if known is None or known.settings is None:
        return ()
    return tuple(
        Entry(f"X0TTA_{known.name}__{key}".upper(), field.description or "")
        for key, field in load(known.settings).model_fields.items()
    )


def _paragraphs(text: str) -> list[str]:
    """Take text apart into paragraphs, each on one line but for those that are laid out."""
    return [
        part if "\n " in part or part.startswith(" ") else " ".join(part.split())
        for part in text.split("\n\n")
    ]


def _name_of(command: Command) -> str:
    return "-".join(command.path)
