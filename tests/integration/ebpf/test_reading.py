"""What attached programs count and keep, blocked, exported and read while traffic passes."""

from __future__ import annotations

import os
import socket
import subprocess
from dataclasses import replace
from ipaddress import IPv4Address, ip_address

import pytest
from fakes import frames, veth
from fakes.traffic import EXPERIMENT, NATIVE, attached, counted, experiment, found, send
from prometheus_client import generate_latest

from x0tta_cli.core.errors import NotFoundError, UnavailableError
from x0tta_cli.ebpf import attachments, namespaces, syscalls
from x0tta_cli.ebpf.blocking import RuleRequest, change, denies, list_rules
from x0tta_cli.ebpf.counters import statistics
from x0tta_cli.ebpf.exporting import registry_of
from x0tta_cli.ebpf.loading import load
from x0tta_cli.ebpf.pins import DEFAULT_FILESYSTEM
from x0tta_cli.ebpf.readings import chosen
from x0tta_cli.ebpf.runtimes import with_run_times

pytestmark = pytest.mark.usefixtures("state")


def test_networks_are_blocked_and_freed_while_the_filter_runs(veths):
    def request(*networks, **given):
        return RuleRequest(networks, (veths.near,), veths.netns, DEFAULT_FILESYSTEM, **given)

    with attached(veths, "filter", allow="198.18.0.128/25"):
        assert veths.ping(2) == 2
        changes = change(request("198.18.0.0/24", "2001:2::/48"))
        assert [one.changed for one in changes.changes] == [True, True]
        # A wider network that matches is another entry, and no reason to leave this one out.
        assert change(request("198.18.0.0/25")).would_change
        assert not change(request("198.18.0.0/24")).would_change
        assert veths.ping(2) == 0
        assert denies(request("198.18.0.0/24"), ip_address(veth.FAR))
        assert not denies(request("198.18.9.0/24"), ip_address(veth.FAR))
        rules = list_rules([veths.near], veths.netns, DEFAULT_FILESYSTEM)
        listed = {(rule.list, rule.network): rule.packets for rule in rules}
        assert listed[("deny", "198.18.0.0/25")] == 2
        assert listed[("allow", "198.18.0.128/25")] == 0
        assert change(request("198.18.0.0/25", removes=True)).would_change
        assert veths.ping(1) == 0
        assert change(request("198.18.0.0/24", removes=True)).would_change
        assert not change(request("198.18.0.0/24", removes=True)).would_change
        assert veths.ping(2) == 2


def test_a_full_filter_says_that_it_has_no_room(veths, tmp_path):
    networks = tmp_path / "networks"
    networks.write_text("\n".join(str(IPv4Address(0x0A000000 + each)) for each in range(1 << 16)))
    with attached(veths, "filter", deny=f"@{networks}"):
        one = RuleRequest(("198.19.0.1",), (veths.near,), veths.netns, DEFAULT_FILESYSTEM)
        with pytest.raises(UnavailableError) as told:
            change(one)
        assert told.value.code == "ebpf.map_full"
        change(replace(one, networks=("10.0.0.1",), removes=True))
        assert change(one).would_change


def test_what_keeps_no_rules_is_named_where_there_is_no_filter(veths):
    with attached(veths, "count"), pytest.raises(NotFoundError, match="keeps deny") as caught:
        list_rules([veths.near], veths.netns, DEFAULT_FILESYSTEM)
    assert caught.value.code == "ebpf.nothing_to_read"
    assert "count" in caught.value.reason


def metrics(registry):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
    }


def test_exported_counters_never_go_backwards_when_entries_are_evicted(veths):
    def find():
        return attachments.list_all(veths.netns)

    registry = registry_of(find)
    with attached(veths, "flows", flows="16", sources="16"):
        before = metrics(registry)
        sent = 0
        for first in range(4):
            send(veths, [experiment(20, f"198.19.{first}.{last}") for last in range(100)])
            sent += 100
            assert veth.until(lambda sent=sent: counted(veths).get("pass", (0,))[0] == sent)
            now = metrics(registry)
            assert all(now[series] >= value for series, value in before.items())
            before = now
    series = [key for key in before if ("protocol", f"ip-{EXPERIMENT}") in key]
    assert [before[key] for key in series if "packets" in key[0]] == [400]
    names = {label for key in before for label, _ in key[1:]}
    assert names == {"interface", "mode", "program", "protocol", "verdict"}


