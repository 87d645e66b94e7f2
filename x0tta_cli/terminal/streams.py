"""Standard input, output and error, made safe to use whatever they are connected to."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from typing import TextIO

from x0tta_cli.core.errors import UnavailableError

ASCII_FOR = str.maketrans(
    {
        "–": "-",
        "—": "-",
        "−": "-",
        "…": "...",
        "·": "*",
        "×": "x",
        "→": "->",
        "≤": "<=",
        "≥": ">=",
        "±": "+-",
        "✓": "+",
        "✗": "x",
        "“": '"',
        "”": '"',
        "’": "'",
    }
)


class OutputClosedError(Exception):
    """Whoever read standard output has gone, as `head` does: no error of anyone's."""


def prepare() -> None:
    """Open what is closed, and let no character fail to be written.

    A closed descriptor would be given to the next file that is opened, and prints into it.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    codecs.register_error("x0tta", _replace)
    if isinstance(getattr(sys.stdout, "buffer", None), io.FileIO):
        # PYTHONUNBUFFERED: Python would drop the rest of a short write without a word.
        raw, encoding = sys.stdout.buffer, sys.stdout.encoding
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(raw), encoding)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="x0tta")


def write(text: str, *, flush: bool = False) -> None:
    """Write to standard output.

    Raises OutputClosedError where nobody reads, and UnavailableError `output.disk_full` or
    `output.not_writable` (7).
    """
    try:
        _standard_output().write(text)
        if flush:
            _standard_output().flush()
    except BrokenPipeError:
        _abandon(sys.stdout)
        raise OutputClosedError from None
    except OSError as error:
        _abandon(sys.stdout)
        raise _not_written(error) from error


def flush() -> None:
    """Write out what is buffered; errors as in `write`."""
    write("", flush=True)


def write_error(text: str) -> None:
    """Write to standard error; where that fails there is nobody left to tell."""
    try:
        if sys.stderr is not None:
            sys.stderr.write(text)
            sys.stderr.flush()
    except OSError:
        _abandon(sys.stderr)


def is_utf8() -> bool:
    """Whether standard output takes every character."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    return codecs.lookup(encoding).name == "utf-8"


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person may be looking at this stream."""
    return stream is not None and not stream.closed and stream.isatty()


def has_colors(stream: TextIO | None, *, no_color: bool) -> bool:
    """Whether to colour: a terminal that can, and nobody against it (https://no-color.org)."""
    if no_color or os.environ.get("NO_COLOR"):
        return False
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def width_of(stream: TextIO | None) -> int | None:
    """Columns of the terminal behind a stream; None where there is none and lines have no end."""
    if stream is None or not is_terminal(stream):
        return None
    try:
        return int(os.environ["COLUMNS"])
    except (KeyError, ValueError):
        pass
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80


def _standard_output() -> TextIO:
    if sys.stdout is None:
        # It was closed before we started.
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return sys.stdout


def _abandon(stream: TextIO | None) -> None:
    """Send what is still buffered nowhere, so that Python's exit can't fail on it."""
    if stream is None:
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _not_written(error: OSError) -> UnavailableError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return UnavailableError(
            "output.disk_full",
            "The result could not be written: the disk is full.",
            reason="Standard output goes to a file on a disk with no space left.",
            fix="Free some space there, or send the output elsewhere.",
            retryable=True,
        )
    return UnavailableError(
        "output.not_writable",
        "The result could not be written to standard output.",
        reason=error.strerror or str(error),
        fix="See where standard output goes: a closed descriptor or a failing disk.",
    )


def _replace(error: UnicodeError) -> tuple[str | bytes, int]:
    """Write what an encoding lacks in ASCII: the nearest sign, or an escape that loses nothing."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    known = missing.translate(ASCII_FOR)
    if known.isascii():
        return known, error.end
    return codecs.backslashreplace_errors(error)
