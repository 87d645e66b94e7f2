"""Limits: rates, budgets of a day, blocks of half a minute, and keys."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from fakes.chains.server import Trouble
from fakes.chains.trongrid import SUSPENDED

from x0tta_cli.core import secrets
from x0tta_cli.core.errors import NotPermittedError, NotYetKnownError, UnavailableError
from x0tta_cli.pay.chains.probe import look_at_sources
from x0tta_cli.pay.chains.protocol import planned_requests
from x0tta_cli.pay.chains.registry import CountedHere, CountedInState, open_sources
from x0tta_cli.pay.chains.settings import SourceSettings
from x0tta_cli.pay.chains.turnstile import BLOCK, Turnstile
from x0tta_cli.pay.model import SourceState

pytestmark = pytest.mark.slow

KINDS = pytest.mark.parametrize("kind", ["trongrid", "tronscan", "tonapi", "toncenter"])
TODAY = date(2026, 11, 25)


def test_a_server_that_counts_strictly_refuses_none(reading):
    source = reading("trongrid", requests_per_second=15, limit_per_second=15)

    for _ in range(40):
        source.receipt("00" * 32)
    assert source.fake.refused == 0
    assert source.source.report().refused == 0


def test_several_threads_together_keep_to_the_rate(reading):
    source = reading("trongrid", requests_per_second=15, limit_per_second=15)

    def ask():
        for _ in range(8):
            source.receipt("00" * 32)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (source.fake.refused, len(source.fake.requests)) == (0, 32)


def test_a_place_is_free_a_second_after_its_answer(clock):
    turnstile = Turnstile("grid", clock, CountedHere(), per_second=2)
    assert [turnstile.reserve(), turnstile.reserve()] == [0.0, 0.0]
    turnstile.answered()
    clock.slept_s += 0.25
    turnstile.answered()

    assert 0.7 < turnstile.reserve() <= 0.75
    assert 0.95 < turnstile.reserve() <= 1.0


def test_a_rate_below_one_stretches_the_second(clock):
    turnstile = Turnstile("grid", clock, CountedHere(), per_second=0.25)
    turnstile.reserve()
    turnstile.answered()

    assert 3.9 < turnstile.reserve() <= 4.0


@KINDS
@pytest.mark.parametrize("status", [429, 503])
def test_a_throttled_source_is_degraded_not_down_and_left_alone(reading, kind, status):
    source = reading(kind)
    source.fake.trouble = Trouble(status=status, requests=1)

    with pytest.raises(UnavailableError) as refused:
        source.source.horizon()
    assert refused.value.code == "pay.source_throttled"
    assert refused.value.context["retry_after_s"] == 30
    with pytest.raises(UnavailableError):
        source.source.horizon()
    # The second time it was not even asked.
    assert len(source.fake.requests) == 1
    report = source.source.report()
    assert (report.state, report.refused) == (SourceState.DEGRADED, 1)


def test_the_403_that_speaks_of_frequency_is_a_block_and_not_a_wrong_key(reading):
    import json

    source = reading("trongrid", key="a-key-of-trongrid")
    source.fake.trouble = Trouble(status=403, body=json.dumps(SUSPENDED).encode(), requests=1)

    with pytest.raises(UnavailableError) as refused:
        source.source.horizon()
    assert refused.value.code == "pay.source_throttled"
    assert "frequency limit" in refused.value.reason


def test_a_403_without_a_key_is_a_block(reading):
    source = reading("trongrid")
    source.fake.trouble = Trouble(status=403, body=b"Forbidden")

    with pytest.raises(UnavailableError, match="too often"):
        source.source.horizon()


@KINDS
def test_patience_waits_a_block_out_and_goes_on(reading, clock, kind):
    source = reading(kind, patience_s=60)
    source.fake.trouble = Trouble(status=429, requests=1)

    assert source.source.horizon()
    assert 29 < clock.slept_s <= 30
    report = source.source.report()
    assert (report.state, report.refused, report.requests) == (SourceState.DEGRADED, 1, 2)


def test_a_longer_retry_after_is_kept_to(reading, clock):
    source = reading("toncenter", patience_s=300)
    source.fake.trouble = Trouble(status=429, headers={"retry-after": "120"}, requests=1)

    assert source.source.horizon()
    assert 119 < clock.slept_s <= 120


def test_a_retry_after_of_years_gives_no_source_up(reading, clock):
    source = reading("toncenter")
    source.fake.trouble = Trouble(status=429, headers={"retry-after": "999999999"}, requests=1)

    with pytest.raises(UnavailableError) as raised:
        source.source.horizon()
    assert raised.value.context["retry_after_s"] == 86_400
    clock.sleep(86_401)
    # By this clock the index is a day behind; it is asked all the same.
    with pytest.raises(NotYetKnownError):
        source.source.horizon()
    assert len(source.fake.requests) == 2


def test_what_was_read_before_a_block_is_kept_and_read_on(reading, tron_ledger, clock):
    source = reading("trongrid")
    sent = {tron_ledger.transfer(source.wallet, source.wallet, 1 + n) for n in range(450)}
    since, until = source.window()
    pages = source.source.pages(source.wallet, source.asset, since, until)
    first = next(pages)
    source.fake.trouble = Trouble(status=503, requests=1)
    with pytest.raises(UnavailableError, match="too often"):
        next(pages)

    clock.slept_s += 31
    rest = list(source.source.pages(source.wallet, source.asset, since, until, first.cursor))
    assert {one.tx for page in (first, *rest) for one in page.transfers} == sent


@KINDS
def test_a_wrong_key_is_refused_and_never_shown(reading, kind):
    source = reading(kind, key="wrong-key-0815", server_key="right-key")

    with pytest.raises(NotPermittedError) as refused:
        source.source.horizon()
    assert refused.value.code == "pay.key_refused"
    assert "0815" not in secrets.redact(f"{refused.value.reason} wrong-key-0815")
    assert source.source.report().state is SourceState.DOWN


@KINDS
def test_a_right_key_is_taken(reading, kind):
    assert reading(kind, key="right-key-4711", server_key="right-key-4711").source.horizon()


@KINDS
def test_a_server_that_closes_the_connection_is_down_and_back_afterwards(reading, kind):
    source = reading(kind)
    source.fake.trouble = Trouble(is_down=True)

    with pytest.raises(UnavailableError) as refused:
        source.source.horizon()
    assert refused.value.code == "http.unreachable"
    assert source.source.report().state is SourceState.DOWN
    source.fake.trouble = None
    assert source.source.horizon()
    assert source.source.report().state is SourceState.OK


@KINDS
def test_a_flap_is_lived_through(reading, kind):
    source = reading(kind)
    source.fake.trouble = Trouble(status=502, requests=1)

    assert source.source.horizon()
    assert source.source.report().requests == 2


@KINDS
@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(truncates=True),
        Trouble(pads_to=5_000_000),
        Trouble(body=b"<html>log in, please</html>"),
        Trouble(body=b"[]"),
        Trouble(body=b"null"),
        Trouble(body=b"{}"),
        Trouble(body=b'{"data":[7],"token_transfers":[7],"transactions":[7]}'),
        Trouble(body=b"[" * 100_000),
        Trouble(status=301),
    ],
    ids=["truncated", "5 MB", "page", "list", "null", "empty", "shape", "deep", "moved"],
)
def test_an_answer_of_another_kind_concludes_nothing(reading, kind, trouble):
    source = reading(kind)
    window = source.window()
    source.fake.trouble = trouble

    with pytest.raises(UnavailableError):
        list(source.source.pages(source.wallet, source.asset, *window))
    assert source.source.report().state is SourceState.DOWN


def test_a_day_has_so_many_requests_and_no_more(reading):
    usage = CountedHere()
    source = reading("trongrid", usage=usage, requests_per_day=3)

    for _ in range(3):
        source.receipt("00" * 32)
    assert source.source.allowance().left_today == 0
    with pytest.raises(UnavailableError) as refused:
        source.receipt("00" * 32)
    assert refused.value.code == "pay.budget_spent"
    report = source.source.report()
    assert (report.state, report.requests) == (SourceState.DEGRADED, 3)
    assert len(source.fake.requests) == 3


def test_the_next_day_has_its_own_budget(reading, clock):
    source = reading("trongrid", requests_per_day=1)
    source.receipt("00" * 32)

    clock.slept_s += 86_400
    assert source.receipt("00" * 32) is None


def test_the_budget_is_kept_over_runs_and_unused_requests_go_back(state, clock):
    for left in (97, 94):
        turnstile = Turnstile("grid", clock, CountedInState(), per_day=100)
        for _ in range(3):
            turnstile.reserve()
        assert turnstile.left_today() == left
        turnstile.close()

    other = Turnstile("scan", clock, CountedInState(), per_day=100)
    assert other.left_today() == 100


def test_a_run_that_is_killed_has_counted_too_many_never_too_few(state, clock):
    killed = Turnstile("grid", clock, CountedInState(), per_day=1000)
    killed.reserve()

    assert CountedInState().used("grid", clock.now().date()) == BLOCK


def test_two_runs_together_never_exceed_a_budget(state):
    granted = []

    def take():
        usage = CountedInState()
        granted.extend(usage.reserve("grid", TODAY, 7, 100) for _ in range(10))

    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == 100


@pytest.mark.parametrize("content", [b"", b"[]", b'{"day": 3}', b'{"day":"2026-11-25"}', b"\xff"])
def test_a_damaged_count_is_as_good_as_none(state, content):
    file = state / "pay" / "requests.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)

    assert CountedInState().used("grid", TODAY) == 0
    assert CountedInState().reserve("grid", TODAY, 5, 100) == 5
    assert CountedInState().used("grid", TODAY) == 5
    assert CountedInState().used("grid", TODAY + timedelta(days=1)) == 0


def test_what_a_wallet_will_cost_is_known_before(reading):
    grid, scan = reading("trongrid").source, reading("tronscan").source

    assert planned_requests(grid, 0) == 2
    assert planned_requests(grid, 450) == 4
    assert planned_requests(grid, 400, receipts=7) == 10
    assert planned_requests(scan, 450) == 10


def test_all_configured_sources_are_opened_and_the_doctor_sees_which_are_well(reading):
    well = reading("trongrid").fake
    ill = reading("toncenter").fake
    slow = reading("tonapi").fake
    ill.trouble = Trouble(is_down=True)
    slow.trouble = Trouble(status=429)
    sources = {
        "grid": SourceSettings(kind="trongrid", base_url=well.url),
        "center": SourceSettings(kind="toncenter", base_url=ill.url, requests_per_second=100),
        "api": SourceSettings(kind="tonapi", base_url=slow.url),
    }
    with open_sources(sources, usage=CountedHere()) as opened:
        assert {name: source.kind for name, source in opened.items()} == {
            "grid": "trongrid",
            "center": "toncenter",
            "api": "tonapi",
        }

    observed = look_at_sources(sources)
    assert observed.summary == "grid well"
    assert [(one.object, one.code, one.severity.value) for one in observed.findings] == [
        ("pay.sources.center", "http.unreachable", "error"),
        ("pay.sources.api", "pay.source_throttled", "warning"),
    ]
