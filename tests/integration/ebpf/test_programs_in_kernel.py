"""Every shipped program, run by the kernel on made-up packets, against a model in plain Python."""

from __future__ import annotations

import struct
from collections import Counter
from ipaddress import ip_address, ip_network

import pytest
from fakes import packets, xdp_model
from fakes.frames import MACS, ethernet, ip4, ip6
from fakes.kernel_runs import EXAMPLES, counted, loaded, many, one_kept, source_frame
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import UDP

from x0tta_cli.ebpf import maps
from x0tta_cli.ebpf.addresses import neighbour_name
from x0tta_cli.ebpf.counters import FLOW, LINK, SOURCE, TRAFFIC, read_reasons
from x0tta_cli.ebpf.protocols import protocol_name
from x0tta_cli.ebpf.syscalls import map_info
from x0tta_cli.ebpf.trying import run


def expected_counts(frames, verdicts, link_type="ethernet"):
    sums = Counter()
    octets = Counter()
    for frame, verdict in zip(frames, verdicts, strict=True):
        key = protocol_name(xdp_model.parse(frame, link_type).counted), verdict
        sums[key] += 1
        octets[key] += len(frame)
    return {key: (sums[key], octets[key]) for key in sums}


@pytest.mark.parametrize("frags", [False, True])
def test_count_counts_what_the_model_counts(frags):
    @EXAMPLES
    @given(many)
    def check(frames):
        with loaded("count", frags=frags) as program:
            verdicts = [run(program.fd, frame).verdict for frame in frames]
            assert verdicts == ["pass"] * len(frames)
            assert counted(program) == expected_counts(frames, verdicts)

    check()


@EXAMPLES
@given(st.lists(packets.raw_ip_packets, min_size=1, max_size=12))
def test_count_reads_packets_without_an_ethernet_header(raw):
    with loaded("count", link_type="ip") as program:
        for packet in raw:
            run(program.fd, packet)
        assert counted(program) == expected_counts(raw, ["pass"] * len(raw), "ip")


@settings(EXAMPLES, max_examples=25)
@given(many)
def test_flows_are_told_apart_as_the_model_does(frames):
    with loaded("flows", flows="1024", sources="1024") as program:
        for frame in frames:
            assert run(program.fd, frame).verdict == "pass"
        flows, sources = Counter(), Counter()
        for frame in frames:
            seen = xdp_model.parse(frame)
            if seen.family:
                ports = seen.ports
                flows[
                    seen.source, seen.destination, *ports, seen.vlan, seen.family, seen.protocol
                ] += len(frame)
                sources[seen.source, seen.vlan] += len(frame)
        rows = maps.read(program.maps["flows"])
        assert {flow_of(key): total for key, total in totals(rows, FLOW)} == dict(flows)
        rows = maps.read(program.maps["sources"])
        found = {
            (address(key["source"], key["family"]), int(key["vlan"])): total
            for key, total in totals(rows, SOURCE)
        }
        assert found == dict(sources)


def address(key, family):
    raw = key.tobytes()
    # An IPv6 packet may bear a mapped address itself: the family says which is meant.
    return ip_address(raw[12:]) if family == 4 else ip_address(raw)


def flow_of(key):
    return (
        address(key["source"], key["family"]),
        address(key["destination"], key["family"]),
        int(key["source_port"]),
        int(key["destination_port"]),
        int(key["vlan"]),
        int(key["family"]),
        int(key["protocol"]),
    )


def totals(rows, form):
    summed = rows.values_as(TRAFFIC)["bytes"].sum(axis=1)
    return list(zip(rows.keys_as(form), summed.tolist(), strict=True))


networks = st.sampled_from(
    [
        "0.0.0.0/0",
        "198.18.0.0/24",
        "198.18.0.1/32",
        "198.18.0.2/31",
        "::/0",
        "2001:2::/48",
        "2001:2::1/128",
    ]
)


