"""tonapi and toncenter: the same truth, by the same crediting rules."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from fakes.chains import ton
from fakes.chains.server import Answer, Trouble
from fakes.chains.ton import account_of, jetton_wallet_of

from x0tta_cli.core.errors import NotYetKnownError, UnavailableError
from x0tta_cli.pay.addresses.ton import friendly
from x0tta_cli.pay.model import Finality, SourceState

pytestmark = pytest.mark.slow

SHOP, CUSTOMER = account_of("shop"), account_of("customer")
BOTH = pytest.mark.parametrize("kind", ["tonapi", "toncenter"])


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


@BOTH
def test_jettons_are_income_though_their_notification_failed(reading, ton_ledger, kind):
    tx = ton_ledger.pay_usdt(CUSTOMER, SHOP, 12_500_000, "ORDER-1")
    notification = ton_ledger.accounts[SHOP][-1]
    assert notification.aborted

    (transfer,) = reading(kind).transfers()
    assert (transfer.tx, transfer.amount, transfer.memo) == (tx, 12_500_000, "ORDER-1")
    assert (transfer.sender, transfer.recipient) == (CUSTOMER, SHOP)
    assert (transfer.log_index, transfer.finality) == (0, Finality.FINAL)


@BOTH
def test_jettons_without_a_notification_are_income(reading, ton_ledger, kind):
    ton_ledger.pay_usdt(CUSTOMER, SHOP, 5, "ORDER-1", forward=0)
    assert not ton_ledger.accounts[SHOP]

    assert [(one.amount, one.memo) for one in reading(kind).transfers()] == [(5, "ORDER-1")]


@BOTH
def test_jettons_that_our_jetton_wallet_refused_are_not(reading, ton_ledger, kind):
    tx = ton_ledger.pay_usdt(CUSTOMER, SHOP, 5, "ORDER-1", is_refused=True)

    assert reading(kind).transfers() == []
    receipt = reading(kind).receipt(tx)
    assert (receipt.succeeded, receipt.transfers) == (False, ())


@BOTH
def test_a_fake_jetton_with_our_names_moves_nothing_of_ours(reading, ton_ledger, kind):
    master = account_of("a master that calls itself Tether USD")
    ton_ledger.pay_usdt(CUSTOMER, SHOP, 5_000_000, "ORDER-1", master=master, forward=50_000_000)
    # A notification to us from a jetton wallet that is not ours.
    assert not ton_ledger.accounts[SHOP][-1].aborted

    assert reading(kind).transfers() == []
    assert reading(kind, "ton").transfers()[0].amount == 50_000_000


@BOTH
def test_coins_are_income_with_their_comment(reading, ton_ledger, kind):
    tx = ton_ledger.pay_ton(CUSTOMER, SHOP, 1_500_000_000, "ORDER-1")
    bare = ton_ledger.pay_ton(CUSTOMER, SHOP, 7)

    transfers = reading(kind, "ton").transfers()
    assert [(one.tx, one.amount, one.memo) for one in transfers] == [
        (bare, 7, None),
        (tx, 1_500_000_000, "ORDER-1"),
    ]


@BOTH
@pytest.mark.parametrize(
    ("details", "is_income"),
    [
        ({"bounced": True}, False),
        ({"aborted": True, "bounce": True, "bounce_phase": "ok"}, False),
        ({"aborted": True, "bounce": True, "bounce_phase": "nofunds"}, True),
        ({"aborted": True, "bounce": False}, True),
        ({"aborted": True, "bounce": False, "is_skipped": True}, True),
        ({"aborted": True, "bounce": True, "fails_late": True}, True),
        ({}, True),
    ],
)
def test_coins_count_where_they_stayed(reading, ton_ledger, kind, details, is_income):
    tx = ton_ledger.pay_ton(CUSTOMER, SHOP, 5, "ORDER-1", **details)

    source = reading(kind, "ton")
    assert [one.tx for one in source.transfers()] == ([tx] if is_income else [])
    assert len(source.receipt(tx).transfers) == int(is_income)


@BOTH
def test_messages_from_outside_and_without_value_are_no_income(reading, ton_ledger, kind):
    ton_ledger.pay_ton(None, SHOP, 0, bounced=None)
    ton_ledger.pay_ton(CUSTOMER, SHOP, 0, "ORDER-1")

    (page,) = reading(kind, "ton").pages()
    assert (page.transfers, page.rows, page.ignored) == ((), 2, 2)


@BOTH
def test_pages_go_back_in_logical_time_and_cost_a_request_each(reading, ton_ledger, kind):
    sent = [
        ton_ledger.pay_usdt(CUSTOMER, SHOP, 1 + n, f"ORDER-{n}", at=ago(3600 - n // 40), forward=0)
        for n in range(450)
    ]
    source = reading(kind)

    pages = source.pages()
    assert [page.rows for page in pages] == [200, 200, 50]
    assert [one.tx for page in pages for one in page.transfers] == sent[::-1]
    assert len(source.fake.requests) == 1 + 3


@BOTH
def test_a_newest_page_that_shifts_while_paging_changes_nothing(reading, ton_ledger, kind):
    sent = {
        ton_ledger.pay_usdt(CUSTOMER, SHOP, 1 + n, at=ago(3600 - n), forward=0) for n in range(450)
    }
    source = reading(kind)

    def one_more(request):
        if "transactions" in request.path:
            ton_ledger.pay_usdt(CUSTOMER, SHOP, 1, at=ago(1), forward=0)

    source.fake.before = one_more
    assert {one.tx for one in source.transfers()} == sent


@BOTH
def test_reading_goes_on_from_a_stored_cursor(reading, ton_ledger, kind):
    sent = {ton_ledger.pay_usdt(CUSTOMER, SHOP, 1 + n, at=ago(3600), forward=0) for n in range(450)}
    source = reading(kind)
    first = next(iter(source.source.pages(source.wallet, source.asset, *source.window())))

    rest = source.pages(first.cursor)
    assert [page.rows for page in rest] == [200, 50]
    assert {one.tx for page in (first, *rest) for one in page.transfers} == sent


@BOTH
def test_the_next_window_goes_back_to_where_nothing_can_come_in_any_more(reading, ton_ledger, kind):
    for n in range(450):
        ton_ledger.pay_usdt(CUSTOMER, SHOP, 1 + n, at=ago(3600 - n), forward=0)
    source = reading(kind)
    read = source.pages()[-1].cursor
    fresh = [ton_ledger.pay_usdt(CUSTOMER, SHOP, n, at=ago(60), forward=0) for n in (1, 2)]
    asked = len(source.fake.requests)

    (page,) = source.pages(read)
    assert [one.tx for one in page.transfers] == fresh[::-1]
    assert len(source.fake.requests) == asked + 1
    # However short the next window, what has come since is in it.
    (page,) = source.pages(read, hours=0.001)
    assert len(page.transfers) == 2


@BOTH
def test_what_was_indexed_late_at_the_head_is_found_by_the_next_window(reading, ton_ledger, kind):
    ton_ledger.pay_usdt(CUSTOMER, SHOP, 1, at=ago(3600), forward=0)
    late = ton_ledger.pay_usdt(CUSTOMER, SHOP, 2, at=ago(1800), forward=0)
    ton_ledger.hidden = {late}
    source = reading(kind)
    read = source.pages()[-1].cursor
    ton_ledger.hidden = set()
    after = ton_ledger.pay_usdt(CUSTOMER, SHOP, 3, at=ago(60), forward=0)

    assert [one.tx for one in source.pages(read)[-1].transfers] == [after, late]


def test_what_is_not_final_is_read_again_by_the_next_window(reading, ton_ledger):
    ton_ledger.pay_usdt(CUSTOMER, SHOP, 1, at=ago(3600), forward=0)
    source = reading("toncenter")
    final = source.pages()[-1].cursor
    ton_ledger.pay_usdt(CUSTOMER, SHOP, 2, at=ago(60), forward=0)
    source.fake.habits.finality = "pending"

    (page,) = source.pages(final)
    assert [one.finality for one in page.transfers] == [Finality.CONFIRMING]
    assert page.cursor == final
    source.fake.habits.finality = "finalized"
    (page,) = source.pages(page.cursor)
    assert [one.finality for one in page.transfers] == [Finality.FINAL]


@BOTH
def test_only_the_window_is_read(reading, ton_ledger, kind):
    for hours in (50, 30, 20, 1):
        ton_ledger.pay_usdt(CUSTOMER, SHOP, hours, at=ago(3600 * hours), forward=0)

    assert [one.amount for one in reading(kind).transfers(hours=24)] == [1, 20]


@BOTH
def test_a_gap_in_the_index_is_not_yet_known_and_then_one_payment(reading, ton_ledger, kind):
    txs = [ton_ledger.pay_usdt(CUSTOMER, SHOP, 1 + n, forward=0) for n in range(3)]
    ton_ledger.hidden = {txs[1]}
    source = reading(kind)

    pages = source.source.pages(source.wallet, source.asset, *source.window())
    found = [one.tx for one in next(pages).transfers]
    with pytest.raises(NotYetKnownError) as refused:
        next(pages)
    assert refused.value.code == "pay.index_gap"
    # What came before the gap is not lost.
    assert found == [txs[2]]
    ton_ledger.hidden = set()
    assert [one.tx for one in source.transfers()] == txs[::-1]


@BOTH
def test_an_empty_page_where_rows_should_be_is_not_yet_known(reading, ton_ledger, kind):
    txs = [ton_ledger.pay_usdt(CUSTOMER, SHOP, 1 + n, forward=0) for n in range(3)]
    ton_ledger.hidden = set(txs[:2])

    with pytest.raises(NotYetKnownError):
        reading(kind).pages()


@BOTH
def test_an_index_forty_minutes_late_is_stale_then_there_is_one_credit(reading, ton_ledger, kind):
    ton_ledger.index_until = ago(40 * 60)
    tx = ton_ledger.pay_usdt(CUSTOMER, SHOP, 5, at=ago(20 * 60))
    source = reading(kind)

    with pytest.raises(NotYetKnownError) as refused:
        source.source.horizon()
    assert refused.value.code == "pay.index_stale"
    assert source.source.report().state is SourceState.STALE
    ton_ledger.index_until = None
    assert [one.tx for one in reading(kind).transfers()] == [tx]


def test_a_gateway_without_the_head_is_degraded_and_read(reading, ton_ledger):
    tx = ton_ledger.pay_usdt(CUSTOMER, SHOP, 5)
    source = reading("tonapi")
    source.fake.trouble = Trouble(status=404, only="masterchain-head")

    assert [one.tx for one in source.transfers()] == [tx]
    report = source.source.report()
    assert (report.state, report.reason) == (
        SourceState.DEGRADED,
        "It does not tell up to when it has indexed.",
    )


@BOTH
def test_without_a_word_whose_transaction_it_is_the_message_says_it(reading, ton_ledger, kind):
    tx = ton_ledger.pay_usdt(CUSTOMER, SHOP, 5)
    source = reading(kind)
    source.fake.habits.lacks = {"account"}
    assert [one.tx for one in source.transfers()] == [tx]

    ton_ledger.pay_usdt(CUSTOMER, SHOP, 6)
    source.fake.habits.lacks = {"account", "destination"}
    with pytest.raises(UnavailableError) as refused:
        source.pages()
    assert refused.value.code == "pay.bad_answer"


@BOTH
def test_a_server_that_writes_friendly_addresses_hides_no_payment(reading, ton_ledger, kind):
    tx = ton_ledger.pay_usdt(CUSTOMER, SHOP, 5, "A-1")
    source = reading(kind)

    def handle(request, answer=source.fake.handle):
        given = answer(request)
        told = re.sub(
            rb'"(0:[0-9A-Fa-f]{64})"',
            lambda raw: b'"%s"' % friendly(raw[1].decode(), is_bounceable=True).encode(),
            given.content(),
        )
        return Answer(told, given.status, given.headers)

    source.fake.handle = handle
    (told,) = source.transfers()
    assert (told.tx, told.amount, told.sender, told.memo) == (tx, 5, CUSTOMER, "A-1")


@BOTH
def test_a_page_that_comes_for_ever_ends_the_reading(reading, ton_ledger, kind):
    for n in range(450):
        ton_ledger.pay_usdt(CUSTOMER, SHOP, 1 + n, forward=0)
    source = reading(kind)
    source.fake.habits.repeats_first_page = True

    with pytest.raises(UnavailableError) as refused:
        source.pages()
    assert refused.value.code == "pay.bad_answer"
    assert len(source.fake.requests) == 3


@BOTH
@pytest.mark.parametrize("lacking", ["bounced", "aborted", "value"])
def test_a_key_that_is_absent_is_not_false(reading, ton_ledger, kind, lacking):
    ton_ledger.pay_ton(CUSTOMER, SHOP, 5)
    source = reading(kind, "ton")
    source.fake.habits.lacks = {lacking}

    with pytest.raises(UnavailableError) as refused:
        source.pages()
    assert "does not say" in refused.value.reason


@pytest.mark.parametrize(
    ("kind", "lacking"),
    [
        ("tonapi", "action_phase"),
        ("tonapi", "compute_phase"),
        ("toncenter", "action"),
        ("toncenter", "compute_ph"),
    ],
)
def test_jettons_without_a_word_about_a_phase_are_not_judged(reading, ton_ledger, kind, lacking):
    ton_ledger.pay_usdt(CUSTOMER, SHOP, 5)
    source = reading(kind)
    source.fake.habits.lacks = {lacking}

    with pytest.raises(UnavailableError) as refused:
        source.pages()
    assert "phase ended" in refused.value.reason


@pytest.mark.parametrize("asset", ["ton", "usdt-ton"])
@pytest.mark.parametrize(
    ("kind", "lacking"), [("tonapi", "raw_body"), ("toncenter", "message_content")]
)
def test_a_message_that_is_left_out_is_not_an_empty_one(reading, ton_ledger, kind, asset, lacking):
    ton_ledger.pay_ton(CUSTOMER, SHOP, 5, "A-1")
    ton_ledger.pay_usdt(CUSTOMER, SHOP, 5, "A-1")
    source = reading(kind, asset)
    source.fake.habits.lacks = {lacking}

    with pytest.raises(UnavailableError) as refused:
        source.pages()
    assert "leaves out" in refused.value.reason


@pytest.mark.parametrize("finality", ["pending", "confirmed"])
def test_what_may_be_rolled_back_is_shown_and_not_final(reading, ton_ledger, finality):
    tx = ton_ledger.pay_usdt(CUSTOMER, SHOP, 5)
    source = reading("toncenter")
    source.fake.habits.finality = finality

    assert [one.finality for one in source.transfers()] == [Finality.CONFIRMING]
    assert source.receipt(tx) is None


def test_an_older_release_says_finality_by_the_masterchain_block(reading, ton_ledger):
    ton_ledger.pay_usdt(CUSTOMER, SHOP, 5)
    source = reading("toncenter")
    source.fake.habits.finality = None
    assert [one.finality for one in source.transfers()] == [Finality.FINAL]

    source.fake.habits.lacks = {"mc_block_seqno"}
    assert [one.finality for one in source.transfers()] == [Finality.CONFIRMING]


def test_milliseconds_where_seconds_are_meant_are_a_bad_answer(reading, ton_ledger):
    ton_ledger.pay_usdt(CUSTOMER, SHOP, 5)
    source = reading("tonapi")
    source.fake.habits.in_milliseconds = True

    with pytest.raises(UnavailableError) as refused:
        source.pages()
    assert refused.value.code == "pay.bad_answer"


@BOTH
def test_a_receipt_names_what_came_in_or_whose_it_is(reading, ton_ledger, kind):
    tx = ton_ledger.pay_usdt(CUSTOMER, SHOP, 5, "ORDER-1")
    source = reading(kind)

    (transfer,) = source.receipt(tx).transfers
    assert (transfer.amount, transfer.memo, transfer.recipient) == (5, "ORDER-1", SHOP)
    other = source.receipt(ton_ledger.accounts[SHOP][-1].tx)
    assert other.transfers == ()
    assert SHOP in other.reason
    assert source.receipt("00" * 32) is None


@BOTH
def test_both_sources_tell_the_same(reading, ton_ledger, kind):
    for n in range(30):
        ton_ledger.pay_usdt(CUSTOMER, SHOP, 1 + n, f"ORDER-{n}")
    first, second = reading("tonapi"), reading("toncenter")

    def facts(source):
        return [(t.tx, t.amount, t.memo, t.sender, t.at, t.lt) for t in source.transfers()]

    assert facts(first) == facts(second)
    assert len(facts(first)) == 30


@BOTH
def test_a_page_that_is_too_large_is_asked_for_in_parts(reading, ton_ledger, kind):
    body = ton.text_comment("x" * 8000)
    for _ in range(220):
        ton_ledger.add(ton.Transaction(SHOP, CUSTOMER, 5, body, int(ago(600).timestamp())))
    source = reading(kind, "ton")
    source.fake.before = lambda request: None
    ledger_limit = 120

    # A server whose rows are so large that only pages of 120 fit.
    def handle(request, answer=source.fake.handle):
        limit = int(request.query.get("limit", "1"))
        given = answer(request)
        if limit > ledger_limit:
            return type(given)(given.content().ljust(5_000_000), given.status)
        return given

    source.fake.handle = handle
    assert len(source.transfers()) == 220


@BOTH
def test_a_body_that_is_no_message_is_no_income_on_our_jetton_wallet(reading, ton_ledger, kind):
    holder = jetton_wallet_of(SHOP)
    stranger = ton.begin_cell().store_uint(0x178D4519, 32).end_cell()
    for body, aborted in ((None, False), (stranger, True), (ton.text_comment("ORDER-1"), False)):
        ton_ledger.add(
            ton.Transaction(holder, CUSTOMER, 5, body, int(ago(600).timestamp()), aborted=aborted)
        )

    assert reading(kind).transfers() == []


@BOTH
def test_truncated_json_concludes_nothing(reading, ton_ledger, kind):
    ton_ledger.pay_usdt(CUSTOMER, SHOP, 5)
    source = reading(kind)
    window = source.window()
    source.fake.trouble = Trouble(truncates=True)

    with pytest.raises(UnavailableError):
        list(source.source.pages(source.wallet, source.asset, *window))
    assert source.source.report().state is SourceState.DOWN
    source.fake.trouble = None
    assert len(source.transfers()) == 1
    assert source.source.report().state is SourceState.OK
