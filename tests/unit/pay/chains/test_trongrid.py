"""TronGrid: listings by page, and receipts of solid blocks that decide."""

from __future__ import annotations

import itertools
import json
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fakes.chains.server import Answer, Trouble
from fakes.chains.tron import Move, Token, address_of

from x0tta_cli.core.errors import NotYetKnownError, UnavailableError
from x0tta_cli.pay.addresses.tron import to_hex
from x0tta_cli.pay.model import Finality, SourceState

SHOP, CUSTOMER, OTHER = address_of("shop"), address_of("customer"), address_of("other")
FAKE_TETHER = address_of("a contract that calls itself Tether USD")


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


@pytest.fixture
def grid(reading):
    return reading("trongrid")


def test_a_page_lists_what_came_in_and_the_receipt_settles_it(grid, tron_ledger):
    tx = tron_ledger.transfer(CUSTOMER, SHOP, 12_500_000, at=ago(600))

    (listed,) = grid.transfers()
    assert (listed.tx, listed.amount, listed.sender, listed.recipient) == (
        tx,
        12_500_000,
        CUSTOMER,
        SHOP,
    )
    assert (listed.log_index, listed.finality, listed.memo) == (None, Finality.LISTED, None)
    receipt = grid.receipt(tx)
    assert receipt.succeeded
    (settled,) = receipt.transfers
    assert (settled.log_index, settled.finality, settled.amount) == (0, Finality.FINAL, 12_500_000)
    assert settled.at == listed.at == receipt.at


def test_the_recorded_transfer_of_usdt_is_read_to_the_last_unit(grid, tron_ledger):
    sender, recipient = "TKBsUrtGu7pCMr2JgCyrW7jytbFaVw5dfZ", "TH4CfyXFykLX61FBYiRFvpbCPeZ9MZLSEk"
    tx = "0b9c085adefee7a40b98c905eedf1ea6a7310ea7f23a17c55c1ee5cc5c21b977"
    at = datetime.fromtimestamp(1_600_078_473, UTC)
    tron_ledger.transfer(sender, recipient, 10_000, at=at, tx=tx)
    grid.wallet = recipient

    (settled,) = grid.receipt(tx).transfers
    assert (settled.amount, settled.sender, settled.at) == (10_000, sender, at)


def test_pages_cost_as_many_requests_as_there_are_pages(grid, tron_ledger):
    start = datetime.now(UTC) - timedelta(hours=2)
    sent = [
        tron_ledger.transfer(CUSTOMER, SHOP, 1 + n, at=start + timedelta(seconds=n))
        for n in range(450)
    ]

    pages = grid.pages()
    assert [page.rows for page in pages] == [200, 200, 50]
    assert [one.tx for page in pages for one in page.transfers] == sent
    # The horizon, and ceil(450 / 200).
    assert len(grid.fake.requests) == 1 + 3
    report = grid.source.report()
    assert (report.pages, report.requests, report.refused, report.state) == (3, 4, 0, "ok")


