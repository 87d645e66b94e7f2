"""The commands that read what attached programs count, as their users call them."""

from __future__ import annotations

import json
import lzma
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pexpect
import pytest
from fakes import frames, veth
from fakes.screen import Screen
from prometheus_client.parser import text_string_to_metric_families
from scapy.packet import Raw
from scapy.utils import wrpcap

from x0tta_cli.core.doctor.building import find_clang
from x0tta_cli.telemetry.csv_reader import read_metrics

pytestmark = pytest.mark.slow

X0TTA = str(Path(sys.executable).with_name("x0tta"))


@pytest.fixture
def pair():
    with veth.veth_pair() as made:
        yield made


@pytest.fixture
def environment(environment, tmp_path):
    with veth.bpf_filesystem(tmp_path / "bpf") as folder:
        yield environment | {"X0TTA_EBPF__BPF_FILESYSTEM": str(folder)}


@pytest.fixture
def attach(x0tta, pair):
    def run(program, *options):
        ended = x0tta(
            "ebpf",
            "attach",
            pair.near,
            "--netns",
            pair.netns,
            "--at-least",
            "native",
            "--program",
            program,
            "--yes",
            *options,
        )
        assert ended.returncode == 0, ended.stderr

    yield run
    x0tta("ebpf", "detach", pair.near, "--netns", pair.netns)


def answer(ended):
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def code_of(ended):
    return json.loads(ended.stderr.splitlines()[-1])["code"]


def test_programs_are_described_without_root_or_kernel(x0tta):
    programs = answer(x0tta("ebpf", "programs", "-o", "json"))
    assert [one["name"] for one in programs] == [
        "count",
        "flows",
        "meter",
        "filter",
        "ratelimit",
        "drop",
    ]
    shown = x0tta("ebpf", "programs").stdout
    assert "probability" in shown
    assert "can drop" in shown


def test_stats_show_packets_and_bytes_by_protocol_and_verdict(x0tta, pair, attach):
    attach("count")
    assert pair.ping(5) == 5
    [stats] = answer(x0tta("ebpf", "stats", pair.near, "--netns", pair.netns, "-o", "json"))
    assert (stats["interface"], stats["mode"], stats["program"]) == ("near", "native", "count")
    [icmp] = [row for row in stats["counters"] if row["protocol"] == "icmp"]
    assert icmp == {"protocol": "icmp", "verdict": "pass", "packets": 5, "bytes": 490}
    shown = x0tta("ebpf", "stats", pair.near, "--netns", pair.netns, "--run-time").stdout
    assert "costs every BPF program" in shown


def test_stats_are_watched_until_terminated(environment, pair, attach):
    attach("count")
    line = [X0TTA, "ebpf", "stats", pair.near, "--netns", pair.netns, "--watch", "-o", "jsonl"]
    with subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, text=True) as running:
        first = json.loads(running.stdout.readline())
        assert pair.ping(3) == 3
        seen = [json.loads(running.stdout.readline()) for _ in range(2)]
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=20) == 143
    assert set(first) >= {"interface", "mode", "counters"}
    rows = {row["protocol"]: row for row in seen[-1]["counters"]}
    assert (rows["icmp"]["packets"], rows["icmp"]["verdict"]) == (3, "pass")


