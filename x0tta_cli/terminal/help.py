"""Help pages: one form for the root, a group and a command."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from x0tta_cli.terminal import streams
from x0tta_cli.terminal.groups import GROUPS, SUMMARY
from x0tta_cli.terminal.options import ROOT_OPTIONS, SHARED_OPTIONS, SharedOption, scan
from x0tta_cli.terminal.text import cells, wrap

WIDEST = 96
NARROWEST = 24
HELP_OF_HELP = "Show this help."
STATUSES = (
    "0 done or yes,",
    "1 internal error,",
    "2 usage,",
    "3 the answer is no,",
    "4 not found,",
    "5 conflict,",
    "6 not permitted,",
    "7 unavailable,",
    "8 not supported here,",
    "9 configuration invalid,",
    "10 not yet known,",
    "130 interrupted,",
    "141 broken pipe,",
    "143 terminated",
)
PLACEHOLDERS = {int: "N", float: "X", str: "TEXT", Path: "FILE"}

Rows = Sequence[tuple[str, str]]


def root_help() -> str:
    """Write the help page of x0tta itself; needs no parser, so that it is there at once."""
    page = _page()
    page.paragraphs(SUMMARY)
    page.flow("Usage", ["x0tta", "[OPTIONS]", "COMMAND", "[ARGUMENTS]"])
    page.definitions("Commands", [(group.name, group.help) for group in GROUPS.values()])
    page.definitions(
        "Options",
        [
            *((_flags(option.flags, option.metavar), option.help) for option in ROOT_OPTIONS),
            ("-h, --help", HELP_OF_HELP),
        ],
    )
    page.definitions(
        "Shared options, before or after the name of any command",
        [(_flags(option.flags, option.metavar), option.help) for option in SHARED_OPTIONS],
    )
    page.examples([group.example for group in GROUPS.values()])
    page.flow("Exit statuses", STATUSES)
    return "\n".join(page.lines)


def help_of(context: Any) -> str:
    """Write the help page of the command that a Typer context is about."""
    if context.parent is None:
        return root_help()
    command = context.command
    page = _page()
    page.paragraphs(inspect.cleandoc(command.help or "").partition("\f")[0])
    page.flow("Usage", usage_of(context))
    if hasattr(command, "commands"):
        page.definitions("Commands", list(_commands(command)))
    page.definitions("Arguments", [described(p) for p in own_parameters(context, "argument")])
    page.definitions("Options", [described(p) for p in own_parameters(context, "option")])
    shared = [_shortest(option) for option in SHARED_OPTIONS]
    page.flow("Shared options, see x0tta --help", shared, gap="  ")
    page.examples(examples_of(command))
    return "\n".join(page.lines)


def display_name(parameter: Any) -> str:
    """Name a parameter as its help does: `--seed` or `INCIDENT`."""
    if parameter.param_type_name == "option":
        return str(max(parameter.opts, key=len))
    return str(parameter.metavar or parameter.name.upper())


def usage_of(context: Any) -> list[str]:
    """Give the pieces of a usage line: between them alone it may be broken."""
    command = context.command
    pieces = [context.command_path, "[OPTIONS]"]
    if hasattr(command, "commands"):
        pieces += ["[COMMAND]" if command.default else "COMMAND", "[ARGUMENTS]"]
    for parameter in own_parameters(context, "argument"):
        name = display_name(parameter).removesuffix("...")
        if parameter.nargs == -1:
            name += "..."
        pieces.append(name if parameter.required else f"[{name}]")
    return pieces


def own_parameters(context: Any, kind: str) -> list[Any]:
    """List the visible arguments, or options, of a command that are not shared by all."""
    shared = set(SHARED_OPTIONS)
    return [
        parameter
        for parameter in context.command.get_params(context)
        if parameter.param_type_name == kind
        and not parameter.hidden
        and getattr(parameter, "shared", None) not in shared
    ]


def described(parameter: Any) -> tuple[str, str]:
    """Give a parameter as a list has it, `-s, --seed N`, and what it means."""
    notes = []
    if parameter.required and parameter.param_type_name == "option":
        notes.append("required")
    default = _default(parameter)
    if default:
        notes.append(f"default: {default}")
    if parameter.envvar:
        notes.append(f"environment: {parameter.envvar}")
    note = f"[{', '.join(notes)}]" if notes else ""
    meaning = " ".join(filter(None, [parameter.help or "", note]))
    if parameter.param_type_name == "argument":
        return display_name(parameter), meaning
    is_flag = parameter.is_flag or parameter.count
    placeholder = None if is_flag else _placeholder(parameter)
    return _flags((*parameter.opts, *parameter.secondary_opts), placeholder), meaning


def examples_of(command: Any) -> list[str]:
    """List the shell lines of a command, or the first of each command in a group."""
    if not hasattr(command, "commands"):
        return list(command.traits.examples)
    members = [member for member in command.commands.values() if not member.hidden]
    return [example for member in members for example in examples_of(member)[:1]]


class Page:
    """Collects the lines of a page of a given width."""

    def __init__(self, width: int, *, colored: bool) -> None:
        self.width = width
        self.colored = colored
        self.lines: list[str] = []

    def paragraphs(self, text: str) -> None:
        """Add wrapped paragraphs; indented lines stay as they are."""
        for paragraph in text.split("\n\n"):
            self._gap()
            lines = paragraph.splitlines()
            if any(line.startswith(" ") for line in lines):
                self.lines += lines
            else:
                self.lines += wrap(" ".join(lines), self.width)

    def flow(self, title: str, items: Sequence[str], gap: str = " ") -> None:
        """Add items one after the other under a title, broken between them alone."""
        self._title(title)
        line = f"  {items[0]}"
        for item in items[1:]:
            if cells(line) + len(gap) + cells(item) <= self.width:
                line += gap + item
            else:
                self.lines.append(line)
                line = f"  {item}"
        self.lines.append(line)

    def definitions(self, title: str, rows: Rows) -> None:
        """Add names beside what they mean, or above it where the page is narrow."""
        if not rows:
            return
        self._title(title)
        widest = max(cells(name) for name, _ in rows)
        beside = widest + 4 <= self.width * 0.45
        indent = widest + 4 if beside else 10
        for name, meaning in rows:
            lines = wrap(meaning, self.width - indent) if meaning else []
            if beside and lines:
                self.lines.append(f"  {name:<{indent - 2}}{lines.pop(0)}")
            else:
                self.lines.append(f"  {name}")
            self.lines += [" " * indent + line for line in lines]

    def examples(self, examples: Sequence[str]) -> None:
        """Add shell lines, their comments in one column where there is room."""
        if not examples:
            return
        self._title("Examples")
        pairs = [tuple(map(str.rstrip, example.partition("  # ")[::2])) for example in examples]
        widest = max((len(line) for line, comment in pairs if comment), default=0)
        for line, comment in pairs:
            if not comment:
                self.lines.append(f"  {line}")
            elif widest + 6 + len(comment) <= self.width:
                self.lines.append(f"  {line:<{widest}}  {self._dim('# ' + comment)}")
            else:
                lines = wrap(comment, self.width - 4)
                self.lines += [f"  {self._dim('# ' + piece)}" for piece in lines]
                self.lines.append(f"  {line}")

    def _title(self, title: str) -> None:
        self._gap()
        self.lines += [
            f"\033[1m{line}\033[0m" if self.colored else line
            for line in wrap(f"{title}:", self.width)
        ]

    def _dim(self, text: str) -> str:
        return f"\033[2m{text}\033[0m" if self.colored else text

    def _gap(self) -> None:
        if self.lines:
            self.lines.append("")


def _commands(group: Any) -> Iterator[tuple[str, str]]:
    for name, command in group.commands.items():
        if not command.hidden:
            summary = inspect.cleandoc(command.help or "").partition("\n\n")[0].replace("\n", " ")
            note = " (The default.)" if name == group.default else ""
            yield name, summary + note


def _flags(flags: Sequence[str], metavar: str | None) -> str:
    """Write `-o, --output FORM`; a long option without a short one stands below the long ones."""
    ordered = sorted(flags, key=len)
    text = ", ".join(ordered)
    if len(ordered[0]) > 2:
        text = "    " + text
    return f"{text} {metavar}" if metavar else text


def _placeholder(parameter: Any) -> str:
    if parameter.metavar:
        return str(parameter.metavar)
    descriptor = parameter.type_descriptor
    if descriptor.choices:
        return "|".join(str(getattr(choice, "value", choice)) for choice in descriptor.choices)
    return PLACEHOLDERS.get(descriptor.annotation) or str(parameter.name).upper()


def _default(parameter: Any) -> str:
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    default = parameter.default
    if isinstance(default, Enum):
        default = default.value
    is_told = parameter.show_default and isinstance(default, str | int | float | Path)
    return str(default) if is_told and not isinstance(default, bool) else ""


def _shortest(option: SharedOption) -> str:
    flag = option.flags[0]
    return f"{flag} {option.metavar}" if option.metavar else flag


def _page() -> Page:
    width = streams.width_of(sys.stdout) or 80
    colored = streams.has_colors(sys.stdout, no_color=scan(sys.argv[1:]).no_color)
    return Page(max(NARROWEST, min(width, WIDEST)), colored=colored)
