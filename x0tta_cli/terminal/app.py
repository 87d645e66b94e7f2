"""The root command: knows every group by name, loads the one that a command line enters."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from x0tta_cli.terminal.command import App, FrameOption, Group
from x0tta_cli.terminal.groups import GROUPS, SUMMARY
from x0tta_cli.terminal.options import ROOT_OPTIONS


class Unloaded(TyperGroup):
    """A group of which name and help are known, and no more."""


class Root(Group):
    """The table of groups as a command; listing and help load none of them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"params": [*map(FrameOption, ROOT_OPTIONS)]})
        for group in GROUPS.values():
            self.commands[group.name] = Unloaded(name=group.name, help=group.help)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the root's line; --version is answered here, in the form of -o."""
        rest = super().parse_args(ctx, args)
        if ctx.params.pop("version", False):
            from x0tta_cli.terminal.version import show_version

            show_version(ctx.obj)
            raise typer.Exit
        return rest

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Load the group that the line enters."""
        name = args[0]
        if isinstance(self.commands.get(name), Unloaded):
            self.commands[name] = load(import_module(GROUPS[name].module).app)
        return super().resolve_command(ctx, args)


def load(app: App) -> Any:
    """Make the parser of an app: a group's, also where it has one command, or a command's."""
    return get_command(app) if app.single else get_group(app)


def root() -> Any:
    """Make the parser of the whole command line."""
    return get_group(App(SUMMARY, cls=Root))


def run(arguments: Sequence[str]) -> int:
    """Run one command line; its exit status. Errors rise to the guard."""
    try:
        with root().make_context("x0tta", list(arguments)) as context:
            return int(context.command.invoke(context))
    except typer.Exit as ended:
        return ended.exit_code
