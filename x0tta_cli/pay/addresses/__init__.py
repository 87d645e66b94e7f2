"""Addresses in every form in which people write them, and one canonical form of each.

Two addresses are the same exactly where their canonical forms are equal as text.
"""

from __future__ import annotations

from x0tta_cli.core.errors import UsageError
from x0tta_cli.pay.addresses import ton, tron
from x0tta_cli.pay.model import Chain, Network

__all__ = ["parse", "readable", "ton", "tron"]


def parse(chain: Chain, text: str, network: Network = Network.MAINNET) -> str:
    """Read an address and give its canonical form.

    TRON: base58check or hex with its 41 in front. TON: raw, or user-friendly with either base64
    alphabet. Checksums are verified; a TON address that is marked for test networks is none of
    the main one. Raises UsageError `pay.bad_address`.
    """
    try:
        return _read(chain, text.strip(), network)
    except ValueError as error:
        raise UsageError(
            "pay.bad_address",
            f"'{text}' is not an address on {chain.upper()}.",
            reason=_sentence(str(error)),
            fix="Copy it again from the wallet, whole; a character that was lost or changed "
            "would send money to nobody.",
            context={"address": text, "chain": chain.value, "network": network.value},
        ) from None


def readable(chain: Chain, canonical: str, network: Network = Network.MAINNET) -> str:
    """Write a canonical address as wallets show it: on TON user-friendly, not bounceable."""
    if chain is Chain.TRON:
        return canonical
    return ton.friendly(canonical, is_bounceable=False, is_test_only=network is Network.TESTNET)


def _read(chain: Chain, written: str, network: Network) -> str:
    if chain is Chain.TRON:
        return tron.read(written)
    address = ton.read(written)
    if address.is_test_only and network is Network.MAINNET:
        raise ValueError("it is marked for test networks, where coins are worth nothing")
    return address.raw


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
