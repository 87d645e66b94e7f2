"""Where x0tta keeps what it can't read back from the world."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from x0tta_cli.core.errors import (
    ConfigurationError,
    NotPermittedError,
    OperatorError,
    UnavailableError,
)
from x0tta_cli.core.files import DISK_FULL, NOT_PERMITTED

VARIABLE = "X0TTA_STATE_DIR"
SYSTEM_FOLDER = Path("/var/lib/x0tta")


def folder() -> Path:
    """Tell where the state folder is, whether it exists or not; creates nothing.

    X0TTA_STATE_DIR, for root /var/lib/x0tta, for others the user's state folder (XDG base
    directories). Raises ConfigurationError `state.not_absolute`.
    """
    given = os.environ.get(VARIABLE)
    if given:
        return _absolute(Path(given), f"{VARIABLE} is '{given}'")
    if os.geteuid() == 0:
        return SYSTEM_FOLDER
    from platformdirs import user_state_path

    try:
        path = user_state_path("x0tta")
    except RuntimeError:
        # Without HOME and without an entry in the user database; older releases give '~/...'.
        path = Path("~")
    return _absolute(path, "The user has no home folder")


def ensure() -> Path:
    """Create the state folder with mode 0700 where it is missing; a folder that exists stays.

    Raises NotPermittedError `state.not_writable` and UnavailableError `state.disk_full`.
    """
    path = folder()
    with writing_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
    if not os.access(path, os.W_OK | os.X_OK, effective_ids=True):
        raise not_writable(path, "Its rights, or those of its file system, do not allow it.")
    return path


@contextmanager
def writing_errors(path: Path) -> Iterator[None]:
    """Turn the OSErrors of writing below the state folder into errors for operators.

    Raises `state.not_writable` (6), `state.disk_full` (7) and `state.write_failed` (7).
    """
    try:
        yield
    except (FileExistsError, NotADirectoryError) as error:
        raise not_writable(path, "A file stands where a folder should.") from error
    except OSError as error:
        raise _writing_error(path, error) from error


def not_writable(path: Path, reason: str) -> NotPermittedError:
    """Word that x0tta may not keep its state at `path`."""
    return NotPermittedError(
        "state.not_writable",
        f"x0tta may not write to {path}.",
        reason=reason,
        fix=f"Run as its owner, or set {VARIABLE} to a folder of your own.",
        context={"file": str(path)},
    )


def disk_full(path: Path, reason: str) -> UnavailableError:
    """Word that there is no room for x0tta's state at `path`."""
    return UnavailableError(
        "state.disk_full",
        f"There is no room for {path}.",
        reason=reason,
        fix=f"Make room (df -h {path.parent}), or set {VARIABLE} to a folder on another disk.",
        retryable=True,
        context={"file": str(path)},
    )


def write_failed(path: Path, reason: str) -> UnavailableError:
    """Word that the disk under x0tta's state fails."""
    return UnavailableError(
        "state.write_failed",
        f"{path} could not be written.",
        reason=reason,
        fix="See dmesg and the state of the disk.",
        context={"file": str(path)},
    )


def _writing_error(path: Path, error: OSError) -> OperatorError:
    reason = f"{error.strerror or error}."
    if error.errno in DISK_FULL:
        return disk_full(path, reason)
    if error.errno in NOT_PERMITTED:
        return not_writable(path, reason)
    return write_failed(path, reason)


def _absolute(path: Path, what: str) -> Path:
    # A relative folder would be another one in every folder that x0tta is called in.
    if not path.is_absolute():
        raise ConfigurationError(
            "state.not_absolute",
            "x0tta does not know where to keep its state.",
            reason=f"{what}; the folder has to be absolute.",
            fix=f"export {VARIABLE}=/a/folder/of/your/own",
        )
    return path
