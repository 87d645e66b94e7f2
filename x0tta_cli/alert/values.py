"""What completion offers where an alert command takes a value: read from the configuration."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from x0tta_cli.core.completion import Line


def channels(line: Line) -> list[str]:
    """Name the channels that are configured."""
    return line.names("alert", "channels")
