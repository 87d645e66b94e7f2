"""Programs of others on an interface: named and left alone, or replaced where they are named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from fakes import veth

from x0tta_cli.core.errors import (
    ConflictError,
    UsageError,
)
from x0tta_cli.ebpf import namespaces, syscalls
from x0tta_cli.ebpf.attaching import attach
from x0tta_cli.ebpf.interfaces import MODE_FLAG, find_interface
from x0tta_cli.ebpf.loading import OBJECTS
from x0tta_cli.ebpf.model import Holding, Mode, Owner

PLAIN = OBJECTS / "count.bpf.o"
BESIDE_BPFMAN = Path(__file__).with_name("beside_bpfman.py")
RUN_OF_BPFMAN = Path("/run/bpfman")


def pins_in(filesystem: Path) -> list[Path]:
    return list((filesystem / "x0tta").glob("*"))


def test_a_program_of_ip_link_is_refused_named_and_left_alone(request_for, pair, find, take_off):
    pair.ip("link", "set", "dev", "near", "xdp", "obj", str(PLAIN), "sec", "xdp")
    [there] = pair.programs()
    [found] = find()
    assert (found.owner, found.attachment, found.id) == (Owner.OTHER, Holding.NETLINK, there)
    with pytest.raises(ConflictError) as refused:
        attach(request_for())
    assert str(there) in str(refused.value)
    assert "owner other" in str(refused.value)
    assert "Netlink holds it" in refused.value.reason
    with pytest.raises(ConflictError) as not_ours:
        take_off()
    assert not_ours.value.code == "ebpf.not_ours"
    assert f"--id {there}" in not_ours.value.fix
    assert pair.programs() == [there]
    [done] = take_off(id=there)
    assert (done.changed, done.id) == (True, there)
    assert pair.programs() == []


def test_a_foreign_link_is_refused_with_the_process_that_holds_it(
    request_for, pair, find, take_off
):
    code = (
        "import sys; from x0tta_cli.ebpf import interfaces, namespaces, syscalls\n"
        "with namespaces.entered(sys.argv[1]):\n"
        "    index = interfaces.find_interface('near').index\n"
        "    link = syscalls.create_link(syscalls.load_bare_program('foreign'), index, 2)\n"
        "print('there', flush=True); sys.stdin.read()"
    )
    line = [sys.executable, "-c", code, pair.netns]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"there\n"
        [found] = find()
        assert (found.owner, found.attachment, found.program) == (
            Owner.OTHER,
            Holding.LINK,
            "foreign",
        )
        with pytest.raises(ConflictError) as refused:
            attach(request_for())
        assert f"({holder.pid})" in refused.value.reason
        [done] = take_off(id=found.id)
        assert done.changed
        assert done.still_loaded
        assert f"({holder.pid})" in done.notes[0]
        holder.stdin.close()


def test_a_foreign_pin_is_named(request_for, pair, filesystem):
    with namespaces.entered(pair.netns):
        index = find_interface("near").index
        program = syscalls.load_bare_program("foreign")
        link = syscalls.create_link(program, index, MODE_FLAG[Mode.GENERIC])
    syscalls.pin(link, str(filesystem / "somebody"))
    os.close(link)
    os.close(program)
    try:
        with pytest.raises(ConflictError) as refused:
            attach(request_for())
        assert f"pinned at {filesystem / 'somebody'}" in refused.value.reason
    finally:
        (filesystem / "somebody").unlink()


@pytest.mark.parametrize("place", ["dispatcher_{netns}_{index}_3", "dispatcher_{index}_3"])
def test_a_dispatcher_of_bpfman_is_listed_with_its_parts_and_left_alone(
    pair, filesystem, build, state, place
):
    dispatcher = build('SEC("xdp") int xdp_dispatcher(struct xdp_md *context) { return 2; }')
    pair.ip("link", "set", "dev", "near", "xdp", "obj", str(dispatcher), "sec", "xdp")
    pair.add_second()
    there = pair.programs()
    # In a mount namespace of its own nobody else meets this bpfman.
    line = ["unshare", "--mount", sys.executable, str(BESIDE_BPFMAN), pair.netns, str(filesystem)]
    RUN_OF_BPFMAN.mkdir(exist_ok=True)
    try:
        ended = subprocess.run([*line, place], capture_output=True, text=True, check=False)
    finally:
        with suppress(OSError):
            RUN_OF_BPFMAN.rmdir()
    assert ended.returncode == 0, ended.stderr
    seen = json.loads(ended.stdout)
    assert seen["owner"] == "libxdp"
    [[name, pinned_at]] = seen["parts"]
    assert name == "counting_part"
    assert pinned_at.endswith("/link_7")
    for tried in ("attach", "replace", "detach"):
        assert seen[tried]["code"] == "ebpf.dispatcher"
        assert "counting_part" in seen[tried]["what"]
    assert "bpfman attach ID xdp --iface near" in seen["attach"]["fix"]
    assert pair.programs() == there


def test_replace_swaps_the_named_program_in_place_and_no_other(request_for, pair, find, filesystem):
    [first] = attach(request_for()).attached
    with pytest.raises(ConflictError) as refused:
        attach(request_for("flows", replace=first.id + 100_000))
    assert refused.value.code == "ebpf.replaced_meanwhile"
    assert pair.programs() == [first.id]
    [second] = attach(request_for("flows", replace=first.id)).attached
    assert second.link_id == first.link_id
    [found] = find()
    assert (found.id, found.program, found.operation) == (second.id, "flows", second.operation)
    assert [path.name for path in pins_in(filesystem)] == [Path(second.pinned_at).name]
    assert veth.until(lambda: not veth.exists("prog", first.id))


def test_replace_swaps_a_program_of_netlink_by_its_id(request_for, pair, find, take_off):
    pair.ip("link", "set", "dev", "near", "xdp", "obj", str(PLAIN), "sec", "xdp")
    [there] = pair.programs()
    [done] = attach(request_for("flows", replace=there)).attached
    assert (done.attachment, done.mode) == (Holding.NETLINK, Mode.NATIVE)
    assert pair.programs() == [done.id]
    [found] = find()
    assert (found.owner, found.program) == (Owner.X0TTA, "flows")
    take_off()
    assert pair.programs() == []


def test_a_replacement_in_another_mode_is_refused(request_for):
    [first] = attach(request_for()).attached
    with pytest.raises(UsageError) as refused:
        attach(request_for("flows", replace=first.id, mode="native"))
    assert refused.value.code == "ebpf.contradicting_modes"
