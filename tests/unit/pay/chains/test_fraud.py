"""Any mixture of payments and attacks: every payment is found, to the unit, and no attack is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from fakes.chains import ton, tonapi, toncenter, tron, trongrid
from hypothesis import given, settings
from hypothesis import strategies as st

from x0tta_cli.pay.assets import find_asset
from x0tta_cli.pay.chains.protocol import Source
from x0tta_cli.pay.chains.registry import CountedHere, open_source
from x0tta_cli.pay.chains.settings import SourceSettings

TRON_SHOP, TRON_CUSTOMER = tron.address_of("shop"), tron.address_of("customer")
# An address that begins and ends like the customer's, as far as one looks.
LOOK_ALIKE = tron.address_of("look-alike")
FAKE_TETHER = tron.address_of("fake tether")
SHOP, CUSTOMER = ton.account_of("shop"), ton.account_of("customer")
FAKE_MASTER = ton.account_of("fake tether")
AMOUNT = 25_000_000

OnTron = Callable[[tron.TronLedger], str]
OnTon = Callable[[ton.TonLedger], str]

TRON_HONEST: dict[str, OnTron] = {
    "a transfer": lambda chain: chain.transfer(TRON_CUSTOMER, TRON_SHOP, AMOUNT),
    "a transfer among others of its transaction": lambda chain: chain.transaction(
        tron.Move(TRON_CUSTOMER, LOOK_ALIKE, 7), tron.Move(TRON_CUSTOMER, TRON_SHOP, AMOUNT)
    ),
}
TRON_ATTACKS: dict[str, OnTron] = {
    "a token of the same name": lambda chain: chain.transfer(
        TRON_CUSTOMER, TRON_SHOP, AMOUNT, contract=FAKE_TETHER
    ),
    "a fake and a real log, the real one to another": lambda chain: chain.transaction(
        tron.Move(TRON_CUSTOMER, TRON_SHOP, AMOUNT, FAKE_TETHER),
        tron.Move(TRON_CUSTOMER, LOOK_ALIKE, AMOUNT),
    ),
    "a reverted call": lambda chain: chain.transaction(
        tron.Move(TRON_CUSTOMER, TRON_SHOP, AMOUNT), result="REVERT"
    ),
    "a call without energy and a huge amount": lambda chain: chain.transaction(
        tron.Move(TRON_CUSTOMER, TRON_SHOP, 10**17), result="OUT_OF_ENERGY"
    ),
    "nothing, from a look-alike": lambda chain: chain.transfer(LOOK_ALIKE, TRON_SHOP, 0),
    "nothing, from ourselves": lambda chain: chain.transfer(TRON_SHOP, LOOK_ALIKE, 0),
    "a transfer to another": lambda chain: chain.transfer(TRON_CUSTOMER, LOOK_ALIKE, AMOUNT),
    "a transfer that is not solid": lambda chain: chain.transfer(
        TRON_CUSTOMER, TRON_SHOP, AMOUNT, at=datetime.now(UTC)
    ),
}
TON_HONEST: dict[str, OnTon] = {
    "jettons whose notification failed": lambda chain: chain.pay_usdt(CUSTOMER, SHOP, AMOUNT),
    "jettons without a notification": lambda chain: chain.pay_usdt(
        CUSTOMER, SHOP, AMOUNT, "ORDER-1", forward=0
    ),
    "jettons with a hostile memo": lambda chain: chain.pay_usdt(
        CUSTOMER, SHOP, AMOUNT, "\x1b[2J<script>\u202e" * 40
    ),
}
TON_ATTACKS: dict[str, OnTon] = {
    "a jetton of the same name": lambda chain: chain.pay_usdt(
        CUSTOMER, SHOP, AMOUNT, "ORDER-1", master=FAKE_MASTER, forward=50_000_000
    ),
    "jettons that were refused": lambda chain: chain.pay_usdt(
        CUSTOMER, SHOP, AMOUNT, "ORDER-1", is_refused=True
    ),
    "a notification from a stranger": lambda chain: chain.add(
        ton.Transaction(
            SHOP, CUSTOMER, 50, ton.transfer_notification(AMOUNT, CUSTOMER, None), _now()
        )
    ),
    "an internal_transfer to the owner": lambda chain: chain.add(
        ton.Transaction(SHOP, CUSTOMER, 50, ton.internal_transfer(AMOUNT, CUSTOMER, None), _now())
    ),
    "a comment to the jetton wallet": lambda chain: chain.add(
        ton.Transaction(
            ton.jetton_wallet_of(SHOP), CUSTOMER, AMOUNT, ton.text_comment("ORDER-1"), _now()
        )
    ),
    "a bounced internal_transfer": lambda chain: chain.add(
        ton.Transaction(
            ton.jetton_wallet_of(SHOP),
            CUSTOMER,
            50,
            ton.internal_transfer(AMOUNT, CUSTOMER, None),
            _now(),
            bounced=True,
        )
    ),
    "no jettons at all": lambda chain: chain.pay_usdt(CUSTOMER, SHOP, 0, "ORDER-1"),
}


def mixture(honest, attacks):
    return st.lists(st.sampled_from([*honest, *attacks]), max_size=25)


@pytest.mark.slow
@given(mixture(TRON_HONEST, TRON_ATTACKS))
@settings(max_examples=25, deadline=None)
def test_on_tron_payments_alone_are_settled(names):
    ledger = tron.TronLedger()
    ledger.tokens[FAKE_TETHER] = tron.Token()
    made = {name: [] for name in names}
    for name in names:
        made[name].append({**TRON_HONEST, **TRON_ATTACKS}[name](ledger))
    honest = {tx for name in TRON_HONEST for tx in made.get(name, [])}

    with trongrid.serve(ledger) as fake, opened("trongrid", fake.url) as source:
        asset, until = find_asset("usdt-trc20"), source.horizon()
        pages = source.pages(TRON_SHOP, asset, until - timedelta(hours=1), until)
        listed = {one.tx for page in pages for one in page.transfers}
        # Also what is not listed is asked for: a customer may name any hash.
        settled = [
            (transfer.tx, transfer.amount)
            for txs in made.values()
            for tx in txs
            if (receipt := source.receipt(tx, TRON_SHOP, asset)) is not None
            for transfer in receipt.transfers
        ]
    assert honest <= listed
    assert sorted(settled) == sorted((tx, AMOUNT) for tx in honest)


@pytest.mark.slow
@given(mixture(TON_HONEST, TON_ATTACKS), st.sampled_from(["tonapi", "toncenter"]))
@settings(max_examples=40, deadline=None)
def test_on_ton_payments_alone_are_final(names, kind):
    ledger = ton.TonLedger()
    made = {name: [] for name in names}
    for name in names:
        made[name].append({**TON_HONEST, **TON_ATTACKS}[name](ledger))
    honest = {tx for name in TON_HONEST for tx in made.get(name, [])}

    serve = {"tonapi": tonapi.serve, "toncenter": toncenter.serve}[kind]
    with serve(ledger) as fake, opened(kind, fake.url) as source:
        asset, until = find_asset("usdt-ton"), source.horizon()
        pages = source.pages(SHOP, asset, until - timedelta(hours=1), until)
        found = [(one.tx, one.amount, one.finality) for page in pages for one in page.transfers]
        by_receipt = {
            transfer.tx
            for txs in made.values()
            for tx in txs
            if (receipt := source.receipt(tx, SHOP, asset)) is not None
            for transfer in receipt.transfers
        }
    assert sorted(found) == sorted((tx, AMOUNT, "final") for tx in honest)
    assert by_receipt == honest


@contextmanager
def opened(kind: str, url: str) -> Iterator[Source]:
    wanted = SourceSettings(kind=kind, base_url=url, requests_per_second=10_000)
    source = open_source(kind, wanted, usage=CountedHere())
    try:
        yield source
    finally:
        source.close()


def _now() -> int:
    return int((datetime.now(UTC) - timedelta(seconds=90)).timestamp())
