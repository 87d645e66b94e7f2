"""What completion offers where an ebpf command takes a value; imports next to nothing."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from x0tta_cli.core.completion import Line


def interfaces(_line: Line) -> list[str]:
    """Name the interfaces of the shell's own network namespace."""
    return _names_in("/sys/class/net")


def namespaces(_line: Line) -> list[str]:
    """Name the namespaces that `ip netns` knows."""
    return _names_in("/run/netns")


def program_names() -> list[str]:
    """Name the programs that come along, for the scripts of completion."""
    from x0tta_cli.ebpf.programs import SHIPPED

    return [program.name for program in SHIPPED]


def _names_in(folder: str) -> list[str]:
    """List a folder; nothing where it doesn't exist, as where no namespace was ever made."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries)
    except OSError:
        return []