def test_reading_goes_on_from_a_stored_cursor_and_loses_nothing(grid, tron_ledger):
    start = datetime.now(UTC) - timedelta(hours=2)
    # Many rows of one instant, across the page's end.
    sent = {
        tron_ledger.transfer(CUSTOMER, SHOP, 1 + n, at=start + timedelta(seconds=3 * (n // 30)))
        for n in range(450)
    }
    first = next(iter(grid.source.pages(grid.wallet, grid.asset, *grid.window())))

    rest = grid.pages(first.cursor)
    found = {one.tx for page in (first, *rest) for one in page.transfers}
    assert found == sent


def test_a_transaction_with_two_equal_transfers_has_two_identities(grid, tron_ledger):
    tx = tron_ledger.transaction(
        Move(CUSTOMER, OTHER, 7), Move(CUSTOMER, SHOP, 5), Move(CUSTOMER, SHOP, 5)
    )

    assert [one.tx for one in grid.transfers()] == [tx, tx]
    assert [one.log_index for one in grid.receipt(tx).transfers] == [1, 2]


@pytest.mark.parametrize("result", ["REVERT", "OUT_OF_ENERGY"])
def test_a_failed_transaction_with_a_huge_amount_is_no_payment(grid, tron_ledger, result):
    tx = tron_ledger.transaction(Move(CUSTOMER, SHOP, 10**15), result=result)

    receipt = grid.receipt(tx)
    assert not receipt.succeeded
    assert receipt.transfers == ()
    assert result in receipt.reason


def test_a_transaction_that_is_not_solid_is_not_yet_known(grid, tron_ledger):
    tx = tron_ledger.transfer(CUSTOMER, SHOP, 5, at=ago(10))

    assert grid.receipt(tx) is None
    assert grid.receipt("00" * 32) is None
    assert grid.transfers() == []


def test_a_transaction_that_a_reorganisation_took_out_is_not_known(grid, tron_ledger):
    tx = tron_ledger.transfer(CUSTOMER, SHOP, 5)
    tron_ledger.reorganise(tx)

    assert grid.receipt(tx) is None


def test_a_token_with_the_same_symbol_and_decimals_is_not_money(grid, tron_ledger):
    tron_ledger.tokens[FAKE_TETHER] = Token()
    tx = tron_ledger.transfer(CUSTOMER, SHOP, 5_000_000, contract=FAKE_TETHER)
    grid.fake.habits.ignores_contract = True

    (page,) = grid.pages()
    assert (page.transfers, page.rows, page.ignored) == ((), 1, 1)
    receipt = grid.receipt(tx)
    assert receipt.transfers == ()
    assert "no usdt-trc20" in receipt.reason


def test_zero_amounts_and_payments_to_others_are_no_income(grid, tron_ledger):
    zero = tron_ledger.transfer(address_of("look-alike"), SHOP, 0)
    other = tron_ledger.transfer(CUSTOMER, OTHER, 5)

    assert grid.transfers() == []
    assert grid.receipt(zero).transfers == grid.receipt(other).transfers == ()


def test_an_empty_page_is_complete_but_the_next_window_finds_a_late_row(grid, tron_ledger):
    tron_ledger.index_until = ago(40 * 60)
    tx = tron_ledger.transfer(CUSTOMER, SHOP, 5, at=ago(20 * 60))
    assert grid.transfers() == []

    tron_ledger.index_until = None
    assert [one.tx for one in grid.transfers()] == [tx]


def test_seconds_where_milliseconds_are_meant_are_a_bad_answer(grid, tron_ledger):
    tron_ledger.transfer(CUSTOMER, SHOP, 5)
    grid.fake.habits.in_seconds = True

    with pytest.raises(UnavailableError, match="relied upon") as refused:
        grid.pages()
    assert refused.value.code == "pay.bad_answer"
    assert "milliseconds" in refused.value.reason
    assert grid.source.report().state is SourceState.DOWN


def test_a_page_that_comes_for_ever_ends_the_reading(grid, tron_ledger):
    for n in range(300):
        tron_ledger.transfer(CUSTOMER, SHOP, 1 + n)
    grid.fake.habits.repeats_first_page = True

    with pytest.raises(UnavailableError) as refused:
        grid.pages()
    assert "came again" in refused.value.reason
    assert len(grid.fake.requests) <= 4


def test_an_error_with_status_200_is_not_an_unknown_transaction(grid):
    body = b'{"Error":"class org.tron.core.exception.ContractValidateException"}'
    grid.fake.trouble = Trouble(body=body, only="gettransactioninfobyid")

    with pytest.raises(UnavailableError) as refused:
        grid.receipt("00" * 32)
    assert refused.value.code == "pay.bad_answer"


def test_a_stale_node_is_not_yet_known(reading, clock):
    grid = reading("trongrid", stale_after_s=300)
    clock.slept_s = 1200

    with pytest.raises(NotYetKnownError) as refused:
        grid.source.horizon()
    assert refused.value.code == "pay.index_stale"
    assert grid.source.report().state is SourceState.STALE


def test_a_block_whose_id_is_of_another_number_is_refused(grid):
    grid.fake.habits.block_id = "00" * 32

    with pytest.raises(UnavailableError) as refused:
        grid.source.horizon()
    assert refused.value.code == "pay.bad_answer"


def test_a_gateway_that_leaves_out_the_id_is_read(grid, tron_ledger):
    tx = tron_ledger.transfer(CUSTOMER, SHOP, 5)
    grid.fake.habits.block_id = None
    assert [one.tx for one in grid.transfers()] == [tx]


def test_the_receipt_of_another_transaction_is_refused(grid, tron_ledger):
    other = tron_ledger.transfer(CUSTOMER, SHOP, 5)
    body = b'{"id":"%s"}' % other.encode()
    grid.fake.trouble = Trouble(body=body, only="gettransactioninfobyid")

    with pytest.raises(UnavailableError, match="relied upon"):
        grid.receipt("00" * 32)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/St_Johns", "UTC"])
def test_a_host_in_another_time_zone_reads_the_same_instants(grid, tron_ledger, monkeypatch, zone):
    at = datetime.fromtimestamp(ago(600).timestamp() // 3 * 3, UTC)
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        tx = tron_ledger.transfer(CUSTOMER, SHOP, 5, at=at)
        assert [(one.tx, one.at) for one in grid.transfers(hours=0.5)] == [(tx, at)]
        assert grid.receipt(tx).at == at
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("receipt", ['{"result":"REVERT"}', '{"result":"DEFAULT"}'])
def test_a_receipt_without_success_is_none_though_there_is_a_log(grid, tron_ledger, receipt):
    tx = tron_ledger.transfer(CUSTOMER, SHOP, 5)
    assert grid.receipt(tx).succeeded
    (written,) = tron_ledger.transactions[tx].rows["receipt"]
    content = json.loads(written) | {"receipt": json.loads(receipt)}
    tron_ledger.transactions[tx].rows["receipt"] = [json.dumps(content).encode()]

    refused = grid.receipt(tx)
    assert (refused.succeeded, refused.transfers) == (False, ())


def test_a_receipt_that_does_not_say_how_a_call_ended_is_not_yet_known(grid, tron_ledger):
    tx = tron_ledger.transfer(CUSTOMER, SHOP, 5)
    grid.receipt(tx)
    (written,) = tron_ledger.transactions[tx].rows["receipt"]
    content = json.loads(written) | {"receipt": {"net_usage": 345}}
    tron_ledger.transactions[tx].rows["receipt"] = [json.dumps(content).encode()]

    assert grid.receipt(tx) is None


def test_a_receipt_that_says_failed_is_none_though_its_result_is_success(grid, tron_ledger):
    tx = tron_ledger.transfer(CUSTOMER, SHOP, 5)
    grid.receipt(tx)
    (written,) = tron_ledger.transactions[tx].rows["receipt"]
    tron_ledger.transactions[tx].rows["receipt"] = [
        json.dumps(json.loads(written) | {"result": "FAILED"}).encode()
    ]

    assert not grid.receipt(tx).succeeded


def test_rows_of_one_instant_without_end_end_the_reading(reading, tron_ledger):
    source = reading("trongrid")
    at = datetime.now(UTC) - timedelta(minutes=10)
    for number in range(200):
        tron_ledger.transfer(source.wallet, source.wallet, 1 + number, at=at)
    pages = itertools.count()

    # Two pages that take turns, each with a fingerprint that was not there before.
    def handle(request, answer=source.fake.handle):
        query = {name: value for name, value in request.query.items() if name != "fingerprint"}
        given = answer(replace(request, query=query))
        if "trc20" not in request.path:
            return given
        told = json.loads(given.content())
        told["data"] = told["data"][:: -1 if next(pages) % 2 else 1]
        told["meta"]["fingerprint"] = f"page {next(pages)}"
        return Answer(told)

    source.fake.handle = handle
    with pytest.raises(UnavailableError) as raised:
        source.pages()
    assert raised.value.code == "pay.bad_answer"
    assert len(source.fake.requests) < 120


def test_a_server_that_heeds_no_end_is_read_to_the_end_of_the_window(reading, tron_ledger):
    source = reading("trongrid")
    now = datetime.now(UTC)
    for number in range(900):
        tron_ledger.transfer(
            source.wallet, source.wallet, 1 + number, at=now - timedelta(seconds=6000 - 6 * number)
        )
    since, _ = source.window()
    end = now - timedelta(seconds=6000 - 6 * 250)

    def handle(request, answer=source.fake.handle):
        query = {k: v for k, v in request.query.items() if k != "max_timestamp"}
        return answer(replace(request, query=query))

    source.fake.handle = handle
    asked = len(source.fake.requests)
    pages = list(source.source.pages(source.wallet, source.asset, since, end))
    assert [page.complete for page in pages] == [False, True]
    assert sum(len(page.transfers) for page in pages) in {250, 251}
    assert len(source.fake.requests) - asked == 2


@pytest.mark.parametrize("kind", ["trongrid", "tronscan"])
def test_a_server_that_writes_addresses_as_hex_hides_no_payment(reading, tron_ledger, kind):
    source = reading(kind)
    tx = tron_ledger.transfer(CUSTOMER, SHOP, 12_500_000, at=ago(600))
    tron_ledger.transfer(CUSTOMER, OTHER, 7, at=ago(600))
    tron_ledger.tokens[FAKE_TETHER] = Token("USDT", 6, "Tether USD")
    tron_ledger.transfer(CUSTOMER, SHOP, 5, at=ago(600), contract=FAKE_TETHER)

    def handle(request, answer=source.fake.handle):
        given = answer(request)
        told = re.sub(
            rb'"(T[1-9A-HJ-NP-Za-km-z]{33})"',
            lambda found: b'"%s"' % to_hex(found[1].decode()).upper().encode(),
            given.content(),
        )
        return Answer(told, given.status, given.headers)

    source.fake.handle = handle
    (listed,) = source.transfers()
    assert (listed.tx, listed.amount, listed.sender) == (tx, 12_500_000, CUSTOMER)
    (told,) = source.receipt(tx).transfers
    assert (told.amount, told.sender) == (12_500_000, CUSTOMER)
