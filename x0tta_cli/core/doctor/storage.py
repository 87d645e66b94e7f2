"""The state folder: whose it is, how much room it has, and what stands unfinished in it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from x0tta_cli.core import state
from x0tta_cli.core.doctor.model import Check, Finding, Observed, Surroundings
from x0tta_cli.core.errors import ConfigurationError
from x0tta_cli.core.notices import Severity

MEBIBYTE = 1024 * 1024
SCARCE_BYTES = 256 * MEBIBYTE
TOO_LITTLE_BYTES = 16 * MEBIBYTE


def look_at_folder(_surroundings: Surroundings) -> Observed:
    """See whether x0tta can keep its state, and nobody else can read it; creates nothing."""
    folder = state.folder()
    if not os.path.exists(folder):  # noqa: PTH110 - no error where a folder may not be entered
        parent = existing_above(folder)
        may_create = os.access(parent, os.W_OK | os.X_OK, effective_ids=True)
        if may_create and parent.is_dir():
            return Observed(f"{folder}, made when needed")
        problem = state.not_writable(folder, f"{parent} does not let this user create it.")
        return Observed(findings=(Finding.from_error(problem, str(folder)),))
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
        problem = state.not_writable(folder, "It is no folder, or its rights do not allow it.")
        return Observed(findings=(Finding.from_error(problem, str(folder)),))
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Observed(str(folder), (_open(folder, mode),))
    return Observed(str(folder))


def look_at_space(_surroundings: Surroundings) -> Observed:
    """See how much room there is for the state."""
    try:
        folder = existing_above(state.folder())
    except ConfigurationError:
        return _elsewhere()
    disk = os.statvfs(folder)
    free_bytes = disk.f_bavail * disk.f_frsize
    findings = []
    if free_bytes < SCARCE_BYTES:
        findings.append(_little(folder, f"{free_bytes // MEBIBYTE} MiB are free", free_bytes))
    if disk.f_files and disk.f_favail < 100:
        findings.append(_little(folder, f"{disk.f_favail} inodes are free", 0))
    return Observed(f"{_amount(free_bytes)} free", tuple(findings))


def look_at_journal(_surroundings: Surroundings) -> Observed:
    """Read the journal, and find what was interrupted."""
    from x0tta_cli.core import journal

    try:
        unfinished = journal.operations(unfinished=True)
    except ConfigurationError as error:
        if error.code == "state.not_absolute":
            return _elsewhere()
        raise
    interrupted = [record for record in unfinished if record.state is journal.State.INTERRUPTED]
    return Observed(
        findings=tuple(
            Finding(
                "doctor.interrupted_operation",
                Severity.WARNING,
                record.id,
                f"An operation of the kind {record.kind} was interrupted.",
                f"x0tta ops resume {record.id}",
                "Its process was killed, or the machine went down, before it had come to its end.",
            )
            for record in interrupted
        )
    )


CHECKS = (
    Check("folder", look_at_folder),
    Check("space", look_at_space),
    Check("journal", look_at_journal),
)


def existing_above(path: Path) -> Path:
    """Find the deepest folder on the way to `path` that exists."""
    # Where a folder may not be entered, nobody can say what is in it: the path ends above it.
    while not os.path.exists(path) and path != path.parent:  # noqa: PTH110
        path = path.parent
    return path


def _elsewhere() -> Observed:
    """Leave it to the look at the folder to say that nobody knows where it should be."""
    return Observed(unknown="no folder to look at")


def _open(folder: Path, mode: int) -> Finding:
    return Finding(
        "doctor.state_open",
        Severity.WARNING,
        str(folder),
        f"Other users may look into {folder}.",
        f"chmod 700 {folder}",
        f"Its mode is {mode:04o}; x0tta makes it with 0700.",
    )


def _little(folder: Path, what: str, free_bytes: int) -> Finding:
    return Finding(
        "doctor.little_space",
        Severity.ERROR if free_bytes < TOO_LITTLE_BYTES else Severity.WARNING,
        str(folder),
        f"There is little room for the state: {what}.",
        f"df -h {folder}; df -i {folder}",
        "What changes the world is written down there first, and refused where there is no room.",
    )


def _amount(size_bytes: int) -> str:
    gibibytes = size_bytes / 1024**3
    return f"{gibibytes:.0f} GiB" if gibibytes >= 10 else f"{gibibytes:.1f} GiB"