@pytest.mark.parametrize(
    ("program", "command", "first", "seen"),
    [
        ("flows", ["top"], "near: ", r"198\.18\.0\.2 +3 +294 "),
        ("count", ["stats", "--watch"], "near in ", r"icmp +pass +3 +294\n"),
    ],
)
def test_a_watching_command_redraws_its_table_on_a_terminal(
    environment, pair, attach, program, command, first, seen
):
    attach(program)
    screen = Screen(24, 80)
    line = ["ebpf", *command, pair.near, "--netns", pair.netns]
    child = pexpect.spawn(X0TTA, line, env=environment, dimensions=(24, 80), encoding="utf-8")
    try:
        while first not in screen.text:
            screen.feed(child.read_nonblocking(65_536, timeout=30))
        assert pair.ping(3) == 3
        while not re.search(seen, screen.text):
            screen.feed(child.read_nonblocking(65_536, timeout=30))
        child.sendintr()
        child.expect(pexpect.EOF, timeout=30)
        screen.feed(child.before)
    finally:
        child.close(force=True)
    assert child.exitstatus == 130
    assert screen.text.startswith(first)
    assert screen.text.count(first) == 1
    assert re.search(seen, screen.text)
    assert screen.text.endswith("error: Interrupted.")


def test_stats_where_nothing_is_attached_end_with_not_found(x0tta, pair):
    ended = x0tta("ebpf", "stats", pair.near, "--netns", pair.netns, "-o", "json")
    assert (ended.returncode, ended.stdout, code_of(ended)) == (4, "", "ebpf.nothing_to_read")
    ended = x0tta("ebpf", "stats", "nowhere", "-o", "json")
    assert (ended.returncode, code_of(ended)) == (4, "ebpf.no_such_interface")


@pytest.mark.parametrize("by", ["source", "flow", "protocol"])
def test_top_shows_who_sends_most(x0tta, pair, attach, by):
    attach("flows")
    assert pair.ping(5) == 5
    line = ["ebpf", "top", pair.near, "--netns", pair.netns, "--by", by, "--once"]
    top = answer(x0tta(*line, "-o", "json"))
    # The kernel talks by itself: neighbour discovery, over IPv6.
    [ping] = [
        one
        for one in top["talkers"]
        if (one["protocol"] == "icmp" if by != "source" else one["source"] == veth.FAR)
    ]
    assert (ping["packets"], ping["bytes"]) == (5, 490)
    assert ping["source"] == ("" if by == "protocol" else veth.FAR)
    assert "490" in x0tta(*line).stdout


def test_top_by_what_there_is_not(x0tta):
    ended = x0tta("ebpf", "top", "near", "--by", "colour", "-o", "json")
    assert (ended.returncode, code_of(ended)) == (2, "usage.bad_value")


def test_blocking_is_planned_done_listed_and_undone(x0tta, pair, attach):
    attach("filter", "--for", "1m")
    where = ["--netns", pair.netns, "--interface", pair.near]
    plan = x0tta("ebpf", "block", "add", "198.18.0.0/24", *where, "--dry-run", "--exit-code")
    assert plan.returncode == 3
    assert "198.18.0.0/24 would be in the deny list of near." in plan.stdout
    assert pair.ping(1) == 1
    added = answer(x0tta("ebpf", "block", "add", "198.18.0.0/24", *where, "-o", "json"))
    assert [change["changed"] for change in added["changes"]] == [True]
    assert pair.ping(2) == 0
    [rule] = answer(x0tta("ebpf", "block", "list", *where, "-o", "json"))
    assert (rule["network"], rule["packets"]) == ("198.18.0.0/24", 2)
    dropped = x0tta("ebpf", "drops", pair.near, "--netns", pair.netns, "--recent", "-o", "jsonl")
    samples = [json.loads(line) for line in dropped.stdout.splitlines()]
    assert [(one["reason"], one["length_bytes"]) for one in samples] == [("denied", 98)] * 2
    assert x0tta("ebpf", "block", "remove", "198.18.0.0/24", *where).returncode == 0
    assert pair.ping(1) == 1
    kinds = answer(x0tta("ops", "list", "-o", "json"))
    assert sum(one["kind"] == "ebpf.block" for one in kinds) == 2


