"""The pinned table of assets: contract and decimals of what counts as money here.

What a token calls itself is not asked: a symbol costs its inventor nothing.
"""

from __future__ import annotations

from difflib import get_close_matches

from x0tta_cli.core.errors import UsageError
from x0tta_cli.pay.model import Asset, Chain, Network

ASSETS: dict[str, Asset] = {
    asset.name: asset
    for asset in (
        Asset(
            "usdt-trc20",
            Chain.TRON,
            Network.MAINNET,
            "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
            6,
            "USDT",
        ),
        Asset("ton", Chain.TON, Network.MAINNET, "", 9, "TON"),
        Asset(
            "usdt-ton",
            Chain.TON,
            Network.MAINNET,
            "0:b113a994b5024a16719f69139328eb759596c38a25f59028b146fecdc3621dfe",
            6,
            "USDT",
        ),
        # Nile, TRON's test network; what is called Tether USD there is worth nothing.
        Asset(
            "usdt-trc20-nile",
            Chain.TRON,
            Network.TESTNET,
            "TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeBf",
            6,
            "test USDT",
        ),
        Asset("ton-testnet", Chain.TON, Network.TESTNET, "", 9, "test TON"),
    )
}


def find_asset(name: str) -> Asset:
    """Give an asset by its name; raises UsageError `pay.unknown_asset`."""
    asset = ASSETS.get(name)
    if asset is not None:
        return asset
    near = get_close_matches(name, ASSETS, n=1)
    raise UsageError(
        "pay.unknown_asset",
        f"'{name}' is no asset that x0tta takes.",
        reason=f"It takes {', '.join(ASSETS)}.",
        fix=f"Did you mean '{near[0]}'?" if near else "Choose one of them.",
        context={"asset": name},
    )