def test_exported_counters_say_what_they_do_not_see(veths):
    with attached(veths, "count"):
        text = generate_latest(registry_of(lambda: found_all(veths))).decode()
    helps = [line for line in text.splitlines() if line.startswith("# HELP x0tta_ebpf_packets_")]
    assert len(helps) == 1
    for words in ("ingress only", "merged: compare bytes", "VLAN tags"):
        assert words in helps[0]


def test_of_many_neighbours_the_first_64_are_exported_by_name_and_the_others_together(veths):
    def sources(number):
        return [
            frames.ethernet(bytes(50), type=0x88B5, source=f"02:00:00:00:01:{each:02x}")
            for each in range(number)
        ]

    registry = registry_of(lambda: attachments.list_all(veths.netns))
    with attached(veths, "meter"):
        send(veths, sources(100))
        assert veth.until(lambda: len(statistics(found(veths)).neighbours) >= 100)
        named = {
            dict(key[1:])["neighbour"]: value
            for key, value in metrics(registry).items()
            if key[0] == "x0tta_ebpf_neighbour_packets_total"
        }
    assert len(named) == 65
    assert sum(value for name, value in named.items() if name != "other") >= 64
    assert named["other"] >= 36


def test_exported_counters_go_on_where_a_program_is_attached_anew(veths):
    registry = registry_of(lambda: attachments.list_all(veths.netns))
    seen = []
    for _ in range(2):
        with attached(veths, "count"):
            metrics(registry)
            send(veths, [experiment()] * 5)
            assert veth.until(lambda: counted(veths).get("pass", (0,))[0] == 5)
            values = metrics(registry)
            seen += [
                value
                for key, value in values.items()
                if ("protocol", f"ip-{EXPERIMENT}") in key and "packets" in key[0]
            ]
    assert seen == [5, 10]


def test_the_same_program_on_two_interfaces_counts_them_apart(veths):
    veths.add_second()
    with attached(veths, "count"):
        program = load("count", parameters={}, link_type="ethernet", frags=True)
        with namespaces.entered(veths.netns):
            other = syscalls.create_link(program.fd, socket.if_nametoindex("near2"), NATIVE)
        try:
            send(veths, [experiment()] * 7)
            assert veth.until(lambda: counted(veths).get("pass", (0,))[0] == 7)
            both = chosen([], veths.netns, "counters", DEFAULT_FILESYSTEM)
            assert {one.interface for one in both} == {veths.near, "near2"}
            [second] = [one for one in both if one.interface == "near2"]
            protocols = {row.protocol for row in statistics(second).counters}
            assert f"ip-{EXPERIMENT}" not in protocols
        finally:
            os.close(other)
            program.close()


def test_one_program_on_two_interfaces_is_read_once_and_says_so(veths):
    veths.add_second()
    with attached(veths, "count"):
        [first] = found_all(veths)
        descriptor = syscalls.open_program(first.id)
        with namespaces.entered(veths.netns):
            other = syscalls.create_link(descriptor, socket.if_nametoindex("near2"), NATIVE)
        try:
            send(veths, [experiment()] * 7)
            assert veth.until(lambda: counted(veths).get("pass", (0,))[0] == 7)
            [joined] = chosen([], veths.netns, "counters", DEFAULT_FILESYSTEM)
            assert joined.interface == "near+near2"
            values = metrics(registry_of(lambda: [joined]))
            packets = [
                value
                for key, value in values.items()
                if ("protocol", f"ip-{EXPERIMENT}") in key and "packets" in key[0]
            ]
            assert packets == [7]
            assert "One program is on near and near2" in statistics(first).notes[0]
        finally:
            os.close(other)
            os.close(descriptor)


def found_all(veths):
    return chosen([], veths.netns, "counters", DEFAULT_FILESYSTEM)


def test_run_times_are_measured_only_when_asked_and_say_what_that_costs(veths):
    with attached(veths, "count"):
        read = [statistics(found(veths))]
        assert read[0].run_time is None
        [one] = with_run_times(read, 0.2)
        quiet = one.run_time.runs
        sending = subprocess.Popen(
            [
                "ip",
                "netns",
                "exec",
                veths.beyond,
                "ping",
                "-q",
                "-i",
                "0.01",
                "-c",
                "60",
                veth.NEAR,
            ],
            stdout=subprocess.DEVNULL,
        )
        try:
            [one] = with_run_times(read, 0.5)
        finally:
            sending.kill()
            sending.wait()
        assert one.run_time.runs > quiet
        assert one.run_time.mean_ns > 0
        assert one.run_time.measuring_ns >= 0
