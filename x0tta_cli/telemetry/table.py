"""Rows of a CSV file, plain or .xz, read in bounds, with the line each row stands on."""

from __future__ import annotations

import csv
import lzma
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from x0tta_cli.core import files
from x0tta_cli.core.errors import UsageError

# A day of one-second samples of 300 series is about 400 MB of text: more than that is a mistake,
# or an archive that was made to fill a memory.
MAX_BYTES = 512 * 1024 * 1024
MAX_LINE_BYTES = 16 * 1024 * 1024


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield (1-based line, cells) of each row; UTF-8, comma-separated (RFC 4180).

    Rows of empty cells alone hold nothing and are passed over. A quoted cell may span lines: its
    row bears the number of the last one. Raises UsageError `telemetry.empty_file`,
    `telemetry.not_text`, `telemetry.not_csv`, `telemetry.corrupt_archive`, `telemetry.too_large`,
    `telemetry.not_a_file`, and what `core.files.reading_errors` raises.
    """
    rows = csv.reader(_lines(path), strict=True)
    empty = True
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise UsageError(
                "telemetry.not_csv",
                f"{path}, line {rows.line_num}: not comma-separated values.",
                reason=f"{str(error).capitalize()}.",
                fix="Write the file with commas, and double quotes around cells that hold one.",
                context={"file": str(path), "line": rows.line_num},
            ) from None
        if row is None:
            break
        if any(cell.strip() for cell in row):
            empty = False
            yield rows.line_num, row
    if empty:
        raise UsageError(
            "telemetry.empty_file",
            f"{path}: the file is empty.",
            fix="Record it again; a recording without samples still has its header rows.",
            context={"file": str(path)},
        )


def _lines(path: Path) -> Iterator[str]:
    size = 0
    with files.reading_errors(path), _open(path) as stream:
        for number, line in enumerate(_raw_lines(stream, path), start=1):
            size += len(line)
            if size > MAX_BYTES or len(line) > MAX_LINE_BYTES:
                raise _too_large(path, number)
            yield _decoded(line, path, number)


def _open(path: Path) -> BinaryIO | lzma.LZMAFile:
    status = path.stat()
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise UsageError(
            "telemetry.not_a_file",
            f"{path}: a pipe, socket or device, not a file.",
            reason="Reading it may never end.",
            fix="Copy what it gives into a file.",
            context={"file": str(path)},
        )
    # The name decides, as it does for whoever looks at the folder.
    return lzma.LZMAFile(path) if path.suffix == ".xz" else path.open("rb")


def _raw_lines(stream: BinaryIO | lzma.LZMAFile, path: Path) -> Iterator[bytes]:
    try:
        while line := stream.readline(MAX_LINE_BYTES + 1):
            yield line
    except (lzma.LZMAError, EOFError) as error:
        raise UsageError(
            "telemetry.corrupt_archive",
            f"{path}: the archive is damaged or cut off.",
            reason=f"{error}.",
            fix=f"Copy it again; `xz --test {path}` checks it.",
            context={"file": str(path)},
        ) from None


def _decoded(line: bytes, path: Path, number: int) -> str:
    reason = "It holds a zero byte, as text never does."
    if b"\0" not in line:
        try:
            return line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            reason = f"Byte {error.start + 1} of the line is not UTF-8."
    raise UsageError(
        "telemetry.not_text",
        f"{path}, line {number}: not text in UTF-8.",
        reason=reason,
        fix="Save it as CSV in UTF-8 (compressed only as .csv.xz).",
        context={"file": str(path), "line": number},
    )


def _too_large(path: Path, number: int) -> UsageError:
    return UsageError(
        "telemetry.too_large",
        f"{path}, line {number}: more than can be read.",
        reason=f"A file may hold {MAX_BYTES >> 20} MiB of text, a line {MAX_LINE_BYTES >> 20} MiB.",
        fix="Record fewer series, a longer step or a shorter time.",
        context={"file": str(path), "line": number},
    )