def is_denied(seen, deny, allow):
    def longest(listed):
        fitting = [
            net.prefixlen
            for net in map(ip_network, listed)
            if seen.source and net.version == seen.source.version and seen.source in net
        ]
        return max(fitting, default=-1)

    return longest(deny) > longest(allow)


@pytest.mark.parametrize("strict", [False, True])
def test_filter_drops_what_the_model_drops(strict):
    @EXAMPLES
    @given(many, st.sets(networks, max_size=4), st.sets(networks, max_size=3))
    def check(frames, deny, allow):
        given = {"deny": ",".join(deny), "allow": ",".join(allow)}
        with loaded("filter", keep=[one_kept], strict=strict, **given) as program:
            verdicts = [run(program.fd, frame).verdict for frame in frames]
            assert verdicts == [model_filter(frame, deny, allow, strict) for frame in frames]
            assert counted(program) == expected_counts(frames, verdicts)
            dropped = [len(f) for f, v in zip(frames, verdicts, strict=True) if v == "drop"]
            [*reasons] = read_reasons(program.maps["reasons"])
            assert sum(reason.packets for reason in reasons) == len(dropped)
            assert sum(reason.bytes for reason in reasons) == sum(dropped)
            assert {reason.reason for reason in reasons} <= {"denied"}

    check()


def model_filter(frame, deny, allow, strict):
    seen = xdp_model.parse(frame)
    is_arp = seen.counted == xdp_model.ARP
    if not seen.family and not (strict and is_arp):
        return "pass"
    if not is_denied(seen, deny, allow):
        return "pass"
    if strict:
        return "drop"
    spared = is_arp or seen.is_neighbour_discovery or seen.source == one_kept
    return "pass" if spared else "drop"


def test_rules_for_all_of_ipv6_leave_ipv4_alone_and_the_other_way_round():
    four = ethernet(ip4(bytes(20), proto=17))
    six = ethernet(ip6(bytes(20), nh=17))
    for deny, expected in (("::/0", ["pass", "drop"]), ("0.0.0.0/0", ["drop", "pass"])):
        with loaded("filter", deny=deny) as program:
            assert [run(program.fd, frame).verdict for frame in (four, six)] == expected


@pytest.mark.parametrize("strict", [False, True])
def test_drop_loses_all_or_none_of_whom_it_is_told_to(strict):
    chosen = ["198.18.0.1", "02:00:00:00:00:02", "2001:2::3"]

    @EXAMPLES
    @given(many, st.sampled_from(["0", "1"]), st.lists(st.sampled_from(chosen), max_size=2))
    def check(frames, probability, listed):
        given = {"probability": probability}
        given |= {"neighbour": ",".join(listed)} if listed else {}
        with loaded("drop", keep=[one_kept], strict=strict, **given) as program:
            verdicts = [run(program.fd, frame).verdict for frame in frames]
            expected = [model_drop(frame, probability, listed, strict) for frame in frames]
            assert verdicts == expected

    check()


def model_drop(frame, probability, listed, strict):
    seen = xdp_model.parse(frame)
    names = {frame[6:12].hex(":")}
    if seen.family:
        names.add(str(seen.source))
    if probability == "0" or (listed and not names & set(listed)):
        return "pass"
    source = getattr(seen.source, "ipv4_mapped", None) or seen.source
    spared = seen.counted == xdp_model.ARP or seen.is_neighbour_discovery
    spared = spared or bool(seen.family and source == one_kept)
    return "pass" if spared and not strict else "drop"


def test_drop_loses_the_share_that_was_asked_for():
    frame = ethernet(ip4(bytes(20), proto=17))
    with loaded("drop", probability="30%") as program:
        run(program.fd, frame, repeat=40_000)
        dropped = counted(program)["udp", "drop"][0]
    # Six standard deviations of 40,000 draws.
    assert abs(dropped - 12_000) < 6 * (40_000 * 0.3 * 0.7) ** 0.5


