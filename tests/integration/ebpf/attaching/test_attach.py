"""Attaching and detaching on real interfaces, seen by other tools than x0tta."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import veth

from x0tta_cli.core.errors import (
    ConflictError,
    NotFoundError,
    NotPermittedError,
    UnsupportedError,
    UsageError,
)
from x0tta_cli.ebpf import attachments, namespaces, syscalls
from x0tta_cli.ebpf.attaching import attach, plan
from x0tta_cli.ebpf.detaching import DetachRequest, detach
from x0tta_cli.ebpf.following import RTMGRP_LINK
from x0tta_cli.ebpf.interfaces import MODE_FLAG, find_interface
from x0tta_cli.ebpf.loading import OBJECTS
from x0tta_cli.ebpf.model import Holding, Mode, Owner

PLAIN = OBJECTS / "count.bpf.o"


def pins_in(filesystem: Path) -> list[Path]:
    return list((filesystem / "x0tta").glob("*"))


def test_a_lasting_attachment_is_a_pinned_link_that_any_process_finds(
    request_for, pair, find, filesystem
):
    [done] = attach(request_for()).attached
    assert (done.changed, done.attachment, done.keeper_pid) == (True, Holding.LINK, None)
    assert pair.programs() == [done.id]
    assert veth.exists("link", done.link_id)
    [found] = find()
    assert (found.id, found.link_id, found.owner) == (done.id, done.link_id, Owner.X0TTA)
    assert (found.program, found.operation) == ("count", done.operation)
    assert found.pinned_at == done.pinned_at
    assert done.operation in Path(done.pinned_at).name
    code = (
        "import sys; from pathlib import Path; from x0tta_cli.ebpf.attachments import find; "
        "print(find('near', sys.argv[1], filesystem=Path(sys.argv[2]))[0].operation)"
    )
    line = [sys.executable, "-c", code, pair.netns, str(filesystem)]
    assert subprocess.check_output(line, text=True).strip() == done.operation


def test_after_detach_no_program_link_pin_or_map_is_left(
    request_for, pair, find, take_off, filesystem
):
    attach(request_for())
    [found] = find()
    [done] = take_off()
    assert (done.changed, done.id, done.still_loaded) == (True, found.id, False)
    assert pair.programs() == []
    assert not veth.exists("prog", found.id)
    assert not veth.exists("link", found.link_id)
    assert found.map_ids
    assert veth.until(lambda: not any(veth.exists("map", number) for number in found.map_ids))
    assert pins_in(filesystem) == []


@pytest.mark.parametrize("mode", ["native", "generic"])
def test_traffic_passes_and_is_counted_in_either_mode(request_for, pair, find, take_off, mode):
    [done] = attach(request_for(mode=mode)).attached
    assert done.mode == mode
    assert pair.ping(5) == 5
    take_off()
    assert pair.ping(1) == 1


def test_the_same_program_again_changes_nothing(request_for, find):
    [first] = attach(request_for()).attached
    [again] = attach(request_for()).attached
    assert (again.changed, again.id, again.operation) == (False, first.id, first.operation)
    assert len(find()) == 1


def test_the_same_program_with_an_end_says_that_it_got_none(request_for):
    [first] = attach(request_for()).attached
    [second] = attach(request_for(lasts=timedelta(minutes=1))).attached
    assert (second.changed, second.expires_at) == (False, None)
    assert f"--replace {first.id}" in second.notes[-1]


def test_other_parameters_are_another_program(request_for, find):
    [first] = attach(request_for("flows", parameters={"flows": "1000"})).attached
    with pytest.raises(ConflictError) as refused:
        attach(request_for("flows", parameters={"flows": "2000"}))
    assert refused.value.code == "ebpf.program_in_use"
    assert [found.id for found in find()] == [first.id]


def test_auto_takes_generic_on_veth_for_what_only_passes_and_says_why(request_for):
    [done] = attach(request_for()).attached
    assert done.mode is Mode.GENERIC
    assert "segmentation offload" in done.notes[0]


def test_at_least_native_is_native(request_for):
    [done] = attach(request_for(at_least=Mode.NATIVE)).attached
    assert done.mode is Mode.NATIVE


def test_hardware_falls_back_with_its_refusal_and_alone_is_unsupported(request_for, pair):
    [done] = attach(request_for(PLAIN, at_least=Mode.NATIVE)).attached
    assert done.mode is Mode.NATIVE
    assert [one.mode for one in done.refusals] == [Mode.HARDWARE]
    detach(DetachRequest(("near",), netns=pair.netns, filesystem=request_for().filesystem))
    with pytest.raises(UnsupportedError) as refused:
        attach(request_for(mode="hw"))
    assert refused.value.code == "ebpf.mode_refused"
    assert "the kernel gives no reason" in refused.value.reason
    assert pair.programs() == []


def test_jumbo_mtu_attaches_natively_with_fragments(request_for, pair):
    pair.set_mtu(8901)
    [done] = attach(request_for(mode="native")).attached
    assert done.mode is Mode.NATIVE
    assert pair.inside("ping", "-c1", "-W1", "-s", "8800", veth.FAR).returncode == 0


def test_a_plain_program_on_a_jumbo_mtu_names_cause_and_mend(request_for, pair):
    pair.set_mtu(9000)
    with pytest.raises(UnsupportedError) as refused:
        attach(request_for(PLAIN, at_least=Mode.NATIVE))
    assert "Peer MTU is too large to set XDP" in refused.value.reason
    assert "above 3506" in refused.value.reason
    assert "mtu 3506" in refused.value.fix
    assert "--mode generic" in refused.value.fix
    assert pair.programs() == []


def test_auto_falls_back_where_the_driver_cannot_and_reports_the_kernels_words(request_for, pair):
    pair.set_mtu(9000)
    [done] = attach(request_for(PLAIN)).attached
    assert done.mode is Mode.GENERIC
    assert [one.mode for one in done.refusals] == [Mode.HARDWARE, Mode.NATIVE]
    assert done.refusals[1].kernel_text == "veth: Peer MTU is too large to set XDP"


def test_several_interfaces_share_one_program_and_its_maps(request_for, pair, find, take_off):
    pair.add_second()
    done = attach(request_for(interfaces=("near", "near2"))).attached
    assert len({one.id for one in done}) == 1
    assert find("near")[0].map_ids == find("near2")[0].map_ids
    assert [one.changed for one in take_off("near")] == [True]
    assert pair.programs("near2") == [done[0].id]
    take_off("near2")
    assert not veth.exists("prog", done[0].id)


def test_several_interfaces_are_all_or_nothing(request_for, pair, filesystem):
    pair.add_second()
    pair.ip("link", "set", "dev", "near2", "xdpgeneric", "obj", str(PLAIN), "sec", "xdp")
    with pytest.raises(ConflictError) as refused:
        attach(request_for(interfaces=("near", "near2")))
    assert refused.value.context["interface"] == "near2"
    assert pair.programs("near") == []
    assert pins_in(filesystem) == []


def test_a_refusal_on_the_second_interface_takes_it_off_the_first(request_for, pair, filesystem):
    pair.add_second()
    pair.beyond_ip("link", "set", "far2", "mtu", "9000")
    pair.ip("link", "set", "near2", "mtu", "9000")
    with pytest.raises(UnsupportedError):
        attach(request_for(PLAIN, interfaces=("near", "near2"), mode="native"))
    assert pair.programs("near") == []
    assert pins_in(filesystem) == []


def test_detaching_nothing_sends_nothing_to_the_kernel(pair, take_off):
    with changes_of_links(pair) as changes:
        [done] = take_off()
    assert not done.changed
    assert changes == []


def test_netlinks_detaching_of_nothing_would_have_been_seen(pair):
    with changes_of_links(pair) as changes:
        pair.ip("link", "set", "dev", "near", "xdp", "off")
    assert changes != []


@contextmanager
def changes_of_links(pair):
    """Collect what the kernel tells of changed links while the block runs; filled at its end."""
    changes: list[bytes] = []
    with namespaces.entered(pair.netns):
        events = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    with events:
        events.bind((0, RTMGRP_LINK))
        events.setblocking(False)
        # What making the pair told of late.
        time.sleep(0.3)
        drain(events)
        yield changes
        changes += drain(events)


def drain(events) -> list[bytes]:
    found = []
    while True:
        try:
            found.append(events.recv(1 << 16))
        except BlockingIOError:
            return found


def test_looking_while_others_attach_never_fails(pair, filesystem):
    with namespaces.entered(pair.netns):
        index = find_interface("near").index

    def attach_again_and_again() -> int:
        program = syscalls.load_bare_program("foreign")
        with namespaces.entered(pair.netns):
            for _ in range(60):
                link = syscalls.create_link(program, index, MODE_FLAG[Mode.NATIVE])
                # To close it would not detach it while the other looks at it.
                syscalls.detach_link(link)
                os.close(link)
        os.close(program)
        return 60

    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(attach_again_and_again)
        while not busy.done():
            attachments.take_inventory(filesystem)
    assert busy.result() == 60


def test_an_interface_that_is_down_stays_down(request_for, pair, take_off):
    pair.ip("link", "set", "near", "down")
    [done] = attach(request_for()).attached
    assert done.carrier_lost_ms is None
    assert "UP" not in json.loads(pair.ip("-j", "link", "show", "near"))[0]["flags"]
    take_off()
    assert "UP" not in json.loads(pair.ip("-j", "link", "show", "near"))[0]["flags"]


def test_the_link_follows_a_rename_and_a_move_to_another_namespace(
    request_for, pair, filesystem, take_off
):
    [done] = attach(request_for()).attached
    pair.ip("link", "set", "near", "down")
    pair.ip("link", "set", "near", "name", "renamed")
    [found] = attachments.find("renamed", pair.netns, filesystem=filesystem)
    assert (found.id, found.operation) == (done.id, done.operation)
    pair.ip("link", "set", "renamed", "netns", pair.beyond)
    everywhere = attachments.list_all(all_netns=True, filesystem=filesystem)
    [moved] = [one for one in everywhere if one.id == done.id]
    assert (moved.interface, moved.netns) == ("renamed", pair.beyond)
    assert moved.owner is Owner.X0TTA


def test_without_a_bpf_file_system_nothing_lasts_and_the_mount_is_named(
    request_for, pair, tmp_path
):
    missing = request_for()._replace(filesystem=tmp_path)
    with pytest.raises(UnsupportedError) as refused:
        attach(missing)
    assert refused.value.code == "ebpf.no_bpf_filesystem"
    assert f"mount -t bpf bpf {tmp_path}" in refused.value.fix
    assert pair.programs() == []
    [done] = attach(missing._replace(lasts=timedelta(minutes=1))).attached
    assert done.keeper_pid is not None
    assert pair.programs() == [done.id]
    detach(DetachRequest(("near",), netns=pair.netns, filesystem=tmp_path))


def test_a_bpf_file_system_that_takes_no_pins_is_told_before_anything_is_attached(
    request_for, pair, filesystem
):
    veth.run("mount", "-o", "remount,ro", str(filesystem))
    with pytest.raises(NotPermittedError) as refused:
        attach(request_for())
    assert refused.value.code == "ebpf.pin_refused"
    assert pair.programs() == []
    veth.run("mount", "-o", "remount,rw", str(filesystem))


def test_an_interface_of_ip_packets_takes_generic_mode_alone(request_for, pair):
    pair.ip("tuntap", "add", "dev", "tunnel", "mode", "tun")
    [done] = attach(request_for(interfaces=("tunnel",))).attached
    assert done.mode is Mode.GENERIC
    detach(DetachRequest(("tunnel",), netns=pair.netns, filesystem=request_for().filesystem))
    with pytest.raises(UnsupportedError) as refused:
        attach(request_for(interfaces=("tunnel",), mode="native"))
    assert "not an Ethernet driver" in refused.value.reason
    with pytest.raises(UsageError) as mixed:
        attach(request_for(interfaces=("tunnel", "near")))
    assert mixed.value.code == "ebpf.mixed_link_types"


def test_held_by_netlink_it_is_still_known_as_ours_and_taken_off(request_for, pair, find, take_off):
    [done] = attach(request_for(holding="netlink")).attached
    assert (done.attachment, done.link_id) == (Holding.NETLINK, None)
    [found] = find()
    assert (found.owner, found.attachment, found.operation) == (
        Owner.X0TTA,
        Holding.NETLINK,
        done.operation,
    )
    assert attach(request_for(holding="netlink")).attached[0].changed is False
    [gone] = take_off()
    assert gone.changed
    assert pair.programs() == []
    assert not veth.exists("prog", done.id)


def test_held_by_netlink_a_program_that_can_drop_needs_an_end(request_for, pair):
    request = request_for("drop", parameters={"probability": "0"}, holding="netlink")
    with pytest.raises(UnsupportedError) as refused:
        attach(request)
    assert refused.value.code == "ebpf.no_link"
    assert pair.programs() == []


def test_a_plan_changes_nothing_and_says_what_native_mode_does(request_for, pair):
    planned = plan(request_for(at_least=Mode.NATIVE))
    assert planned.would_change
    assert any("20 to 5 Gb/s" in effect for effect in planned.planned[0].effects)
    assert pair.programs() == []
    attach(request_for(at_least=Mode.NATIVE))
    assert not plan(request_for(at_least=Mode.NATIVE)).would_change


def test_unknown_names_are_not_found(request_for, take_off):
    for request, code in (
        (request_for(interfaces=("nowhere",)), "ebpf.no_such_interface"),
        (request_for()._replace(netns="x0t-nowhere"), "ebpf.no_such_netns"),
        (request_for("drop", keep=("no.such.host.invalid",)), "ebpf.no_such_host"),
    ):
        with pytest.raises(NotFoundError) as refused:
            attach(request)
        assert refused.value.code == code
    with pytest.raises(NotFoundError) as refused:
        take_off(id=4_000_000)
    assert refused.value.code == "ebpf.not_attached"
