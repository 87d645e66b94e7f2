"""The pinned table of assets."""

from __future__ import annotations

import pytest

from x0tta_cli.core.errors import UsageError
from x0tta_cli.pay.addresses import parse
from x0tta_cli.pay.assets import ASSETS, find_asset
from x0tta_cli.pay.model import Chain, Network


def test_contracts_and_decimals_are_those_of_the_issuers():
    tether, coin, jetton = (find_asset(name) for name in ("usdt-trc20", "ton", "usdt-ton"))

    assert (tether.contract, tether.decimals) == ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", 6)
    assert (coin.contract, coin.decimals) == ("", 9)
    master = parse(Chain.TON, "EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_sDs")
    assert (jetton.contract, jetton.decimals) == (master, 6)


@pytest.mark.parametrize("asset", ASSETS.values(), ids=ASSETS)
def test_contracts_stand_in_canonical_form(asset):
    if asset.contract:
        assert parse(asset.chain, asset.contract, asset.network) == asset.contract


def test_test_networks_share_no_asset_with_the_main_one():
    contracts = [asset.contract for asset in ASSETS.values() if asset.contract]
    assert len(contracts) == len(set(contracts))
    names = [asset.name for asset in ASSETS.values() if asset.network is Network.TESTNET]
    assert names == ["usdt-trc20-nile", "ton-testnet"]


def test_an_unknown_asset_is_refused_with_the_nearest_one():
    with pytest.raises(UsageError) as refused:
        find_asset("usdt-trc2")

    assert refused.value.code == "pay.unknown_asset"
    assert "usdt-trc20" in refused.value.fix
