"""The rate limiter and every deadline, run by the kernel on made-up packets."""

from __future__ import annotations

import time

import pytest
from fakes import xdp_model
from fakes.kernel_runs import EXAMPLES, counted, loaded, many, one_kept, source_frame
from hypothesis import given

from x0tta_cli.ebpf.counters import read_reasons
from x0tta_cli.ebpf.trying import run


def test_ratelimit_lets_a_burst_through_and_no_more():
    with loaded("ratelimit", rate="1/s", burst="7") as program:
        verdicts = [run(program.fd, source_frame(1)).verdict for _ in range(10)]
        assert verdicts == ["pass"] * 7 + ["drop"] * 3
        # Another source has a bucket of its own.
        assert run(program.fd, source_frame(2)).verdict == "pass"
        [reason] = read_reasons(program.maps["reasons"])
        assert (reason.reason, reason.packets) == ("over rate", 3)


def test_ratelimit_counts_bytes_for_a_rate_in_bits():
    with loaded("ratelimit", rate="8bit/s", burst="65536") as program:
        frame = source_frame(1, size=1000 - 34)
        verdicts = [run(program.fd, frame).verdict for _ in range(80)]
        assert verdicts.count("pass") == 65
        assert verdicts[:65] == ["pass"] * 65


def test_ratelimit_fills_up_again_with_time():
    with loaded("ratelimit", rate="50/s", burst="1") as program:
        started = time.monotonic()
        answers: list[str] = []
        while answers.count("pass") < 10 and time.monotonic() < started + 60:
            answers.append(run(program.fd, source_frame(1)).verdict)
        elapsed = time.monotonic() - started
        # The first is the burst; a machine that is slow to ask may miss tokens, never gain one.
        assert answers.count("pass") == 10
        assert elapsed >= 8 / 50
        assert answers.count("drop") > answers.count("pass")


def test_ratelimit_with_a_full_table_limits_new_sources_and_says_so():
    # A plain table that is full would let every new source through.
    with loaded("ratelimit", rate="1/s", burst="2", sources="4") as program:
        first = [run(program.fd, source_frame(number)).verdict for number in range(4)]
        assert first == ["pass"] * 4
        late = [run(program.fd, source_frame(number)).verdict for number in range(100, 150)]
        # All who came too late share one spare bucket of the same depth.
        assert late.count("pass") == 2
        reasons = {r.reason: r.packets for r in read_reasons(program.maps["reasons"])}
        assert reasons == {"over rate, table full": 48}
        # Those with a place of their own still have what was theirs.
        assert run(program.fd, source_frame(0)).verdict == "pass"


def test_ratelimit_gives_places_anew_once_their_buckets_are_full_again():
    with loaded("ratelimit", rate="100/s", burst="1", sources="4") as program:
        for number in range(4):
            run(program.fd, source_frame(number))
        time.sleep(0.05)
        fresh = [run(program.fd, source_frame(number)).verdict for number in range(10, 14)]
        assert fresh == ["pass"] * 4
        assert read_reasons(program.maps["reasons"]) == ()


@EXAMPLES
@given(many)
def test_ratelimit_spares_neighbour_discovery_arp_and_kept_hosts(frames):
    with loaded("ratelimit", rate="1/s", burst="1", keep=[one_kept]) as program:
        for frame in frames:
            run(program.fd, frame)
        for frame in frames:
            seen = xdp_model.parse(frame)
            source = getattr(seen.source, "ipv4_mapped", None) or seen.source
            spared = not seen.family or seen.is_neighbour_discovery or source == one_kept
            assert run(program.fd, frame).verdict == ("pass" if spared else "drop")


DROPPING = {
    "filter": {"deny": "0.0.0.0/0,::/0"},
    "ratelimit": {"rate": "1/s", "burst": "1", "sources": "4"},
    "drop": {"probability": "1"},
}


@pytest.mark.parametrize("name", ["count", "flows", "meter", *DROPPING])
@pytest.mark.parametrize("frags", [False, True])
def test_past_its_deadline_every_program_passes_everything(name, frags):
    given = DROPPING.get(name, {})
    past = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    with loaded(name, frags=frags, deadline=past, **given) as program:
        assert [run(program.fd, source_frame(1)).verdict for _ in range(5)] == ["pass"] * 5
        assert counted(program) == {}
        assert program.deadline_ns == past


@pytest.mark.parametrize("name", DROPPING)
def test_a_deadline_ends_the_dropping_while_it_runs(name):
    soon = time.clock_gettime_ns(time.CLOCK_BOOTTIME) + 200_000_000
    with loaded(name, deadline=soon, strict=True, **DROPPING[name]) as program:
        run(program.fd, source_frame(1))
        assert run(program.fd, source_frame(1)).verdict == "drop"
        while time.clock_gettime_ns(time.CLOCK_BOOTTIME) < soon:
            time.sleep(0.01)
        assert run(program.fd, source_frame(1)).verdict == "pass"
