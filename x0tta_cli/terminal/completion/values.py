"""`x0tta __complete KIND PREFIX [WORD]...`: the values of one kind, a line each.

The scripts call it for what they can't know: a known word starts no Python. WORDs are those before
the one at the cursor. A line is a value, and behind a tab what it means, where there is more to
say. Nothing but values is ever written, since that would end up in a prompt: whatever goes wrong,
there are none, and the status is 0.

A capability adds a kind of its own to KINDS. Its function takes a `core.completion.Line` and gives
values, or pairs of a value and what it means; it should import next to nothing.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from x0tta_cli.core.completion import Line

KINDS = {
    "channel": "x0tta_cli.alert.values:channels",
    "incident": "x0tta_cli.drill.values:incidents",
    "interface": "x0tta_cli.ebpf.values:interfaces",
    "netns": "x0tta_cli.ebpf.values:namespaces",
    "operation": "x0tta_cli.terminal.completion.operations:operations",
    "order": "x0tta_cli.pay.values:orders",
    "profile": "x0tta_cli.terminal.completion.values:profiles",
    "unfinished_operation": "x0tta_cli.terminal.completion.operations:unfinished",
    "wallet": "x0tta_cli.pay.values:wallets",
}


def answer(arguments: Sequence[str]) -> int:
    """Write the values of a kind that begin with a prefix; the exit status, which is always 0."""
    try:
        kind, prefix, *words = arguments
        lines = "".join(f"{line}\n" for line in lines_of(kind, prefix, words))
        os.write(1, lines.encode())
    except BaseException:  # noqa: BLE001 - also Ctrl-C, and a shell that no longer reads
        # A word of it would stand in the prompt; the command itself says what is wrong.
        return 0
    return 0


def lines_of(kind: str, prefix: str, words: Sequence[str]) -> Iterator[str]:
    """Find the values of a kind that begin with `prefix` and can be shown and typed as they are."""
    from importlib import import_module

    from x0tta_cli.core.completion import Line

    module, _, function = KINDS[kind].partition(":")
    for value in getattr(import_module(module), function)(Line(words)):
        name, *meaning = (value,) if isinstance(value, str) else value
        # With a dash in front, a value would be taken for an option.
        if name.startswith(prefix) and (prefix or name[:1] != "-") and _is_plain(name):
            yield "\t".join([name, *meaning])


def profiles(line: Line) -> list[str]:
    """Name the profiles of the configuration."""
    return line.profiles()


def _is_plain(name: str) -> bool:
    """Say whether a name holds nothing that could move a cursor, or reorder what is read.

    An attacker may have chosen it, and a shell's list of candidates shows it raw.
    """
    if name.isprintable():
        return name != ""
    from x0tta_cli.core.text import escape

    return escape(name) == name
