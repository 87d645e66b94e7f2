"""The frame of every command: shared options around its name, and what it returns is shown.

A `cli.py` is written against this module alone:

    app = App("Practise the whole loop.", default="run")

    @app.command(examples=["x0tta drill run  # the first incident"], view=blocks_of_drill)
    def run(incident: Annotated[str | None, typer.Argument(help="Which one.")] = None) -> Drill:
        \"\"\"Take an incident from telemetry to an explanation.\"\"\"
        return drill(incident, configuration().section("drill", Settings), progress())

The command returns its result: a frozen dataclass, a list of them, an iterator as a stream, or
None. The frame shows it and ends with its `exit_status`, 0 where it has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast, get_args

import typer
from typer._click.exceptions import UsageError as TyperUsageError
from typer._coercion import TypeDescriptor, build_runtime_param, resolve_type_descriptor
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.main import get_command_from_info, get_command_name, get_group_from_info
from typer.models import OptionInfo

from x0tta_cli.core.errors import ExitStatus, NotPermittedError, UsageError
from x0tta_cli.terminal import streams, usage
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
    View,
)
from x0tta_cli.terminal.help import HELP_OF_HELP, help_of
from x0tta_cli.terminal.options import (
    CHANGING_OPTIONS,
    SHARED_OPTIONS,
    Kind,
    Listed,
    SharedOption,
    Words,
    count_leading,
    first_session,
    merged,
)
from x0tta_cli.terminal.session import (
    Session,
    configuration,
    confirm,
    progress,
    running,
    session,
)

__all__ = [
    "App",
    "Block",
    "Cell",
    "Column",
    "Facts",
    "Heading",
    "Kind",
    "Listed",
    "Session",
    "Table",
    "Text",
    "Tone",
    "Verbatim",
    "View",
    "Words",
    "configuration",
    "confirm",
    "progress",
    "session",
]

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Traits:
    """What the frame knows about a command beside its parameters."""

    examples: tuple[str, ...]
    view: View | None = None
    changes_world: bool = False
    is_safe: bool = False
    takes_bytes: bool = False


class App(typer.Typer):
    """A group of commands, or with `single=True` one command that goes by the group's name.

    `default` names the command that the group runs where the line names none. A group of many
    names in `commands` the module that each command, or group of them, is in: it is loaded when
    that one is asked for.
    """

    def __init__(
        self,
        help: str,  # noqa: A002 - Typer's own name for it
        *,
        default: str | None = None,
        single: bool = False,
        commands: Mapping[str, str] | None = None,
        cls: type[TyperGroup] | None = None,
    ) -> None:
        self.single = single
        deferred = Deferred(self, commands) if commands else None
        super().__init__(
            cls=cls or type("Group", (Group,), {"default": default, "deferred": deferred}),
            help=help,
            rich_markup_mode=None,
            add_completion=False,
            pretty_exceptions_enable=False,
            context_settings={"help_option_names": ["-h", "--help"]},
        )

    def command(  # type: ignore[override]
        self,
        name: str | None = None,
        *,
        examples: Sequence[str],
        view: View | None = None,
        changes_world: bool = False,
        is_safe: bool = False,
        takes_bytes: bool = False,
    ) -> Callable[[Function], Function]:
        """Register a function as a command.

        `examples` are shell lines, each with an optional comment after `  # `; `view` lays the
        result out for `-o table` and `wide`; `changes_world` adds --dry-run, --exit-code and
        --yes, and makes --read-only refuse the command. `is_safe` is one in the safe direction
        (detach, resolve): it goes on whatever the flags say. `takes_bytes` is one that
        makes texts by itself of arguments that are no UTF-8, and must not be lost for them.
        """
        traits = Traits(tuple(examples), view, changes_world, is_safe, takes_bytes)
        cls = cast("type[TyperCommand]", partial(Command, traits=traits))
        return super().command(name, cls=cls)


class Frame:
    """Takes the shared options off whatever line they stand on; contexts hand them down merged."""

    extra_options: tuple[SharedOption, ...] = ()

    def __init__(self, *args: Any, params: list[Any] | None = None, **kwargs: Any) -> None:
        self.own_params = list(params or [])
        self.added = [*map(_typer_option, (*self.extra_options, *SHARED_OPTIONS))]
        params = [*self.own_params, *self.added]
        super().__init__(*args, params=params, **kwargs)  # type: ignore[call-arg]
        for parameter in self.own_params:
            parameter._runtime_param = LazyCoercion(parameter.type_descriptor)

    def get_help_option(self, ctx: Any) -> Any:
        """Show help through our own streams, and without a type adapter for its flag."""
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option._runtime_param = LazyCoercion(option.type_descriptor)
            option.callback = _show_help
            option.help = HELP_OF_HELP
        return option

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse one line; its shared options end up in `ctx.obj`, its mistakes in our errors."""
        try:
            rest: list[str] = super().parse_args(ctx, args)  # type: ignore[misc]
        except TyperUsageError as error:
            raise usage.translated(error, error.ctx or ctx) from None
        given = {option.name: ctx.params.pop(option.name, None) for option in self.added}
        ctx.obj = merged(ctx.obj or first_session(), given)
        return rest

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write help in one form for all commands."""
        formatter.write(help_of(ctx))


class Command(Frame, TyperCommand):
    """Runs a function, shows what it returns, and gives back its exit status."""

    allow_extra_args = True

    def __init__(self, *args: Any, traits: Traits, **kwargs: Any) -> None:
        self.traits = traits
        self.extra_options = CHANGING_OPTIONS if traits.changes_world else ()
        super().__init__(*args, **kwargs)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the command's line; nothing may be left over."""
        rest = super().parse_args(ctx, args)
        if rest:
            raise usage.unexpected_argument(rest, ctx.command_path)
        return rest

    def invoke(self, ctx: Any) -> int:
        """Run the command under its session, within --timeout."""
        from x0tta_cli.terminal import output, signals
        from x0tta_cli.terminal.switches import refuse_switched_off

        current: Session = ctx.obj
        self._check(current, ctx.command_path)
        output.check_fields(current.fields, self.callback)
        _prepare_logging(current)
        with running(current) as end_progress, signals.deadline(current.timeout_s):
            refuse_switched_off(ctx.command_path, configuration(), is_safe=self.traits.is_safe)
            result = super().invoke(ctx)
            end_progress()
            signals.raise_arrived()
            output.show(result, current, self.traits.view)
        if current.exit_code and getattr(result, "would_change", False):
            return ExitStatus.NO
        return int(getattr(result, "exit_status", ExitStatus.DONE))

    def _check(self, current: Session, path: str) -> None:
        if self.traits.changes_world and current.read_only and not current.dry_run:
            raise NotPermittedError(
                "run.read_only",
                f"{path} changes something, and x0tta is read-only here.",
                reason="--read-only was given, or X0TTA_READ_ONLY is set.",
                fix="See what it would do with --dry-run.",
            )
        if current.exit_code and not current.dry_run:
            raise UsageError(
                "usage.option_needs",
                "--exit-code says something about a plan alone.",
                fix="Add --dry-run.",
            )


