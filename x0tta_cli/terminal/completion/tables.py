"""What the three scripts have in common: how a table of the command tree tells of values.

Each script is a table of commands, then the same few steps in the shell's own language: walk over
the words before the cursor to the command that they lead to, and offer what may come next. A value
is told of by one word:

    file, folder        of the system, completed by the shell itself
    words:a b c         all values that there are
    kind:incident       asked of `x0tta __complete`
    text                anything
"""

from __future__ import annotations

from x0tta_cli.terminal.options import Kind
from x0tta_cli.terminal.tree import FILES, FOLDERS, Command, Parameter

GENERATED = "Generated from the command tree by scripts/completions: edits are lost."


def told(parameter: Parameter) -> str:
    """Tell where the values of a parameter are found; empty for a flag, which takes none."""
    values = parameter.values
    if not parameter.takes_value:
        return ""
    if values is None:
        return "text"
    if values in {FILES, FOLDERS}:
        return str(values)
    return f"kind:{values}" if isinstance(values, Kind) else f"words:{' '.join(values)}"


def told_in_order(command: Command) -> list[str]:
    """Tell of a command's arguments; the last that may be repeated begins with an asterisk."""
    return [("*" if argument.repeats else "") + told(argument) for argument in command.arguments]


def shell_path(command: Command) -> str:
    """Name a command as the tables do: `x0tta drill run`."""
    return " ".join(command.path)