def test_blocking_ones_own_session_asks_first(x0tta, pair, attach):
    attach("filter", "--for", "1m")
    line = ["ebpf", "block", "add", "198.18.0.0/24", "--netns", pair.netns, "-o", "json"]
    session = {"SSH_CONNECTION": f"{veth.FAR} 40000 {veth.NEAR} 22"}
    ended = x0tta(*line, env=session)
    assert (ended.returncode, code_of(ended)) == (2, "usage.no_terminal")
    assert pair.ping(1) == 1
    assert x0tta(*line, "--yes", env=session).returncode == 0


def test_read_only_refuses_to_block(x0tta):
    ended = x0tta("ebpf", "block", "add", "198.18.0.0/24", "--read-only", "-o", "json")
    assert (ended.returncode, code_of(ended)) == (6, "run.read_only")


def test_an_export_is_served_until_terminated(environment, pair, attach):
    attach("count")
    assert pair.ping(3) == 3
    line = [X0TTA, "ebpf", "export", "--netns", pair.netns, "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        [*line, "-o", "jsonl"], env=environment, stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            told = json.loads(running.stdout.readline())
            with urllib.request.urlopen(told["where"], timeout=10) as page:
                text = page.read().decode()
        finally:
            running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=20) == 143
    found = {
        sample.labels["protocol"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "x0tta_ebpf_packets_total"
    }
    assert found["icmp"] == 3


def test_an_export_beyond_loopback_wants_a_token(x0tta):
    ended = x0tta("ebpf", "export", "--listen", "0.0.0.0:0", "-o", "json")
    assert (ended.returncode, code_of(ended)) == (2, "listener.unprotected")


def test_an_export_goes_to_one_place(x0tta, tmp_path):
    ended = x0tta("ebpf", "export", "-o", "json")
    assert (ended.returncode, code_of(ended)) == (2, "usage.exclusive_options")


def test_an_export_to_a_file_is_written_whole(x0tta, pair, attach, tmp_path):
    attach("count")
    file = tmp_path / "x0tta.prom"
    line = ["ebpf", "export", "--netns", pair.netns, "--textfile", str(file)]
    assert x0tta(*line).returncode == 0
    names = {family.name for family in text_string_to_metric_families(file.read_text())}
    assert {"x0tta_ebpf_attached", "x0tta_ebpf_packets"} <= names


def test_a_recording_is_read_back_as_telemetry(x0tta, pair, attach, tmp_path):
    attach("meter", "--param", "port=4784")
    file = tmp_path / "metrics.csv.xz"
    with subprocess.Popen(
        ["ip", "netns", "exec", pair.beyond, "ping", "-q", "-i", "0.05", "-w", "60", veth.NEAR],
        stdout=subprocess.DEVNULL,
    ) as pinging:
        line = ["ebpf", "record", str(file), "--for", "2s", "--step", "250ms"]
        told = answer(x0tta(*line, "--netns", pair.netns, "-o", "json"))
        pinging.kill()
    assert told["samples"] + told["missed_samples"] == 8
    telemetry = read_metrics(file)
    assert len(telemetry.instants) == told["samples"] >= 4
    assert telemetry.step_s == pytest.approx(0.25)
    [mac] = telemetry.topology.nodes
    assert len(mac.split(":")) == 6
    packets_seen = telemetry.values[0, :, telemetry.feature_index("packets_count")]
    throughput = telemetry.values[0, :, telemetry.feature_index("throughput_mbps")]
    assert packets_seen.sum() > 0
    assert throughput.sum() > 0
    assert lzma.decompress(file.read_bytes()).startswith(b"microservice,")


def test_a_program_that_is_taken_off_leaves_what_was_recorded(
    x0tta, environment, pair, attach, tmp_path
):
    attach("count")
    file = tmp_path / "metrics.csv"
    where = ["--netns", pair.netns]
    line = [X0TTA, "ebpf", "record", str(file), "--for", "1h", "--step", "100ms", *where]
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
        subprocess.Popen(
            [*line, "-o", "json"],
            env=environment | {"NOTIFY_SOCKET": bound(manager, tmp_path / "notify")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as recorder,
    ):
        assert b"READY=1" in manager.recv(4096)
        time.sleep(1)
        assert x0tta("ebpf", "detach", pair.near, *where).returncode == 0
        output, errors = recorder.communicate(timeout=30)
    assert recorder.returncode == 0, errors
    told = json.loads(output)
    assert told["samples"] > 0
    assert told["samples"] + told["missed_samples"] == 36_000
    assert "taken off while it was recorded" in errors
    assert len(file.read_text().splitlines()) == 3 + told["samples"]


def bound(manager: socket.socket, path: Path) -> str:
    manager.bind(str(path))
    manager.settimeout(30)
    return str(path)


def test_a_recording_that_is_too_long_is_refused_at_once(x0tta, pair, attach, tmp_path):
    attach("count")
    ended = x0tta(
        "ebpf",
        "record",
        str(tmp_path / "a.csv"),
        "--for",
        "30d",
        "--netns",
        pair.netns,
        "-o",
        "json",
    )
    assert (ended.returncode, code_of(ended)) == (2, "ebpf.recording_too_long")


@pytest.fixture
def capture(tmp_path):
    def datagram(last):
        return frames.ethernet(frames.ip4(bytes(40), source=f"198.18.0.{last}", proto=17))

    captured = [datagram(2)] * 6 + [datagram(3)] * 4 + [b"short"]
    path = tmp_path / "capture.pcap"
    wrpcap(str(path), [Raw(frame) for frame in captured], linktype=1)
    return path


def test_a_program_is_tried_on_a_capture(x0tta, capture):
    line = ["ebpf", "test", "filter", "--packets", str(capture), "--param", "deny=198.18.0.3"]
    tried = answer(x0tta(*line, "-o", "json"))
    assert (tried["packets"], tried["not_taken"]) == (10, 1)
    assert tried["verdicts"] == [
        {"verdict": "drop", "packets": 4},
        {"verdict": "pass", "packets": 6},
    ]
    assert [(row["reason"], row["packets"]) for row in tried["drops"]] == [("denied", 4)]
    assert tried["ns_per_packet"] > 0
    assert "ns" in x0tta(*line).stdout


def test_a_capture_of_which_the_kernel_takes_no_packet_has_no_answer(x0tta, capture, tmp_path):
    head = capture.read_bytes()[:24]
    short = tmp_path / "short.pcap"
    short.write_bytes(head + struct.pack("<IIII", 0, 0, 5, 5) + b"short")
    ended = x0tta("ebpf", "test", "count", "--packets", str(short), "-o", "json")
    assert (ended.returncode, code_of(ended)) == (10, "ebpf.no_packet_taken")


def test_a_program_of_ones_own_that_the_verifier_rejects_shows_where(x0tta, capture, tmp_path):
    source = tmp_path / "reading.c"
    source.write_text(
        "#define SEC(name) __attribute__((section(name), used))\n"
        "struct xdp_md { unsigned data, data_end; };\n"
        'SEC("xdp") int reading(struct xdp_md *context) {\n'
        "\treturn ((unsigned char *)(long)context->data)[20];\n}\n"
    )
    assert find_clang()
    ended = x0tta("ebpf", "test", str(source), "--packets", str(capture))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "ebpf.verifier_rejected" in ended.stderr
    assert "context->data)[20]" in ended.stderr
    assert "r0 = *(u8 *)" in ended.stderr


def test_without_capabilities_the_missing_ones_are_named(environment, capture):
    # Root without any: what a container is given by default.
    line = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", X0TTA, "ebpf", "test", "count"]
    ended = subprocess.run(
        [*line, "--packets", str(capture), "-o", "json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert (ended.returncode, ended.stdout) == (6, "")
    problem = json.loads(ended.stderr.splitlines()[-1])
    assert problem["code"] == "ebpf.not_permitted"
    assert problem["context"]["capabilities"] == ["CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON"]