@settings(EXAMPLES, max_examples=40)
@given(
    st.lists(
        st.one_of(
            st.integers(0, 2**32 - 1),
            st.integers(2**32 - 3, 2**32 + 6).map(lambda value: value % 2**32),
            st.integers(1, 200),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_meter_estimates_loss_as_the_model_does(sequence):
    with loaded("meter", port="4784", offset="2", neighbours="8") as program:
        frames = [sequenced(value) for value in sequence]
        for frame in frames:
            run(program.fd, frame)
        rows = maps.read(program.maps["links"])
        [link] = rows.values_as(LINK)[:, 0]
        assert neighbour_name(rows.keys[0].tobytes()) == MACS[0]
    expected, late, restarts = model_sequence(sequence)
    assert int(link["packets"]) == int(link["sequenced"]) == len(sequence)
    assert int(link["bytes"]) == sum(map(len, frames))
    assert (int(link["expected"]), int(link["late"]), int(link["restarts"])) == (
        expected,
        late,
        restarts,
    )
    assert int(link["jitter"].sum()) == max(0, len(sequence) - 2)


def sequenced(value):
    payload = b"ab" + struct.pack("!I", value)
    return ethernet(ip4(UDP(sport=9, dport=4784) / payload))


def model_sequence(sequence):
    highest, expected, late, restarts = sequence[0], 1, 0, 0
    for value in sequence[1:]:
        step = (value - highest + 2**31) % 2**32 - 2**31
        if 0 < step <= 3000:
            highest, expected = value, expected + step
        elif -100 < step <= 0:
            late += 1
        else:
            highest, expected, restarts = value, expected + 1, restarts + 1
    return expected, late, restarts


@EXAMPLES
@given(many)
def test_meter_reads_a_sequence_number_only_where_there_is_one(frames):
    with loaded("meter", port="4784", offset="1") as program:
        for frame in frames:
            run(program.fd, frame)
        rows = maps.read(program.maps["links"])
        links = dict(
            zip(map(bytes, rows.keys[:, :6]), rows.values_as(LINK)[:, 0].tolist(), strict=True)
        )
        found = {mac: (link[2], link[4]) for mac, link in links.items()}
    expected = {}
    for frame in frames:
        count, numbered = expected.get(frame[6:12], (0, 0))
        expected[frame[6:12]] = (count + 1, numbered + has_sequence(frame))
    assert found == expected


def has_sequence(frame):
    seen = xdp_model.parse(frame)
    udp = seen.transport
    if seen.protocol != 17 or not udp or len(udp) < 8 or seen.fragment == 2:
        return False
    return xdp_model.number(udp, 2, 2) == 4784 and len(udp) >= 8 + 1 + 4


def test_meter_says_when_it_has_no_room_for_a_neighbour():
    with loaded("meter", neighbours="1") as program:
        for source in MACS:
            run(program.fd, ethernet(bytes(50), type=0x88CC, source=source))
        assert len(maps.read(program.maps["links"])) == 1
        unmetered = maps.read(program.maps["unmetered"]).values.view("<u8").sum(axis=(0, 1))
        assert unmetered.tolist() == [1, 64]


def test_packets_in_fragments_are_counted_whole():
    frame = source_frame(1, size=8000)
    with loaded("count", frags=True) as program:
        assert program.frags
        assert run(program.fd, frame).verdict == "pass"
        assert counted(program) == {("udp", "pass"): (1, len(frame))}


def test_keys_and_values_have_the_layout_that_they_are_read_with():
    expected = {
        "flows": {"flows": (FLOW.itemsize, TRAFFIC.itemsize), "sources": (SOURCE.itemsize, 24)},
        "meter": {"links": (20, LINK.itemsize)},
        "filter": {"deny": (24, 24), "allow": (24, 24), "keep": (16, 1)},
        "drop": {"neighbours": (20, 1)},
    }
    for name, sizes in expected.items():
        with loaded(name, **({"probability": "1"} if name == "drop" else {})) as program:
            for map_name, size in sizes.items():
                told = map_info(program.maps[map_name])
                assert (told.key_bytes, told.value_bytes) == size, map_name
