"""What this machine's kernel lacks, in a virtual machine: dispatchers, bonds, VLANs, drivers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
SCENARIO = Path(__file__).with_name("scenario.py")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def seen():
    line = [ROOT / "scripts" / "testbed" / "second-kernel", sys.executable, SCENARIO]
    ended = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def test_a_dispatcher_is_listed_with_its_parts(seen):
    found = seen["dispatcher"]
    assert (found["program"], found["owner"]) == ("xdp_dispatcher", "libxdp")
    assert found["parts"] == ["x0tta_count", "x0tta_meter"]


@pytest.mark.parametrize("how", ["attach", "replace"])
def test_a_dispatcher_is_not_replaced_and_the_command_that_joins_it_is_named(seen, how):
    refused = seen["dispatcher"][how]
    assert refused["code"] == "ebpf.dispatcher"
    assert "x0tta_count, x0tta_meter" in refused["text"]
    assert "xdp-loader load near " in refused["fix"]
    assert refused["fix"].endswith("count.bpf.o")
    assert seen["dispatcher"]["is_untouched"]


def test_a_dispatcher_is_not_detached_even_by_its_id(seen):
    assert seen["dispatcher"]["detach"] == "ebpf.dispatcher"


def test_another_tool_does_not_replace_ours(seen):
    assert seen["dispatcher"]["xdp_loader_over_ours"] != 0


def test_a_bond_takes_native_mode_where_its_mode_allows(seen):
    assert seen["bonds"]["active-backup"]["mode"] == "native"
    refused = seen["bonds"]["balance-alb"]
    assert refused["code"] == "ebpf.mode_refused"
    assert "bond mode balance-alb" in refused["reason"]
    assert "No native XDP support for the current bonding mode" in refused["reason"]
    assert "type bond mode active-backup" in refused["fix"]


def test_a_part_of_a_bond_that_has_a_program_is_a_conflict_that_names_the_bond(seen):
    refused = seen["below_a_bond"]
    assert refused["code"] == "ebpf.something_in_the_way"
    assert "upper device already has a program" in refused["reason"]
    assert "bond1" in refused["fix"]


def test_a_vlan_is_refused_in_native_mode_and_points_to_its_parent(seen):
    assert seen["vlan"]["native"]["code"] == "ebpf.mode_refused"
    assert "a VLAN has no native mode" in seen["vlan"]["native"]["reason"]
    assert "the interface below it" in seen["vlan"]["native"]["fix"]
    assert seen["vlan"]["auto"] == {"mode": "generic", "refused": ["hw", "native"]}


def test_wireguard_takes_generic_mode_alone(seen):
    assert seen["wireguard"]["native"]["code"] == "ebpf.mode_refused"
    assert seen["wireguard"]["auto"]["mode"] == "generic"


def test_what_is_neither_ethernet_nor_ip_is_refused(seen):
    assert seen["neither"]["code"] == "ebpf.link_type"
    assert "824" in seen["neither"]["reason"]


def test_a_driver_without_xdp_falls_back_or_is_refused_by_name(seen):
    assert "the driver e1000 has no native XDP" in seen["e1000"]["reason"]
    assert seen["e1000_auto"] == {"mode": "generic", "refused": ["hw", "native"]}


def test_virtio_takes_native_mode(seen):
    assert seen["virtio"]["mode"] == "native"


def test_features_are_told_where_the_kernel_knows_them_and_are_unknown_before(seen):
    release = tuple(int(number) for number in seen["kernel"].split(".")[:2])
    knows = release >= (6, 3)
    assert (seen["probed"]["e1000"] == []) is knows
    assert (seen["probed"]["virtio_net"] is not None) is knows
