"""TRON addresses: 21 bytes that begin with 41, written as base58check or as hex.

https://developers.tron.network/docs/account#address-format
"""

from __future__ import annotations

import re
from functools import lru_cache

PREFIX = 0x41
_BASE58 = re.compile(r"T[1-9A-HJ-NP-Za-km-z]{33}")
_HEX = re.compile(r"41[0-9A-Fa-f]{40}")


def read(text: str) -> str:
    """Give the base58check form of an address in either form; raises ValueError."""
    if _HEX.fullmatch(text):
        return from_bytes(bytes.fromhex(text))
    if not _BASE58.fullmatch(text):
        raise ValueError("it should be T and 33 letters and digits, or 41 and 40 hex digits")
    return _checked(text)


@lru_cache(maxsize=65536)
def from_bytes(address: bytes) -> str:
    """Write 21 bytes as base58check; raises ValueError for what is no address."""
    import base58

    if len(address) != 21 or address[0] != PREFIX:
        raise ValueError("it should have 21 bytes, and begin with 41")
    return str(base58.b58encode_check(address).decode())


def from_log(word: str) -> str:
    """Read the address in a log: 40 hex digits without the 41, or a topic's 64.

    A topic is a 32-byte word whose last 20 bytes are the address. Raises ValueError.
    """
    return from_bytes(bytes((PREFIX,)) + bytes.fromhex(word)[-20:])


@lru_cache(maxsize=65536)
def to_hex(address: str) -> str:
    """Write a base58check address as hex with its 41; raises ValueError."""
    import base58

    return str(base58.b58decode_check(address).hex())


@lru_cache(maxsize=65536)
def _checked(text: str) -> str:
    import base58

    try:
        decoded = base58.b58decode_check(text)
    except ValueError:
        raise ValueError("its checksum does not fit: a character was changed") from None
    if len(decoded) != 21 or decoded[0] != PREFIX:
        raise ValueError("it is base58, but no TRON address")
    return text
