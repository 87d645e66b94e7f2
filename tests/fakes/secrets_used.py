"""Every secret that tests use can be told from all other text, so that one scan finds any of them.

Conventions, for all tests:

- A secret begins with `hunter` and a digit. Take `TOKEN`, `PASSWORD` or `API_KEY`, or where there
  are several, `canary("telegram")`; a short one may be written out (`hunter3`).
- At the end of a session every file that the run left in its temporary folders, and all that
  commands wrote (`heard`), is scanned for such secrets in the forms in which they travel: plain,
  base64, packed. A hit fails the run and names the place.
- A test has to put a secret somewhere before x0tta can keep it to itself: `plant(path, text)`
  writes such a file, and leaves it out of the scan for as long as it stays as it is. What x0tta
  writes is never planted.
- A test that runs commands by itself calls `heard(what, text)` with what they wrote. The fixtures
  of `tests/cli/conftest.py` do so.
- Of several workers (`-n 2`) each scans its own folders.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

MARK = "hunter"
# Text within base64 looks different at each of the three places at which it can begin; cut to the
# characters that depend on it alone.
_ENCODED = (
    b64encode(MARK.encode()),
    b64encode(b"\0" + MARK.encode())[2:-1].rstrip(b"=")[:-1],
    b64encode(b"\0\0" + MARK.encode())[3:].rstrip(b"=")[:-1],
)
_PATTERN = re.compile(
    b"|".join([MARK.encode() + rb"[0-9][A-Za-z0-9-]*", *map(re.escape, _ENCODED)])
)
_UNPACK = {b"\x1f\x8b": gzip.decompress, b"\xfd7": lzma.decompress, b"BZ": bz2.decompress}

_planted: dict[Path, bytes] = {}
_heard: list[str] = []


def canary(name: str) -> str:
    """Make the secret of a name, the same each time."""
    return f"{MARK}2-{name}-0123456789abcdef"


TOKEN = canary("token")
PASSWORD = canary("password")
API_KEY = canary("api-key")


def plant(path: Path, text: str, mode: int = 0o600) -> Path:
    """Write a file of input that holds secrets, which the scan leaves out while it stays so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    planted(path)
    return path


def planted(*paths: Path) -> None:
    """Leave files of input out of the scan for as long as they stay as they are."""
    _planted.update((path.absolute(), path.read_bytes()) for path in paths)


def heard(what: str, text: str | bytes | None) -> None:
    """Scan what a command wrote; a secret in it fails the session."""
    content = text.encode(errors="surrogateescape") if isinstance(text, str) else text or b""
    _heard.extend(f"{what}: {secret}" for secret in secrets_in(content))


def leaks(root: Path) -> list[str]:
    """Tell all secrets that were heard, or are in a file below a folder."""
    return [*_heard, *leaks_in(root)]


def leaks_in(root: Path) -> Iterator[str]:
    """Scan all files below a folder, packed ones too; a line for each that holds a secret."""
    for path in sorted(root.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        if _planted.get(path.absolute()) == content:
            continue
        for part in (content, _unpacked(content)):
            yield from (f"{path}: {secret}" for secret in secrets_in(part))


def secrets_in(content: bytes) -> list[str]:
    """Name the secrets that a text holds, each once."""
    return sorted({found.group().decode() for found in _PATTERN.finditer(content)})


def _unpacked(content: bytes) -> bytes:
    unpack = _UNPACK.get(content[:2])
    if unpack is None:
        return b""
    try:
        return unpack(content)
    except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error):
        # Damaged on purpose: nobody can read in it.
        return b""
