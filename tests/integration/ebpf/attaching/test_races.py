"""What others do to an interface while a program is being attached to it, or read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from fakes import veth

from x0tta_cli.core import journal
from x0tta_cli.core.errors import NotFoundError
from x0tta_cli.ebpf import attachments, carrier, namespaces, syscalls
from x0tta_cli.ebpf.attaching import attach
from x0tta_cli.ebpf.detaching import DetachRequest, detach
from x0tta_cli.ebpf.interfaces import find_interface
from x0tta_cli.ebpf.readings import opened_maps

MEANWHILE = Path(__file__).with_name("keeping_until.py")
SWAP_PROGRAM = """
import sys
from x0tta_cli.ebpf import syscalls
syscalls.update_link(syscalls.open_link(int(sys.argv[1])), syscalls.load_bare_program("other"))
"""
KILL_KEEPER = """
import os, signal, sys
from x0tta_cli.core import journal
from x0tta_cli.ebpf import holders
running = {record.id for record in journal.operations()}
[keeper] = [one for one in holders.keepers() if one.label.operation in running]
os.kill(keeper.pid, signal.SIGKILL)
"""


@pytest.fixture
def meanwhile(pair, filesystem, state):
    """Attach in another process; at a place in its steps a command runs. Gives the error's code."""

    def run(place, command, **given) -> str:
        request = {
            "program": "count",
            "interfaces": ["near"],
            "netns": pair.netns,
            "filesystem": str(filesystem),
        }
        line = [sys.executable, str(MEANWHILE), place, json.dumps(request | given), *command]
        ended = subprocess.run(line, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
        assert ended.returncode == 1, ended.stderr
        return ended.stderr.strip()

    return run


@pytest.mark.parametrize("place", ["before attach", "after attach"])
def test_an_interface_that_vanishes_meanwhile_is_a_clear_error(meanwhile, pair, filesystem, place):
    command = ["ip", "-n", pair.netns, "link", "delete", "near"]
    assert meanwhile(place, command) == "ebpf.interface_changed"
    assert not (filesystem / "x0tta").exists()
    assert [record.state for record in journal.operations()] == ["failed"]


def test_an_interface_that_is_renamed_meanwhile_keeps_nothing(meanwhile, pair, filesystem):
    pair.ip("link", "set", "near", "down")
    command = ["ip", "-n", pair.netns, "link", "set", "near", "name", "renamed"]
    assert meanwhile("at the end of attach", command) == "ebpf.interface_changed"
    assert pair.programs("renamed") == []
    assert not (filesystem / "x0tta").exists()


def test_an_interface_that_is_moved_meanwhile_keeps_nothing(meanwhile, pair, filesystem):
    command = ["ip", "-n", pair.netns, "link", "set", "near", "netns", pair.beyond]
    assert meanwhile("at the end of attach", command) == "ebpf.interface_changed"
    assert json.loads(pair.beyond_ip("-j", "-d", "link", "show", "near"))[0].get("xdp") is None
    assert not (filesystem / "x0tta").exists()


def test_a_lost_race_for_a_replacement_leaves_the_winner(meanwhile, request_for, pair):
    [first] = attach(request_for()).attached
    swap = [sys.executable, "-c", SWAP_PROGRAM, str(first.link_id)]
    code = meanwhile("before attach", swap, program="flows", replace=first.id)
    assert code == "ebpf.replaced_meanwhile"
    [winner] = pair.programs()
    assert winner != first.id
    with namespaces.entered(pair.netns):
        [found] = attachments.find("near")
    assert found.id == winner


def test_a_keeper_that_dies_before_it_took_over_leaves_nothing(meanwhile, pair):
    given = {"program": "drop", "parameters": {"probability": "0"}}
    code = meanwhile("before keep", [sys.executable, "-c", KILL_KEEPER], **given)
    assert code == "ebpf.keeper_failed"
    assert veth.until(lambda: pair.programs() == [])


def test_what_is_detached_while_it_is_read_is_told(request_for, pair, filesystem):
    attach(request_for())
    [found] = attachments.find("near", pair.netns, filesystem=filesystem)
    detach(DetachRequest(("near",), netns=pair.netns, filesystem=filesystem))
    assert veth.until(lambda: not any(veth.exists("map", number) for number in found.map_ids))
    with pytest.raises(NotFoundError) as told, opened_maps(found):
        pass
    assert told.value.code == "ebpf.detached_meanwhile"


def test_how_long_carrier_was_lost_is_measured(pair):
    with namespaces.entered(pair.netns):
        before, started = find_interface("near"), time.monotonic()
        assert carrier.lost_ms(before, started) == 0
        pair.beyond_ip("link", "set", "far", "down")
        back = threading.Timer(0.3, pair.beyond_ip, ("link", "set", "far", "up"))
        back.start()
        lost_ms = carrier.lost_ms(before, started)
        back.join()
    assert lost_ms >= 300


def test_a_program_that_another_process_still_holds_is_loaded_but_attached_nowhere(
    request_for, pair, filesystem
):
    [done] = attach(request_for()).attached
    descriptor = syscalls.open_program(done.id)
    holder = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1, pass_fds=[descriptor])
    os.close(descriptor)
    try:
        line = DetachRequest(("near",), netns=pair.netns, filesystem=filesystem)
        [gone] = detach(line).detached
        assert (gone.changed, gone.still_loaded) == (True, True)
        assert f"({holder.pid}) still has it" in gone.notes[0]
        assert veth.exists("prog", done.id)
    finally:
        holder.communicate(b"\n")
