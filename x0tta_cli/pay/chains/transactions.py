"""Transaction ids as people paste them."""

from __future__ import annotations

import re
from base64 import b64decode

from x0tta_cli.core.errors import UsageError
from x0tta_cli.pay.model import Chain

_HEX = re.compile(r"(?:0x)?([0-9A-Fa-f]{64})")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{43}=?")


def parse_transaction(chain: Chain, text: str) -> str:
    """Read a transaction id and give it as 64 lower-case hex digits.

    Hex on both chains; on TON also base64 in either alphabet, as its explorers show it. An order's
    id in the place of a hash is the mistake that happens. Raises UsageError
    `pay.bad_transaction_id`.
    """
    written = text.strip()
    found = _HEX.fullmatch(written)
    if found:
        return found[1].lower()
    if chain is Chain.TON and _BASE64.fullmatch(written):
        standard = written.rstrip("=").translate(str.maketrans("-_", "+/"))
        return b64decode(f"{standard}=").hex()
    raise UsageError(
        "pay.bad_transaction_id",
        f"'{text}' is not a transaction's id on {chain.upper()}.",
        reason="It should be 64 hex digits"
        + (", or 44 characters of base64." if chain is Chain.TON else "."),
        fix="Copy the transaction's hash from the wallet or the explorer; the order's id is none.",
        context={"transaction": text, "chain": chain.value},
    )
