"""How long ago each wallet was read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from x0tta_cli.pay.assets import ASSETS
from x0tta_cli.pay.chains.providers import PROVIDERS
from x0tta_cli.pay.ledger import cursors
from x0tta_cli.pay.ledger.database import Ledger
from x0tta_cli.pay.ledger.enrolment import wallets_in
from x0tta_cli.pay.settings import PaySettings


@dataclass(frozen=True, slots=True)
class Reading:
    """Up to when a source has read a wallet; `state` is ok, stale, or unread."""

    wallet: str
    source: str
    read_until: datetime | None
    state: str


def readings(ledger: Ledger, settings: PaySettings, now: datetime | None = None) -> list[Reading]:
    """Tell for each wallet and each source that serves it; asks no chain.

    A wallet that no source serves has one reading, by nobody.
    """
    instant = now or datetime.now(UTC)
    found = []
    with ledger.reading() as connection:
        for wallet in wallets_in(connection):
            asset = ASSETS[wallet.asset]
            serving = [
                name
                for name, source in settings.sources.items()
                if (PROVIDERS[source.kind].chain, source.network) == (asset.chain, asset.network)
            ]
            for name in serving or ["-"]:
                until = cursors.read_until(connection, wallet, name)
                is_fresh = until is not None and instant - until <= settings.stale_after
                state = "unread" if until is None else "ok" if is_fresh else "stale"
                found.append(Reading(wallet.name, name, until, state))
    return found
