"""A month's sums: exact, in UTC, and nothing counted that nobody vouches for."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from fakes.till import BEGIN, Till

from x0tta_cli.core.errors import UsageError
from x0tta_cli.pay.amounts import LARGEST
from x0tta_cli.pay.model import Finality
from x0tta_cli.pay.report.page import render_page
from x0tta_cli.pay.report.summary import report_of

pytestmark = pytest.mark.slow

NOW = datetime(2026, 12, 2, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\u202e &amp; \x1b[2J"


@pytest.fixture
def till(state):
    made = Till()
    yield made
    made.ledger.close()


def report(till, period="2026-11", now=NOW):
    return report_of(till.ledger, period, now)


def test_orders_are_summed_by_asset_and_state(till):
    till.expect("A-1", 1000)
    till.expect("A-2", 500)
    till.expect("A-3", 7)
    till.expect("T-1", 5_000_000, asset="usdt-trc20")
    till.receive(till.transfer(1000, "A-1"), till.transfer(200, "A-2"))
    found = [
        (one.asset, one.state.value, one.orders, one.amount, one.received)
        for one in report(till).totals
    ]
    assert found == [
        ("usdt-trc20", "expected", 1, "5000000", "0"),
        ("ton", "expected", 1, "7", "0"),
        ("ton", "paid", 1, "1000", "1000"),
        ("ton", "underpaid", 1, "500", "200"),
    ]


def test_a_day_begins_and_ends_in_utc(till):
    last_instant = datetime(2026, 11, 30, 23, 59, 59, 999_000, tzinfo=UTC)
    till.expect("A-1", 1000)
    till.expect("A-2", 1000)
    till.receive(
        till.transfer(1000, "A-1", at=last_instant),
        till.transfer(1000, "A-2", at=last_instant + timedelta(milliseconds=1)),
    )
    assert [(one.day, one.amount) for one in report(till).received] == [("2026-11-30", "1000")]
    december = report(till, "2026-12").received
    assert [(one.day, one.amount) for one in december] == [("2026-12-01", "1000")]


def test_an_order_counts_in_the_month_in_which_it_became_valid(till):
    till.expect("A-1", 1000, begin=datetime(2026, 10, 31, 23, 59, tzinfo=UTC))
    till.receive(till.transfer(1000, "A-1"))
    found = report(till)
    assert found.totals == ()
    assert [one.amount for one in found.received] == ["1000"]
    assert [one.orders for one in report(till, "2026-10").totals] == [1]


def test_sums_beyond_64_bits_are_exact(till):
    for number in range(3):
        till.expect(f"A-{number}", LARGEST - number)
    [total] = report(till).totals
    assert int(total.amount) == 3 * LARGEST - 3


def test_what_a_second_source_has_to_agree_with_counts_once_it_does(till):
    amount = 5_000 * 10**9
    till.expect("A-1", amount)
    told = till.transfer(amount, "A-1")
    till.receive(told)
    assert report(till).received == ()
    till.receive(till.transfer(amount, "A-1", tx=told.tx, source="toncenter"))
    assert till.state("A-1") == "paid"
    assert [(one.transfers, one.amount) for one in report(till).received] == [(1, str(amount))]


def test_a_small_payment_beside_a_large_one_is_counted_once(till):
    till.expect("A-1", 900 * 10**9)
    large = till.transfer(1_100 * 10**9, "A-1")
    till.receive(till.transfer(900 * 10**9, "A-1"), large)
    assert [one.amount for one in report(till).received] == [str(900 * 10**9)]
    till.receive(till.transfer(1_100 * 10**9, "A-1", tx=large.tx, source="toncenter"))
    assert [one.amount for one in report(till).received] == [str(2_000 * 10**9)]
    assert till.order("A-1").received == str(2_000 * 10**9)


def test_what_sources_contradict_each_other_about_is_no_income(till):
    till.expect("A-1", 1000)
    told = till.transfer(1000, "A-1")
    till.receive(told)
    till.receive(till.transfer(999, "A-1", tx=told.tx, source="toncenter"))
    found = report(till)
    assert (till.state("A-1"), found.received, found.attention_count) == ("conflicting", (), 1)
    assert [order.order for order in found.attention] == ["A-1"]


def test_transfers_that_belong_to_nobody_are_summed_apart(till):
    till.receive(
        till.transfer(7, "what is this"),
        till.transfer(5, at=BEGIN - timedelta(days=1)),
        till.transfer(3, asset="usdt-trc20", finality=Finality.LISTED, log_index=None),
    )
    found = report(till)
    summed = found.unmatched_totals
    assert [(one.asset, one.transfers, one.listed, one.amount) for one in summed] == [
        ("usdt-trc20", 1, 1, "3"),
        ("ton", 1, 0, "7"),
    ]
    assert {one.amount for one in found.unmatched} == {"3", "7"}
    assert found.received == ()


def test_a_month_that_is_not_over_says_so(till):
    assert report(till).is_over
    early = report(till, now=datetime(2026, 11, 20, tzinfo=UTC))
    assert not early.is_over
    assert "not over yet" in render_page(early)


def test_without_a_ledger_nothing_came(state):
    found = report_of(None, "2026-11", NOW)
    assert (found.totals, found.received, found.unmatched) == ((), (), ())
    assert "no orders" in render_page(found)


@pytest.mark.parametrize(
    "period", ["", "november", "2026-13", "2026-1", "2026-11-01", "２０２６-11"]
)
def test_what_is_no_month_is_refused(period):
    with pytest.raises(UsageError) as raised:
        report_of(None, period, NOW)
    assert raised.value.code == "pay.bad_period"


class Page(HTMLParser):
    """What a page holds: its tags, their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.links, self.text = set(), [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data):
        self.text += data


def test_a_memo_from_outside_stays_text_on_the_page(till):
    till.expect("A-1", 1000, memo="<marquee>bold</marquee>")
    till.receive(till.transfer(900, "<marquee>bold</marquee>"), till.transfer(5, HOSTILE))
    html = render_page(report(till))
    page = Page(html)
    assert "script" not in page.tags
    assert "marquee" not in page.tags
    assert "<marquee>bold</marquee>" in page.text
    assert "<script>alert(1)</script>\\u202e &amp; [2J" in page.text
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x1b]", html)


def test_a_page_loads_nothing_and_links_to_explorers_alone(till):
    till.expect("A-1", 1000)
    till.receive(till.transfer(1000, "A-1"), till.transfer(5, "x"))
    page = Page(render_page(report(till)))
    assert "svg" in page.tags
    outside = [link for link in page.links if not link.startswith("#")]
    assert len(outside) == 1
    assert outside[0].startswith("https://tonviewer.com/transaction/")


def test_the_same_report_gives_the_same_bytes(till):
    till.expect("A-1", 1000)
    till.receive(till.transfer(1000, "A-1"))
    found = report(till)
    assert render_page(found) == render_page(found)


def test_the_page_says_what_a_bar_is_in_exact_words(till):
    till.expect("A-1", 1_234_567_890_123)
    till.receive(till.transfer(1_234_567_890_123, "A-1", source="tonapi"))
    # Above the quorum: nothing is drawn before a second source agrees.
    assert "1\u202f234.567890123 TON in 1 transfer" not in render_page(report(till))
    till.expect("A-2", 987_654_321_098)
    till.receive(till.transfer(987_654_321_098, "A-2"))
    assert "1 Nov: 987.654321098 TON in 1 transfer" in render_page(report(till))
