"""The table of groups against the groups themselves."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest
from typer.main import get_command_name

from x0tta_cli.terminal.app import load
from x0tta_cli.terminal.groups import GROUPS


@pytest.mark.parametrize("group", GROUPS.values(), ids=lambda group: group.name)
def test_a_group_is_what_the_table_says(group):
    app = import_module(group.module).app
    assert app.info.help.partition("\n\n")[0] == group.help
    assert group.example.startswith(f"x0tta {group.name}")


@pytest.mark.parametrize("group", GROUPS.values(), ids=lambda group: group.name)
def test_what_the_table_names_exists(group):
    for reference in filter(None, (group.settings, group.probe)):
        module, _, attribute = reference.partition(":")
        assert hasattr(import_module(module), attribute)


@pytest.mark.parametrize("group", GROUPS.values(), ids=lambda group: group.name)
def test_every_command_has_help_and_an_example(group):
    for command in commands_of(load(import_module(group.module).app)):
        assert command.help
        assert command.traits.examples
        assert all(example.startswith("x0tta ") for example in command.traits.examples)


def commands_of(entry):
    """The commands of a group and of the groups within it, or a command that stands alone."""
    if not hasattr(entry, "commands"):
        return [entry]
    assert entry.help
    return [found for within in entry.commands.values() for found in commands_of(within)]


def deferring():
    """The apps that name their commands' modules."""
    apps = [import_module(group.module).app for group in GROUPS.values()]
    return [app for app in apps if getattr(app.info.cls, "deferred", None)]


@pytest.mark.parametrize("app", deferring(), ids=lambda app: app.info.help)
def test_a_table_of_commands_has_all_of_them_each_with_its_module(app):
    table = app.info.cls.deferred
    for module in {*table.modules.values()}:
        import_module(module)
    registered = {
        command.name or get_command_name(command.callback.__name__): command.callback.__module__
        for command in app.registered_commands
    }
    assert set(table) == {*registered, *(group.name for group in app.registered_groups)}
    for name, module in registered.items():
        assert table.modules[name] == module
    for name, command in table.items():
        assert command.name == name


@pytest.mark.slow
def test_a_command_loads_no_module_of_another():
    script = (
        "import sys\n"
        "from x0tta_cli.__main__ import main\n"
        "main()\n"
        "print(*sorted(n for n in sys.modules if '.cli.' in n), file=sys.stderr)"
    )
    for line, module in (
        (["ebpf", "programs", "--help"], "x0tta_cli.ebpf.cli.trying"),
        (["alert", "rules", "check", "--help"], "x0tta_cli.alert.cli.rules"),
        (["pay", "export", "--help"], "x0tta_cli.pay.cli.reporting"),
    ):
        ended = subprocess.run(
            [sys.executable, "-c", script, *line], capture_output=True, text=True, check=True
        )
        loaded = set(ended.stderr.split())
        assert module in loaded
        group = line[0]
        others = {*import_module(f"x0tta_cli.{group}.cli").app.info.cls.deferred.modules.values()}
        assert loaded & others == {module}
