"""What completion offers where a drill takes a value."""

from __future__ import annotations

from x0tta_cli.telemetry import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from x0tta_cli.core.completion import Line


def incidents(line: Line) -> list[str]:
    """Name the incidents of --data, of the configured folder, or of those that come with x0tta."""
    return names.incidents(line.path("--data", "drill", "data") or names.PACKAGED)
