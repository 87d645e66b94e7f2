"""Parameters of the shipped programs: what is understood, and what is refused with a reason."""

from __future__ import annotations

import pytest

from x0tta_cli.core.errors import NotFoundError, UsageError
from x0tta_cli.ebpf.arguments import network
from x0tta_cli.ebpf.programs import SHIPPED, describe, settings_of


@pytest.mark.parametrize(
    ("rate", "cost_ns", "counts_bytes"),
    [
        ("1000", 1_000_000, 0),
        ("500/s", 2_000_000, 0),
        ("1000000pps", 1000, 0),
        ("8kbit/s", 1_000_000, 1),
        ("1.5Mbit", 5333, 1),
        ("1Gbit/s", 8, 1),
    ],
)
def test_a_rate_is_read_in_packets_or_bits(rate, cost_ns, counts_bytes):
    variables = settings_of("ratelimit", {"rate": rate}).variables
    assert variables["cost_scaled"] // 1024 == cost_ns
    assert variables["counts_bytes"] == counts_bytes


@pytest.mark.parametrize("rate", ["", "0", "-5", "fast", "10MB", "1e3", "7bit/s", "5 /s"])
def test_a_rate_that_means_nothing_is_refused(rate):
    with pytest.raises(UsageError) as caught:
        settings_of("ratelimit", {"rate": rate})
    assert caught.value.code == "ebpf.bad_parameter"


def test_a_burst_holds_what_may_come_at_once():
    packets = settings_of("ratelimit", {"rate": "10/s", "burst": "3"}).variables
    assert packets["depth_ns"] == 3 * 10**8
    # Never so small that the largest packet could not pass at all.
    octets = settings_of("ratelimit", {"rate": "1kbit"}).variables
    assert octets["depth_ns"] == 65_536 * octets["cost_scaled"] // 1024
    with pytest.raises(UsageError, match="burst"):
        settings_of("ratelimit", {"rate": "1kbit", "burst": "1500"})


@pytest.mark.parametrize(
    ("sources", "sets"), [("4", 1), ("5", 2), ("8", 2), ("9", 4), ("65536", 16384)]
)
def test_the_table_of_a_rate_limiter_is_a_power_of_two_of_sets(sources, sets):
    settings = settings_of("ratelimit", {"rate": "1/s", "sources": sources})
    assert settings.map_entries == {"buckets": sets}
    assert settings.variables["last_set"] == sets - 1


@pytest.mark.parametrize(
    ("probability", "threshold"),
    [("0", 0), ("1", 2**32), ("50%", 2**31), ("0.25", 2**30), ("100%", 2**32)],
)
def test_a_probability_is_a_share_or_percents(probability, threshold):
    assert settings_of("drop", {"probability": probability}).variables["threshold"] == threshold


@pytest.mark.parametrize("probability", ["2", "-0.1", "101%", "nan", "often", "%"])
def test_a_probability_beyond_certainty_is_refused(probability):
    with pytest.raises(UsageError) as caught:
        settings_of("drop", {"probability": probability})
    assert caught.value.code == "ebpf.bad_parameter"


def test_neighbours_are_named_by_mac_or_address():
    listed = "02:00:00:00:00:01,198.18.0.1,2001:2::1"
    settings = settings_of("drop", {"probability": "1", "neighbour": listed})
    keys = [key for key, _ in settings.rows["neighbours"]]
    assert keys == [
        bytes.fromhex("020000000001") + bytes(14),
        bytes(10) + b"\xff\xff\xc6\x12\x00\x01" + b"\4\0\0\0",
        bytes.fromhex("20010002") + bytes(11) + b"\1" + b"\6\0\0\0",
    ]
    assert settings.variables["only_listed"] == 1
    with pytest.raises(UsageError, match="neighbour"):
        settings_of("drop", {"probability": "1", "neighbour": "gateway"})


def test_networks_with_bits_beyond_their_prefix_are_refused_and_not_rounded():
    with pytest.raises(UsageError) as caught:
        settings_of("filter", {"deny": "198.18.0.1/24"})
    assert caught.value.code == "ebpf.bad_network"
    assert "host bits" in caught.value.reason
    assert str(network(" 198.18.0.1 ")) == "198.18.0.1/32"


def test_a_network_that_is_named_twice_is_one_row():
    settings = settings_of("filter", {"deny": "198.18.0.0/24,198.18.0.0/24,2001:2::/48"})
    assert len(settings.rows["deny"]) == 2
    assert settings.rows["allow"] == ()


def test_what_a_program_needs_is_asked_for():
    for name, parameter in (("ratelimit", "rate"), ("drop", "probability")):
        with pytest.raises(UsageError, match=parameter) as caught:
            settings_of(name, {})
        assert caught.value.code == "ebpf.parameter_missing"
        assert f"--param {parameter}=" in caught.value.fix


def test_unknown_names_are_answered_with_those_there_are():
    with pytest.raises(UsageError) as caught:
        settings_of("flows", {"flow": "7"})
    assert caught.value.code == "ebpf.unknown_parameter"
    assert "flows, sources" in caught.value.reason
    with pytest.raises(NotFoundError) as missing:
        describe("counter")
    assert missing.value.code == "ebpf.no_such_program"
    assert "count, flows, meter, filter, ratelimit, drop" in missing.value.reason


@pytest.mark.parametrize(
    ("program", "given"),
    [
        ("flows", {"flows": "0"}),
        ("flows", {"sources": "many"}),
        ("meter", {"port": "65536"}),
        ("meter", {"offset": "1024"}),
        ("meter", {"by": "name"}),
        ("filter", {"samples": "-1"}),
    ],
)
def test_values_out_of_their_range_are_refused(program, given):
    with pytest.raises(UsageError) as caught:
        settings_of(program, given)
    assert caught.value.code == "ebpf.bad_parameter"


def test_every_program_says_whether_it_can_drop_and_what_it_does_not_see():
    assert [program.name for program in SHIPPED if program.can_drop] == [
        "filter",
        "ratelimit",
        "drop",
    ]
    for program in SHIPPED:
        assert any("arrives" in note for note in program.notes)
        assert any("deadline" in note for note in program.notes)
        assert program.can_drop is any("unless --strict" in note for note in program.notes)
