"""Files that are written whole or not at all, and the words for what goes wrong with files."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from x0tta_cli.core.errors import (
    NotFoundError,
    NotPermittedError,
    OperatorError,
    UnavailableError,
    UsageError,
)

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
NOT_PERMITTED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP})


def write_atomically(path: Path, data: bytes | str, *, mode: int | None = None) -> None:
    """Replace a file by new content; at every instant it is the old one or the new one, whole.

    Written under a temporary name in the same folder, flushed to the disk, renamed; a text in
    UTF-8. `mode` is given to a new file (0o666 less the umask where None); an existing one keeps
    its own. A symbolic link is followed. A device or pipe cannot be replaced and is written to.

    Raises `files.no_such_folder` (4), `files.is_a_folder` (2), `files.not_writable` (6),
    `files.disk_full` (7) and `files.write_failed` (7).
    """
    content = data.encode() if isinstance(data, str) else data
    with _writing_errors(path):
        kept_mode = mode
        if path.exists():
            existing = path.stat().st_mode
            if stat.S_ISDIR(existing):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            if not stat.S_ISREG(existing):
                path.write_bytes(content)
                return
            kept_mode = stat.S_IMODE(existing)
        _replace(Path(os.path.realpath(path)), content, kept_mode)


def absolute(path: Path) -> Path:
    """Say where a path leads from the current folder.

    Raises `files.not_found` (4) where that folder has been removed meanwhile.
    """
    try:
        return path.absolute()
    except FileNotFoundError as error:
        raise NotFoundError(
            "files.not_found",
            "The current folder does not exist any more.",
            reason=f"It was removed meanwhile, and {path} is relative to it.",
            fix="cd into a folder that exists, or give the whole path.",
            context={"file": str(path)},
        ) from error


def make_folder(path: Path) -> None:
    """Create a folder and those above it where they are missing.

    Raises `files.not_writable` (6), `files.disk_full` (7) and `files.no_such_folder` (4); a file
    in the folder's place is left to whoever writes into it.
    """
    with _writing_errors(path), suppress(FileExistsError):
        path.mkdir(parents=True, exist_ok=True)


def check_writable(path: Path) -> None:
    """Find out before long work whether its result could be written; leaves nothing behind.

    Raises as `write_atomically`, except that a disk may still fill up until then.
    """
    with _writing_errors(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not path.exists() or path.is_file():
            target = Path(os.path.realpath(path))
            temporary = target.with_name(_temporary_name())
            try:
                os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC))
            finally:
                temporary.unlink(missing_ok=True)


@contextmanager
def reading_errors(path: Path) -> Iterator[None]:
    """Turn the OSErrors of reading `path` inside the block into errors for operators.

    Raises `files.not_found` (4), `files.not_readable` (6), `files.is_a_folder` (2) and
    `files.read_failed` (7).
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:
            # Not the system's word but a decoder's, such as gzip.BadGzipFile.
            raise
        raise _reading_error(path, error) from error


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk, so that a rename in it outlasts a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Some network file systems flush by themselves and refuse to be asked.
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _temporary_name() -> str:
    return f".x0tta-{os.urandom(8).hex()}.tmp"


def _replace(path: Path, content: bytes, mode: int | None) -> None:
    # The name stands before the file does, so that an interrupt at any point can remove it.
    temporary = path.with_name(_temporary_name())
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, 0o666 if mode is None else mode), "wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


@contextmanager
def _writing_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _writing_error(path, error) from error


def _writing_error(path: Path, error: OSError) -> OperatorError:
    reason, context = f"{os.strerror(error.errno or errno.EIO)}.", {"file": str(path)}
    if error.errno in DISK_FULL:
        return UnavailableError(
            "files.disk_full",
            f"{path} could not be written: there is no room for it.",
            reason=reason,
            fix="Make room, or write to another disk.",
            retryable=True,
            context=context,
        )
    if error.errno in NOT_PERMITTED:
        return NotPermittedError(
            "files.not_writable",
            f"{path} may not be written.",
            reason=reason,
            fix=f"Write to a folder of your own, or see ls -ld {path.parent}.",
            context=context,
        )
    if error.errno in NOT_THERE:
        return NotFoundError(
            "files.no_such_folder",
            f"{path} can't be written: there is no such folder.",
            reason=reason,
            fix=f"mkdir -p {path.parent}",
            context=context,
        )
    if error.errno == errno.EISDIR:
        return _is_a_folder(path)
    return UnavailableError(
        "files.write_failed", f"{path} could not be written.", reason=reason, context=context
    )


def _reading_error(path: Path, error: OSError) -> OperatorError:
    reason, context = f"{os.strerror(error.errno or errno.EIO)}.", {"file": str(path)}
    if error.errno in NOT_THERE:
        return NotFoundError(
            "files.not_found",
            f"{path} does not exist.",
            reason=reason,
            fix=f"Compare the name with ls {path.parent}.",
            context=context,
        )
    if error.errno in NOT_PERMITTED:
        return NotPermittedError(
            "files.not_readable",
            f"{path} may not be read.",
            reason=reason,
            fix=f"See ls -l {path}; run as a user who may read it.",
            context=context,
        )
    if error.errno == errno.EISDIR:
        return _is_a_folder(path)
    return UnavailableError(
        "files.read_failed", f"{path} could not be read.", reason=reason, context=context
    )


def _is_a_folder(path: Path) -> UsageError:
    return UsageError(
        "files.is_a_folder",
        f"{path} is a folder, not a file.",
        fix="Name a file in it.",
        context={"file": str(path)},
    )
