"""Programs on real interfaces, in native and generic mode: counters against what was sent."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import time
from ipaddress import ip_address

import pytest
from fakes import frames, veth
from fakes.traffic import EXPERIMENT, MODES, attached, counted, experiment, found, send
from scapy.layers.inet import UDP
from scapy.layers.l2 import Dot1Q

from x0tta_cli.core.errors import ConflictError
from x0tta_cli.ebpf.counters import TopReader, statistics
from x0tta_cli.ebpf.drops import dropped_packets
from x0tta_cli.ebpf.readings import opened_maps

pytestmark = pytest.mark.usefixtures("state")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("frags", [False, True])
def test_count_counts_exactly_what_was_sent(veths, mode, frags):
    sent = [experiment(size) for size in (1, 40, 700, 1400)] * 50
    with attached(veths, "count", mode, frags=frags):
        send(veths, sent)
        assert veth.until(lambda: counted(veths).get("pass", (0,))[0] == 200)
        assert counted(veths) == {"pass": (200, sum(map(len, sent)))}
        assert found(veths).mode == mode


@pytest.mark.parametrize("mode", MODES)
def test_ping_is_counted_and_answered(veths, mode):
    with attached(veths, "count", mode):
        assert veths.ping(10) == 10
        [icmp] = [row for row in statistics(found(veths)).counters if row.protocol == "icmp"]
        # What arrives are the answers: 14 bytes of Ethernet, 20 of IP, 64 of echo.
        assert (icmp.verdict, icmp.packets, icmp.bytes) == ("pass", 10, 980)


@pytest.mark.parametrize("mode", MODES)
def test_iperf3_bytes_are_all_counted_whatever_the_mode_merges(veths, mode):
    with attached(veths, "count", mode):
        sent, received = iperf3(veths)
        rows = statistics(found(veths))
    [tcp] = [row for row in rows.counters if row.protocol == "tcp"]
    # Headers come on top of the payload: 66 bytes on each packet of up to 64 KiB.
    # What was still under way when the test ended was sent, but never read.
    assert received <= tcp.bytes <= sent * 1.10
    mean_bytes = tcp.bytes / tcp.packets
    if mode == "native":
        assert mean_bytes <= 1514
        assert rows.notes == ()
    else:
        assert mean_bytes > 1514
        assert "merged" in rows.notes[0]


def iperf3(pair):
    """Send 20 MB from far to near over TCP; how many bytes were sent, and how many were read."""
    server = subprocess.Popen(
        ["ip", "netns", "exec", pair.netns, "iperf3", "-s", "-B", veth.NEAR],
        stdout=subprocess.DEVNULL,
    )
    line = ["ip", "netns", "exec", pair.beyond, "iperf3", "-c", veth.NEAR, "-n", "20M", "-J"]
    results = []

    def transfer():
        ended = subprocess.run(line, capture_output=True, text=True, check=False, timeout=30)
        results.append(json.loads(ended.stdout)["end"])
        return "sum_received" in results[-1]

    try:
        # The first attempts may come before the server listens.
        assert veth.until(transfer, within_s=30)
    finally:
        server.kill()
        server.wait()
    end = results[-1]
    return end["sum_sent"]["bytes"], end["sum_received"]["bytes"]


@pytest.mark.parametrize("mode", MODES)
def test_flows_of_two_versions_and_a_vlan_are_told_apart(veths, mode):
    def datagram(port):
        udp = UDP(sport=port, dport=9) / (b"x" * 20)
        return frames.ip4(udp, source=frames.FOUR[1], destination=frames.FOUR[0])

    six = frames.ethernet(frames.ip6(UDP(sport=7, dport=9) / (b"x" * 20)))
    tagged = frames.ethernet(Dot1Q(vlan=42) / datagram(5))
    five, other = frames.ethernet(datagram(5)), frames.ethernet(datagram(6))
    with attached(veths, "flows", mode):
        send(veths, [five] * 3 + [other] * 2 + [six, tagged])
        reader = TopReader("flow", 100)
        attachment = found(veths)

        def ports():
            with opened_maps(attachment) as opened:
                talkers = reader.read(attachment, opened).talkers
            return {
                (row.source, row.source_port, row.vlan): row.packets
                for row in talkers
                if row.protocol == "udp" and row.destination_port == 9
            }

        expected = {
            ("198.18.0.2", 5, 0): 3,
            ("198.18.0.2", 6, 0): 2,
            ("198.18.0.2", 5, 42): 1,
            ("2001:2::1", 7, 0): 1,
        }
        assert veth.until(lambda: ports() == expected), ports()


def test_top_gives_the_rates_of_the_time_between_two_readings(veths):
    _, loud, quiet = frames.FOUR
    with attached(veths, "flows"):
        send(veths, [experiment(1000, quiet)] * 50)
        attachment, reader = found(veths), TopReader("source", 9)
        assert veth.until(lambda: counted(veths).get("pass", (0,))[0] == 50)
        with opened_maps(attachment) as opened:
            first = reader.read(attachment, opened)
            assert first.talkers[0].source == "198.18.0.3"
            assert first.talkers[0].bytes_per_second is None
            send(veths, [experiment(1000, loud)] * 10)
            assert veth.until(lambda: counted(veths)["pass"][0] == 60)
            second = reader.read(attachment, opened)
        assert second.talkers[0].source == "198.18.0.2"
        assert second.talkers[0].packets == 10
        seconds = (second.instant - first.instant).total_seconds()
        assert second.talkers[0].packets_per_second == pytest.approx(10 / seconds, rel=0.01)
        [before] = [one for one in second.talkers if one.source == "198.18.0.3"]
        assert before.packets_per_second == 0


def test_loss_on_a_link_is_estimated_from_what_is_missing(veths):
    with attached(veths, "meter", port="4784"):
        numbers = [number for number in range(1000) if number % 10 != 3]
        send(veths, [mesh(number) for number in numbers])
        assert veth.until(lambda: link(veths).received == 900)
        measured = link(veths)
        # The last ten end with 999: nothing after it says that more was sent.
        assert (measured.expected, measured.lost) == (1000, 100)
        assert measured.loss_ratio == pytest.approx(0.1)
        assert sum(measured.jitter) >= 898
        assert measured.jitter_us(0.5) is not None


def mesh(number):
    payload = struct.pack("!I", number) + b"payload"
    return frames.ethernet(frames.ip4(UDP(sport=1, dport=4784) / payload))


def link(pair):
    by_name = {one.neighbour: one for one in statistics(found(pair)).neighbours}
    return by_name[frames.MACS[0]]


@pytest.mark.parametrize("mode", MODES)
def test_an_allow_list_keeps_working_once_the_neighbour_entry_is_gone(veths, mode):
    # Denying everything also denies ARP and NDP, unseen as long as the cache is warm.
    given = {"deny": "0.0.0.0/0,::/0", "allow": veth.FAR}
    with attached(veths, "filter", mode, **given):
        assert veths.ping(3) == 3
        veths.ip("neigh", "flush", "dev", veths.near)
        veths.beyond_ip("neigh", "flush", "dev", veths.far)
        assert veths.ping(3) == 3


def test_kept_hosts_pass_through_a_filter_that_denies_everything(veths):
    with attached(veths, "filter", deny="0.0.0.0/0", keep=[ip_address(veth.FAR)]):
        assert veths.ping(3) == 3
    with attached(veths, "filter", deny="0.0.0.0/0"):
        assert veths.ping(1) == 0


@pytest.mark.parametrize("mode", MODES)
def test_dropped_packets_are_shown_with_their_reason_and_counted_in_full(veths, mode):
    with attached(veths, "filter", mode, deny="198.18.0.3", samples="5"):
        send(veths, [experiment(50, frames.FOUR[2])] * 40 + [experiment(50)] * 3)
        assert veth.until(lambda: len(counted(veths)) == 2 and counted(veths)["drop"][0] == 40)
        read = statistics(found(veths))
        assert [(row.reason, row.packets, row.bytes) for row in read.drops] == [
            ("denied", 40, 40 * 84)
        ]
        samples = list(dropped_packets([found(veths)], follow=False))
        assert 1 <= len(samples) <= 5 * os.cpu_count() * 2
        for sample in samples:
            assert (sample.interface, sample.reason) == (veths.near, "denied")
            assert sample.summary == f"198.18.0.3 > 198.18.0.1 ip-{EXPERIMENT}"
            assert sample.length_bytes == 84
            assert bytes.fromhex(sample.header) == experiment(50, frames.FOUR[2])
            assert abs(time.time() - sample.instant.timestamp()) < 30
        # A sample goes to one reader once.
        assert list(dropped_packets([found(veths)], follow=False)) == []


def test_two_readers_of_the_same_samples_are_refused(veths):
    with attached(veths, "drop", probability="1"):
        send(veths, [experiment()] * 2)
        first = dropped_packets([found(veths)], follow=True)
        assert next(first).reason == "injected"
        with pytest.raises(ConflictError):
            next(dropped_packets([found(veths)], follow=False))
        first.close()
