"""The options that the commands of the group share or have many of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from x0tta_cli.terminal.command import Kind, Listed, Words

MODES = ("auto", "hw", "native", "generic")
STRENGTHS = MODES[1:]

Interfaces = Annotated[
    list[str],
    typer.Argument(metavar="INTERFACE", help="Interfaces, as ip link names them."),
    Kind("interface"),
]
Netns = Annotated[
    str | None,
    typer.Option("--netns", metavar="NAME", help="In this network namespace, entered by setns."),
    Kind("netns"),
]
Program = Annotated[
    str,
    typer.Option(
        "--program",
        metavar="NAME|FILE",
        help="A program that comes with x0tta, or an object (.o) or source (.c).",
    ),
    Listed("x0tta_cli.ebpf.values:program_names"),
]
ModeName = Annotated[
    str,
    typer.Option("--mode", metavar="MODE", help=f"{', '.join(MODES)}; auto falls back."),
    Words(MODES),
]
AtLeast = Annotated[
    str | None,
    typer.Option("--at-least", metavar="MODE", help="Rather nothing than a weaker mode."),
    Words(STRENGTHS),
]
Replace = Annotated[
    int | None,
    typer.Option("--replace", metavar="ID", help="Swap this program in place, no other."),
]
Lasts = Annotated[
    str | None,
    typer.Option("--for", metavar="DURATION", help="Take it off again after, say, 10m."),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--param", metavar="NAME=VALUE", help="A parameter of the program."),
]
Keep = Annotated[
    list[str] | None,
    typer.Option("--keep", metavar="HOST", help="Never drop this host, and check on it."),
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Spare nobody: neither ARP, NDP nor the hosts of --keep."),
]
Follow = Annotated[
    bool,
    typer.Option("--follow", help="Stay, and attach again when an interface comes back."),
]


def program_of(text: str) -> str | Path:
    """Tell the name of a shipped program from a file's."""
    if "/" in text or text.endswith((".o", ".c")):
        return Path(text).expanduser().absolute()
    return text


def pair_of(text: str) -> tuple[str, str]:
    """Split NAME=VALUE; UsageError `usage.bad_value`."""
    from x0tta_cli.core.errors import UsageError

    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(
            "usage.bad_value",
            f"'{text}' is no parameter.",
            fix="Give it as NAME=VALUE; x0tta ebpf programs lists the names.",
        )
    return name.strip(), value


def checked_mode(option: str, value: str | None, allowed: Sequence[str]) -> str | None:
    """Refuse a mode that there is not; UsageError `usage.bad_value`."""
    from x0tta_cli.core.errors import UsageError

    if value is None or value in allowed:
        return value
    raise UsageError(
        "usage.bad_value",
        f"There is no mode '{value}'.",
        reason=f"{option} takes {', '.join(allowed[:-1])} or {allowed[-1]}.",
    )
