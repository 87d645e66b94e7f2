"""The whole command line as plain nouns, for what is generated from it: completion and manual.

Making it loads every group.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from x0tta_cli.terminal.groups import GROUPS, load
from x0tta_cli.terminal.help import described, examples_of, own_parameters, usage_of
from x0tta_cli.terminal.options import SHARED_OPTIONS, Kind, Listed, Words

FILES = Kind("file")
FOLDERS = Kind("folder")


@dataclass(frozen=True, slots=True)
class Parameter:
    """An option or an argument.

    `names` are an option's flags; `label` and `meaning` are as its help has them. `values` says
    where completion finds its values: FILES and FOLDERS of the system, a kind, or the words
    themselves; None where nobody knows. A flag has none, and does not take any.
    """

    names: tuple[str, ...]
    label: str
    meaning: str
    takes_value: bool = True
    repeats: bool = False
    values: Kind | Words | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A command, or a group with its commands; `path` begins with x0tta."""

    path: tuple[str, ...]
    help: str
    usage: tuple[str, ...]
    options: tuple[Parameter, ...]
    arguments: tuple[Parameter, ...]
    examples: tuple[str, ...]
    commands: tuple[Command, ...] = ()
    default: str | None = None

    @property
    def summary(self) -> str:
        """The first paragraph of its help, on one line."""
        return " ".join(self.help.partition("\n\n")[0].split())

    def walk(self) -> Iterator[Command]:
        """Visit it and all commands below it, each before its own."""
        yield self
        for command in self.commands:
            yield from command.walk()


def command_tree() -> Command:
    """Describe x0tta with all its groups and commands, hidden ones left out."""
    from x0tta_cli.terminal.app import root

    return _command(_context(root(), "x0tta", None))


def group_tree(name: str) -> Command:
    """Describe one group; KeyError where there is none."""
    from x0tta_cli.terminal.app import root

    top = _context(root(), "x0tta", None)
    return _command(_context(_loaded(top, name), name, top))


def shared_options() -> tuple[Parameter, ...]:
    """Describe the options that every command takes."""
    from x0tta_cli.terminal.command import FrameOption

    return tuple(_parameter(FrameOption(option), {}) for option in SHARED_OPTIONS)


def _command(context: Any) -> Command:
    command = context.command
    hints = _hints(command)
    members = getattr(command, "commands", {})
    return Command(
        path=tuple(context.command_path.split(" ")),
        help=inspect.cleandoc(command.help or "").partition("\f")[0].strip(),
        usage=tuple(usage_of(context)),
        options=tuple(_parameter(p, hints) for p in own_parameters(context, "option")),
        arguments=tuple(_parameter(p, hints) for p in own_parameters(context, "argument")),
        examples=tuple(_examples(context)),
        commands=tuple(
            _command(_context(_loaded(context, name), name, context))
            for name, member in members.items()
            if not member.hidden
        ),
        default=getattr(command, "default", None),
    )


def _examples(context: Any) -> list[str]:
    if context.parent is None:
        return [group.example for group in GROUPS.values()]
    return examples_of(context.command)


def _context(command: Any, name: str, parent: Any) -> Any:
    return command.context_class(command, info_name=name, parent=parent, **command.context_settings)


def _loaded(context: Any, name: str) -> Any:
    return context.command.resolve_command(context, [name])[1]


def _hints(command: Any) -> dict[str, Any]:
    """Read the annotations of the function behind a command, Typer's own among them."""
    if getattr(command, "commands", None) is not None or command.callback is None:
        return {}
    return get_type_hints(inspect.unwrap(command.callback), include_extras=True)


def _parameter(parameter: Any, hints: dict[str, Any]) -> Parameter:
    label, meaning = described(parameter)
    is_option = parameter.param_type_name == "option"
    # Typer keeps the names of --help in a set, whose order is another one each time.
    flags = sorted((*parameter.opts, *parameter.secondary_opts), key=lambda flag: (len(flag), flag))
    return Parameter(
        names=tuple(flags) if is_option else (label,),
        label=label.strip(),
        meaning=meaning,
        takes_value=not is_option or not (parameter.is_flag or parameter.count),
        repeats=parameter.nargs == -1,
        values=_values(parameter, hints.get(parameter.name)),
    )


def _values(parameter: Any, hint: Any) -> Kind | Words | None:
    shared = getattr(parameter, "shared", None)
    if shared is not None:
        return FILES if shared.convert is Path else shared.values
    for note in getattr(hint, "__metadata__", ()):
        if isinstance(note, Listed):
            return Words(load(note)())
        if isinstance(note, Kind | Words):
            return note
    descriptor = parameter.type_descriptor
    if descriptor.choices:
        return Words(str(getattr(choice, "value", choice)) for choice in descriptor.choices)
    if descriptor.is_path or descriptor.is_file:
        only_folders = parameter.metavar == "DIR" or not descriptor.parameter_info.file_okay
        return FOLDERS if only_folders else FILES
    return None
