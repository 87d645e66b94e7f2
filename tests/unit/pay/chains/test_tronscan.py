"""TronScan: silent limits, an order that is not stable, and a second opinion."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fakes.chains.server import Trouble
from fakes.chains.tron import Move, Token, address_of

from x0tta_cli.core.errors import UnavailableError
from x0tta_cli.pay.model import Finality, SourceState

pytestmark = pytest.mark.slow

SHOP, CUSTOMER, OTHER = address_of("shop"), address_of("customer"), address_of("other")


@pytest.fixture
def scan(reading):
    return reading("tronscan")


def several(tron_ledger, count: int, per_block: int = 1) -> set[str]:
    start = datetime.now(UTC) - timedelta(hours=12)
    return {
        tron_ledger.transfer(
            CUSTOMER, SHOP, 1 + n, at=start + timedelta(seconds=3 * (n // per_block))
        )
        for n in range(count)
    }


@pytest.mark.parametrize("name", ["token_transfers", "data", "Data"])
def test_rows_are_found_under_each_of_their_names(scan, tron_ledger, name):
    sent = several(tron_ledger, 120)
    scan.fake.habits.list_name = name

    pages = scan.pages()
    assert [page.rows for page in pages] == [50, 50, 20]
    assert {one.tx for page in pages for one in page.transfers} == sent
    assert {one.finality for page in pages for one in page.transfers} == {Finality.LISTED}


def test_a_gateway_without_the_head_is_degraded_and_read(scan, tron_ledger):
    sent = several(tron_ledger, 3)
    scan.fake.trouble = Trouble(status=404, only="/api/block")

    assert {one.tx for one in scan.transfers()} == sent
    assert scan.source.report().state is SourceState.DEGRADED


@pytest.mark.parametrize("counts", [("total", "rangeTotal"), ("total",), ()])
def test_pages_larger_than_it_gives_are_not_asked_for(reading, tron_ledger, counts):
    sent = several(tron_ledger, 120)
    scan = reading("tronscan", page_size=200)
    scan.fake.habits.counts = counts

    # It would cut them without a word, and the first would look like the last.
    assert {one.tx for one in scan.transfers()} == sent
    listings = [one for one in scan.fake.requests if "transfers" in one.path]
    assert {one.query["limit"] for one in listings} == {"50"}


def test_a_count_that_stops_at_its_reach_is_none(scan, tron_ledger):
    sent = several(tron_ledger, 10_120)
    scan.fake.habits.counts = ("total",)

    assert {one.tx for one in scan.transfers(hours=48)} == sent


def test_more_rows_than_it_lists_at_once_are_read_in_stretches(scan, tron_ledger):
    sent = several(tron_ledger, 10_120)

    transfers = scan.transfers(hours=48)
    assert {one.tx for one in transfers} == sent
    # 200 pages up to its reach, and the rest from there.
    assert len(scan.fake.requests) <= 1 + 200 + 4


def test_a_transfer_that_comes_while_paging_hides_no_other(scan, tron_ledger):
    sent = several(tron_ledger, 120)
    late = iter(range(1, 3))

    def one_more(request):
        if "transfers" in request.path and next(late, None):
            tron_ledger.transfer(OTHER, SHOP, 77, at=datetime.now(UTC) - timedelta(minutes=10))

    scan.fake.before = one_more
    assert sent <= {one.tx for one in scan.transfers()}


def test_rows_of_one_instant_that_change_places_are_all_found(scan, tron_ledger):
    sent = several(tron_ledger, 180, per_block=20)
    scan.fake.habits.turns_instants = True

    assert {one.tx for one in scan.transfers()} == sent


def test_rows_that_it_counts_and_does_not_list_are_a_bad_answer(scan, tron_ledger):
    several(tron_ledger, 30)
    scan.fake.habits.hides_rows = 21

    with pytest.raises(UnavailableError) as refused:
        scan.pages()
    assert "9 rows were listed of 30" in refused.value.reason


def test_a_page_that_comes_for_ever_ends_the_reading(scan, tron_ledger):
    several(tron_ledger, 120)
    scan.fake.habits.repeats_first_page = True

    with pytest.raises(UnavailableError) as refused:
        scan.pages()
    assert refused.value.code == "pay.bad_answer"
    assert len(scan.fake.requests) < 20


def test_a_server_that_counts_no_rows_off_is_read_by_its_instants(scan, tron_ledger):
    sent = several(tron_ledger, 120)
    scan.fake.habits.ignores_start = True

    assert {one.tx for one in scan.transfers()} == sent


def test_seconds_where_milliseconds_are_meant_are_a_bad_answer(scan, tron_ledger):
    several(tron_ledger, 1)
    scan.fake.habits.in_seconds = True

    with pytest.raises(UnavailableError) as refused:
        scan.pages()
    assert "milliseconds" in refused.value.reason


def test_reading_goes_on_from_a_stored_cursor(scan, tron_ledger):
    sent = several(tron_ledger, 120, per_block=7)
    first = next(iter(scan.source.pages(scan.wallet, scan.asset, *scan.window())))

    rest = scan.pages(first.cursor)
    assert {one.tx for page in (first, *rest) for one in page.transfers} == sent


def test_reverted_and_foreign_rows_are_left_out(scan, tron_ledger):
    contract = address_of("another Tether USD")
    tron_ledger.tokens[contract] = Token()
    tron_ledger.transfer(CUSTOMER, SHOP, 5, contract=contract)
    tron_ledger.transaction(Move(CUSTOMER, SHOP, 6), result="REVERT")
    tron_ledger.transfer(CUSTOMER, SHOP, 0)

    assert scan.transfers() == []


def test_its_second_opinion_has_no_log_index(scan, tron_ledger):
    tx = tron_ledger.transaction(Move(CUSTOMER, OTHER, 1), Move(CUSTOMER, SHOP, 5))

    receipt = scan.receipt(tx)
    assert receipt.succeeded
    assert [(one.amount, one.log_index) for one in receipt.transfers] == [(5, None)]
    assert not scan.source.settles


def test_its_second_opinion_on_a_failed_or_fresh_transaction(scan, tron_ledger):
    failed = tron_ledger.transaction(Move(CUSTOMER, SHOP, 5), result="OUT_OF_ENERGY")
    fresh = tron_ledger.transfer(CUSTOMER, SHOP, 5, at=datetime.now(UTC) - timedelta(seconds=9))

    assert not scan.receipt(failed).succeeded
    assert scan.receipt(fresh) is None
    assert scan.receipt("00" * 32) is None


def test_one_transaction_with_many_equal_transfers_hides_no_other_payment(reading, tron_ledger):
    at = datetime.now(UTC) - timedelta(minutes=10)
    before = tron_ledger.transfer(CUSTOMER, SHOP, 7, at=at - timedelta(minutes=1))
    beside = tron_ledger.transfer(CUSTOMER, SHOP, 8, at=at)
    many = tron_ledger.transaction(*[Move(CUSTOMER, SHOP, 1)] * 130, at=at)
    after = tron_ledger.transfer(CUSTOMER, SHOP, 9, at=at + timedelta(minutes=1))

    found = reading("tronscan").transfers()
    assert {one.tx for one in found} == {before, beside, many, after}
    assert sum(one.tx == many for one in found) >= 130