class Group(Frame, TyperGroup):
    """A group of commands, one of which, the `default`, may go without being named."""

    default: ClassVar[str | None] = None
    deferred: ClassVar[Deferred | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.deferred is not None:
            self.commands = self.deferred

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Name the commands; loads none."""
        return list(self.commands)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the group's line, after putting in the default command where none is named."""
        if self.default and not ctx.resilient_parsing:
            following = next(iter(args[count_leading(args) :]), None)
            if following not in {*ctx.help_option_names, *self.commands}:
                usage.refuse_typing_error(following, list(self.commands), ctx.command_path)
                args = [self.default, *args]
        elif not args and not ctx.resilient_parsing:
            streams.write_error(ctx.get_help() + "\n")
            raise typer.Exit(ExitStatus.USAGE)
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that a line names; UsageError `usage.unknown_command`."""
        command = self.get_command(ctx, args[0])
        if command is None:
            raise usage.unknown_command(args[0], self.list_commands(ctx), ctx.command_path)
        return args[0], command, args[1:]

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the line names."""
        if not ctx._protected_args:
            raise usage.missing_command(self.list_commands(ctx), ctx.command_path)
        return super().invoke(ctx)


class Deferred(MutableMapping[str, Any]):
    """The parsers of an app's commands by name, in the order of its table, made when asked for."""

    def __init__(self, app: App, modules: Mapping[str, str]) -> None:
        self._app = app
        self.modules = dict(modules)
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            import_module(self.modules[name])
            self._made[name] = self._make(name)
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self.modules[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.modules)

    def __len__(self) -> int:
        return len(self.modules)

    def _make(self, name: str) -> Any:
        """Make one command as Typer does for all of a group."""
        form: dict[str, Any] = {"pretty_exceptions_short": False, "rich_markup_mode": None}
        for group in self._app.registered_groups:
            if group.name == name:
                return get_group_from_info(group, suggest_commands=False, **form)
        for command in self._app.registered_commands:
            function = command.callback
            if function and name == (command.name or get_command_name(function.__name__)):
                return get_command_from_info(command, **form)
        raise LookupError(f"{self.modules[name]} has no command {name}")


class LazyCoercion:
    """Coerces with pydantic only what needs it: not what is absent, nor text to text.

    Stands where Typer 0.29 keeps its own coercion, which imports pydantic for every parameter, also
    for those that were not given, and so doubles the time of a --help.
    """

    def __init__(self, descriptor: TypeDescriptor) -> None:
        self._descriptor = descriptor

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Turn what a command line gave into the annotated type; raises as Typer does."""
        annotation, info = self._descriptor.annotation, self._descriptor.parameter_info
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if not (_is_of_files(annotation) or ctx.command.traits.takes_bytes):
            usage.refuse_bytes(value, param, ctx.command_path)
        if isinstance(annotation, type) and isinstance(value, annotation) and not info.parser:
            return value
        if annotation == list[str] and isinstance(value, tuple) and not info.parser:
            return list(value)
        return build_runtime_param(self._descriptor).coerce(value, param=param, ctx=ctx)


def _is_of_files(annotation: Any) -> bool:
    """Whether a parameter takes files, whose names are bytes on Linux, and need not be text."""
    return annotation is Path or any(map(_is_of_files, get_args(annotation)))


class FrameOption(TyperOption):
    """A shared option: converts its own value, so that pydantic stays out."""

    def __init__(self, option: SharedOption) -> None:
        is_flag = option.metavar is None
        super().__init__(
            param_decls=[option.name, *option.flags],
            type_descriptor=resolve_type_descriptor(bool if is_flag else str, OptionInfo()),
            is_flag=is_flag,
            metavar=option.metavar,
            help=option.help,
        )
        self.shared = option
        self._convert = option.convert

    def process_value(self, ctx: Any, value: Any) -> Any:  # noqa: ARG002
        """Convert a value that was given; UsageError `usage.*`."""
        return self._convert(value) if isinstance(value, str) else value


@cache
def _typer_option(option: SharedOption) -> FrameOption:
    return FrameOption(option)


def _show_help(ctx: Any, _param: Any, value: Any) -> None:
    if value and not ctx.resilient_parsing:
        streams.write(ctx.get_help() + "\n")
        raise typer.Exit


def _prepare_logging(current: Session) -> None:
    """Send logs to stderr, and Python's warnings of libraries nowhere unless --debug asks."""
    import logging
    import sys
    import warnings

    from x0tta_cli.core import log

    level = logging.ERROR if current.quiet else logging.WARNING
    if current.verbose:
        level = logging.INFO
    if current.debug:
        level = logging.DEBUG
    elif not sys.warnoptions:
        warnings.simplefilter("ignore")
    if sys.stderr is not None:
        log.configure(sys.stderr, "json" if current.for_programs else "logfmt", level)
