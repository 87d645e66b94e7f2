"""What each provider grants: where it is, how it takes a key, and how often it may be asked.

TronGrid: https://developers.tron.network/docs/api-key-and-rate-limits · TronScan:
https://docs.tronscan.org · tonapi: https://docs.tonconsole.com/tonapi/rest-api · toncenter:
https://docs.ton.org/ecosystem/api/toncenter/rate-limit
"""

from __future__ import annotations

from dataclasses import dataclass

from x0tta_cli.pay.model import Chain, Network


@dataclass(frozen=True, slots=True)
class Provider:
    """One kind of source. `key_form` is the header's value, with the key in place of {}."""

    chain: Chain
    urls: dict[Network, str]
    key_header: str
    key_form: str
    page_size: int
    per_second_with_key: float
    per_second_without: float
    per_day_with_key: int | None

    def headers(self, key: str) -> dict[str, str]:
        """Give the header that carries the key; none without a key."""
        return {self.key_header: self.key_form.format(key)} if key else {}


PROVIDERS: dict[str, Provider] = {
    "trongrid": Provider(
        Chain.TRON,
        {Network.MAINNET: "https://api.trongrid.io", Network.TESTNET: "https://nile.trongrid.io"},
        "TRON-PRO-API-KEY",
        "{}",
        page_size=200,
        per_second_with_key=15,
        per_second_without=1,
        per_day_with_key=100_000,
    ),
    "tronscan": Provider(
        Chain.TRON,
        {
            Network.MAINNET: "https://apilist.tronscanapi.com",
            Network.TESTNET: "https://nileapi.tronscan.org",
        },
        "TRON-PRO-API-KEY",
        "{}",
        page_size=50,
        per_second_with_key=5,
        per_second_without=1,
        per_day_with_key=100_000,
    ),
    "tonapi": Provider(
        Chain.TON,
        {Network.MAINNET: "https://tonapi.io", Network.TESTNET: "https://testnet.tonapi.io"},
        "Authorization",
        "Bearer {}",
        page_size=200,
        per_second_with_key=1,
        per_second_without=0.25,
        per_day_with_key=None,
    ),
    "toncenter": Provider(
        Chain.TON,
        {
            Network.MAINNET: "https://toncenter.com",
            Network.TESTNET: "https://testnet.toncenter.com",
        },
        "X-Api-Key",
        "{}",
        page_size=200,
        per_second_with_key=10,
        per_second_without=1,
        per_day_with_key=None,
    ),
}
