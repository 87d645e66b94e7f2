"""The chains' fakes refuse what the real APIs refuse, and leave out what those leave out."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from urllib.parse import urlencode

import pytest
from fakes.chains import ton, tonapi, toncenter, tron, trongrid, tronscan

pytestmark = pytest.mark.slow

SHOP, CUSTOMER = tron.address_of("shop"), tron.address_of("customer")
LISTING = f"/v1/accounts/{SHOP}/transactions/trc20"


def ask(url: str, body: object = None, **parameters: object) -> tuple[int, dict]:
    """Give the status and the JSON of an answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}?{urlencode(parameters)}", data)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


@pytest.fixture
def busy() -> tron.TronLedger:
    ledger = tron.TronLedger()
    for number in range(60):
        ledger.transfer(CUSTOMER, SHOP, 1 + number)
    return ledger


def test_trongrid_refuses_large_limits_unknown_filters_and_other_fingerprints(busy):
    with trongrid.serve(busy) as fake:
        url = fake.url + LISTING
        assert ask(url, limit=201)[0] == 400
        assert ask(url, page=2)[0] == 400
        _, first = ask(url, limit=50, only_to="true")
        fingerprint = first["meta"]["fingerprint"]
        assert ask(url, limit=50, fingerprint=fingerprint)[0] == 400
        _, last = ask(url, limit=50, only_to="true", fingerprint=fingerprint)
        assert (len(first["data"]), len(last["data"])) == (50, 10)
        assert "fingerprint" not in last["meta"]
        assert len(ask(url)[1]["data"]) == 20


def test_trongrid_knows_no_receipt_of_what_is_not_solid(busy):
    fresh = busy.transfer(CUSTOMER, SHOP, 5, at=busy.now())
    with trongrid.serve(busy) as fake:
        url = f"{fake.url}/walletsolidity/gettransactioninfobyid"
        assert ask(url, {"value": fresh}) == (200, {})
        head = ask(f"{fake.url}/walletsolidity/getnowblock", {})[1]
    number = head["block_header"]["raw_data"]["number"]
    assert int(head["blockID"][:16], 16) == number


def test_tronscan_cuts_off_without_a_word(busy):
    for number in range(10_000):
        busy.transfer(CUSTOMER, SHOP, 100 + number)
    with tronscan.serve(busy) as fake:
        url = f"{fake.url}/api/token_trc20/transfers"
        _, page = ask(url, toAddress=SHOP, limit=200, start=0)
        assert (len(page["token_transfers"]), page["total"], page["rangeTotal"]) == (
            50,
            10_000,
            10_060,
        )
        assert ask(url, toAddress=SHOP, limit=50, start=10_000)[1]["token_transfers"] == []
        assert ask(url, toAddress=SHOP, page=2)[0] == 400


@pytest.mark.parametrize("limit", [0, 1001])
def test_the_apis_of_ton_refuse_limits_that_they_do_not_grant(limit):
    ledger, account = ton.TonLedger(), ton.account_of("shop")
    with tonapi.serve(ledger) as api, toncenter.serve(ledger) as center:
        path = f"{api.url}/v2/blockchain/accounts/{account}/transactions"
        assert ask(path, limit=limit)[0] == 400
        assert ask(f"{center.url}/api/v3/transactions", account=account, limit=limit)[0] == 422
        assert ask(f"{center.url}/api/v3/transactions", account=account, page=2)[0] == 422


@pytest.mark.parametrize(
    ("serve", "path", "status"),
    [
        (trongrid.serve, "/walletsolidity/getnowblock", 403),
        (tronscan.serve, "/api/block", 429),
    ],
)
def test_a_request_beyond_the_limit_is_refused_and_so_are_those_after_it(busy, serve, path, status):
    with serve(busy, limit_per_second=2, suspended_s=60.0) as fake:
        asked = [ask(fake.url + path)[0] for _ in range(4)]
        assert asked == [200] * 2 + [status] * 2
        time.sleep(1.1)
        # Asked again after a second, the suspension still holds.
        assert ask(fake.url + path)[0] == status
        assert fake.refused == 3


def test_a_jetton_transfer_makes_the_transactions_that_it_makes_there():
    ledger, shop, sender = ton.TonLedger(), ton.account_of("shop"), ton.account_of("customer")
    tx = ledger.pay_usdt(sender, shop, 5, "ORDER-1")

    (received,) = ledger.accounts[ton.jetton_wallet_of(shop)]
    (notified,) = ledger.accounts[shop]
    assert received.tx == tx
    assert (received.aborted, notified.aborted, notified.source) == (False, True, received.account)
