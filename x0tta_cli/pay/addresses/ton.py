"""TON addresses: a workchain and 32 bytes, written raw or user-friendly.

https://docs.ton.org/v3/documentation/smart-contracts/addresses (TEP-2): user-friendly is 36 bytes
in base64: a tag with the flags, the workchain, the hash, and a CRC-16.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import crc_hqx
from dataclasses import dataclass
from functools import lru_cache

BOUNCEABLE, NOT_BOUNCEABLE, TEST_ONLY = 0x11, 0x51, 0x80
_WORKCHAINS = frozenset({0, -1})
_RAW = re.compile(r"(0|-1):([0-9A-Fa-f]{64})")
_FRIENDLY = re.compile(r"[A-Za-z0-9+/_-]{48}")
# Both alphabets are in use, and mixed by some who replace one character by hand.
_TO_STANDARD = str.maketrans("-_", "+/")
_TO_URL_SAFE = str.maketrans("+/", "-_")


@dataclass(frozen=True, slots=True)
class TonAddress:
    """An address as it was written; `raw` is canonical, the flags are None where it was raw."""

    raw: str
    is_bounceable: bool | None
    is_test_only: bool | None


def read(text: str) -> TonAddress:
    """Read an address in any form; raises ValueError."""
    if ":" in text:
        return TonAddress(_from_raw(text), None, None)
    if not _FRIENDLY.fullmatch(text):
        raise ValueError("it should have 48 characters of base64, or be 0: and 64 hex digits")
    decoded = b64decode(text.translate(_TO_STANDARD))
    # With its checksum behind it, an intact sequence has the remainder 0.
    if crc_hqx(decoded, 0) != 0:
        raise ValueError("its checksum does not fit: a character was changed")
    tag, workchain = decoded[0], int.from_bytes(decoded[1:2], "big", signed=True)
    if tag & ~TEST_ONLY not in {BOUNCEABLE, NOT_BOUNCEABLE} or workchain not in _WORKCHAINS:
        raise ValueError("it is base64 with a checksum, but no address of a known kind")
    return TonAddress(
        f"{workchain}:{decoded[2:34].hex()}",
        tag & ~TEST_ONLY == BOUNCEABLE,
        bool(tag & TEST_ONLY),
    )


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """Give the canonical form of an address as a server writes it; raises ValueError."""
    return read(text).raw


def _from_raw(text: str) -> str:
    if not _RAW.fullmatch(text):
        raise ValueError("it should be 0: (or -1:) and 64 hex digits")
    return text.lower()


def friendly(raw: str, *, is_bounceable: bool, is_test_only: bool = False) -> str:
    """Write a canonical address user-friendly, in the alphabet that is safe in URLs."""
    workchain, digits = raw.split(":")
    tag = (BOUNCEABLE if is_bounceable else NOT_BOUNCEABLE) | (TEST_ONLY if is_test_only else 0)
    body = bytes((tag, int(workchain) & 0xFF)) + bytes.fromhex(digits)
    return b64encode(body + crc_hqx(body, 0).to_bytes(2, "big")).decode().translate(_TO_URL_SAFE)
