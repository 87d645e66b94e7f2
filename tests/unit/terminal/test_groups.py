"""The table of groups against the groups themselves."""

from __future__ import annotations

from importlib import import_module

import pytest

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
