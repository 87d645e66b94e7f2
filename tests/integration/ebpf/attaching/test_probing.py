"""What a probe finds out, compared with what attaching really does."""

from __future__ import annotations

from pathlib import Path

import pytest

from x0tta_cli.core.errors import NotFoundError
from x0tta_cli.ebpf import syscalls
from x0tta_cli.ebpf.model import LinkType, Mode
from x0tta_cli.ebpf.probing import probe


def test_a_veth_can_do_native_with_fragments_and_says_what_that_changes(pair, filesystem):
    [near] = probe(["near"], pair.netns, filesystem).interfaces
    assert near.driver == "veth"
    assert set(near.features) >= {"basic", "redirect", "rx-sg"}
    assert near.likely_mode is Mode.NATIVE
    assert near.native_mtu_bytes == 3506
    assert any("segmentation offload" in note for note in near.notes)


def test_an_interface_of_ip_packets_can_do_generic_alone(pair, filesystem):
    pair.ip("tuntap", "add", "dev", "tunnel", "mode", "tun")
    [tunnel] = probe(["tunnel"], pair.netns, filesystem).interfaces
    assert (tunnel.link_type, tunnel.likely_mode) == (LinkType.IP, Mode.GENERIC)


def test_a_probe_attaches_nothing_and_leaves_nothing_open(pair, filesystem):
    before = descriptors()
    probe([], pair.netns, filesystem)
    assert pair.programs() == []
    # A program that is attached nowhere stays loaded only as long as somebody has it open.
    assert descriptors() == before


def descriptors() -> list[str]:
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


def test_program_and_map_types_are_really_tried(pair, filesystem):
    trials = probe([], pair.netns, filesystem).host.trials
    assert {trial.name for trial in trials} >= {"XDP program", "map: ring buffer"}
    assert all(trial.works for trial in trials)
    with pytest.raises(OSError, match="Invalid argument"):
        syscalls.create_map(9999, 4, 4, 1)


def test_a_file_system_that_is_not_mounted_is_told_with_its_mend(pair, tmp_path):
    host = probe([], pair.netns, tmp_path).host
    assert host.bpf_filesystem is None
    assert f"mount -t bpf bpf {tmp_path}" in host.notes[0]


def test_unknown_interfaces_are_named(pair, filesystem):
    with pytest.raises(NotFoundError) as refused:
        probe(["nowhere"], pair.netns, filesystem)
    assert refused.value.code == "ebpf.no_such_interface"
    assert "near" in refused.value.reason
