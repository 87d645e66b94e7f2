"""A sign of life as a metric: `x0tta_heartbeat_timestamp_seconds{name="…"}`.

A rule fires when it is older than it may be, or comes no more. The time is Unix seconds, which no
time zone can shift; that of a clock which is ahead would look fresh for too long, and is told of.
"""

from __future__ import annotations

import logging
import math
import re
import time
from datetime import UTC, datetime
from pathlib import Path

from x0tta_cli.alert.results import Beat
from x0tta_cli.core.files import check_writable, reading_errors
from x0tta_cli.core.textfile import heartbeat, heartbeat_file

log = logging.getLogger(__name__)

AHEAD_S = 30.0
_WRITTEN = re.compile(r"^x0tta_heartbeat_timestamp_seconds\{[^}]*\} (\S+)$", re.MULTILINE)


def beat(name: str, folder: Path, interval_s: float | None, *, dry_run: bool) -> Beat:
    """Write the heartbeat's file, whole; `interval_s` is how often it is to come, where known.

    Raises UsageError `textfile.bad_name`, and as `files.write_atomically`.
    """
    now = time.time()
    file = heartbeat_file(folder, name)
    _compare_clocks(file, now)
    if dry_run:
        check_writable(file)
    else:
        values = {"timestamp_seconds": now}
        heartbeat(folder, name, values | ({"interval_seconds": interval_s} if interval_s else {}))
    return Beat(name, str(file), datetime.fromtimestamp(now, UTC), interval_s, dry_run)


def _compare_clocks(file: Path, now: float) -> None:
    """Warn where the last heartbeat is from a time to come: this clock, or that one, was wrong."""
    if not file.exists():
        return
    with reading_errors(file):
        found = _WRITTEN.search(file.read_text(encoding="utf-8", errors="replace"))
    try:
        before = float(found[1]) if found else now
    except ValueError:
        return
    if math.isfinite(before) and before - now > AHEAD_S:
        log.warning(
            "the last heartbeat is from a time to come: the clock was set back, or was ahead",
            extra={"ahead_s": round(before - now), "file": str(file)},
        )
