"""Keepers, kills at every step, and the self-check with its roll-back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import veth
from fakes.bpf_sources import TAIL_CALL

from x0tta_cli.core import journal
from x0tta_cli.core.errors import UnavailableError
from x0tta_cli.ebpf import attachments, cleaning, holders, interrupted
from x0tta_cli.ebpf.attaching import attach
from x0tta_cli.ebpf.detaching import DetachRequest, detach

KILLED = Path(__file__).with_name("keeping_until.py")
PASSES_ALL_BUT_ARP = """
#include <linux/bpf.h>
#include <linux/if_ether.h>
__attribute__((section("xdp"), used)) int no_arp(struct xdp_md *context)
{
    struct ethhdr *header = (void *)(long)context->data;
    if ((void *)(header + 1) > (void *)(long)context->data_end)
        return XDP_PASS;
    return header->h_proto == __builtin_bswap16(ETH_P_ARP) ? XDP_DROP : XDP_PASS;
}
char _license[] __attribute__((section("license"), used)) = "GPL";
"""
LOSES_NOTHING = {"program": "drop", "parameters": {"probability": "0"}}
LOSES_ALL = {"program": "drop", "parameters": {"probability": "1"}, "strict": True}


@pytest.fixture(autouse=True)
def no_keeper_is_left(pair, filesystem, state):
    yield
    detach(DetachRequest(("near",), netns=pair.netns, filesystem=filesystem))


def keepers() -> list[holders.Keeper]:
    """The keepers of this test: others may run on the machine."""
    operations = {record.id for record in journal.operations()}
    return [keeper for keeper in holders.keepers() if keeper.label.operation in operations]


def test_when_the_keeper_is_killed_the_kernel_detaches(request_for, pair):
    [done] = attach(request_for(**LOSES_NOTHING)).attached
    assert pair.programs() == [done.id]
    assert done.pinned_at is None
    os.kill(done.keeper_pid, signal.SIGKILL)
    assert veth.until(lambda: pair.programs() == [])
    assert veth.until(lambda: not veth.exists("prog", done.id))


def test_the_keeper_lives_in_a_session_of_its_own_and_says_what_it_holds(request_for, pair):
    [done] = attach(request_for(lasts=timedelta(minutes=5))).attached
    assert os.getsid(done.keeper_pid) == done.keeper_pid
    [keeper] = keepers()
    assert keeper.pid == done.keeper_pid
    assert keeper.label.operation == done.operation
    assert keeper.label.expires_at == done.expires_at
    assert keeper.link_ids == {done.link_id}
    words = Path(f"/proc/{done.keeper_pid}/cmdline").read_bytes().split(b"\0")
    assert b"near" in words


def test_what_a_keeper_holds_is_listed_with_its_end(request_for, pair, filesystem):
    [done] = attach(request_for(lasts=timedelta(minutes=5))).attached
    [found] = attachments.find("near", pair.netns, filesystem=filesystem)
    assert (found.owner, found.holder_pid, found.expires_at) == (
        "x0tta",
        done.keeper_pid,
        done.expires_at,
    )


def test_when_the_time_is_over_it_is_off_and_the_keeper_gone(request_for, pair):
    [done] = attach(request_for(lasts=timedelta(seconds=1))).attached
    assert pair.programs() == [done.id]
    assert veth.until(lambda: pair.programs() == [])
    assert veth.until(lambda: not veth.exists("prog", done.id))


def test_detach_ends_the_keeper(request_for, pair, filesystem):
    attach(request_for(**LOSES_NOTHING))
    line = DetachRequest(("near",), netns=pair.netns, filesystem=filesystem)
    [gone] = detach(line).detached
    assert gone.changed
    assert not gone.still_loaded
    assert keepers() == []


def test_a_keeper_of_two_interfaces_goes_on_with_the_other(request_for, pair, filesystem):
    pair.add_second()
    done = attach(request_for(**LOSES_NOTHING, interfaces=("near", "near2"))).attached
    detach(DetachRequest(("near",), netns=pair.netns, filesystem=filesystem))
    assert pair.programs("near2") == [done[1].id]
    detach(DetachRequest(("near2",), netns=pair.netns, filesystem=filesystem))
    assert veth.until(lambda: keepers() == [])


def test_what_a_program_calls_stays_pinned_as_long_as_it_is_attached(
    request_for, pair, filesystem, build
):
    [done] = attach(request_for(build(TAIL_CALL))).attached
    assert done.program == "entering"
    folder = filesystem / "x0tta" / f"parts-{done.operation}"
    assert sorted(path.name for path in folder.iterdir()) == ["map_table", "program_dropping"]
    assert pair.ping() == 0
    detach(DetachRequest(("near",), netns=pair.netns, filesystem=filesystem))
    assert not (filesystem / "x0tta").exists()
    assert veth.until(lambda: pair.ping() == 1)


def test_parts_that_a_killed_keeper_left_are_cleaned(request_for, pair, filesystem, build):
    [done] = attach(request_for(build(TAIL_CALL))).attached
    os.kill(done.keeper_pid, signal.SIGKILL)
    assert veth.until(lambda: pair.programs() == [])
    # A keeper that another test has just relieved of its link may be among them.
    [removed] = [one for one in cleaning.clean(filesystem).removed if one.what != "keeper"]
    assert (removed.what, done.operation in removed.name) == ("pinned parts", True)
    assert not (filesystem / "x0tta").exists()


def test_a_keeper_lets_go_of_what_was_replaced(request_for, pair, filesystem):
    [first] = attach(request_for(lasts=timedelta(seconds=2))).attached
    [second] = attach(request_for("flows", replace=first.id)).attached
    assert veth.until(lambda: keepers() == [])
    assert pair.programs() == [second.id]
    [found] = attachments.find("near", pair.netns, filesystem=filesystem)
    assert (found.program, found.expires_at) == ("flows", None)


STEPS = [
    ("before attach", False),
    ("at the end of attach", False),
    ("after attach", False),
    ("before keep", False),
    ("at the end of keep", True),
    ("after keep", True),
]


@pytest.mark.parametrize(("place", "is_attached"), STEPS)
@pytest.mark.parametrize("given", [{"program": "count"}, LOSES_NOTHING], ids=["pin", "keeper"])
def test_killed_at_any_step_it_is_attached_whole_or_not_at_all(
    pair, filesystem, state, place, is_attached, given
):
    request = given | {
        "interfaces": ["near"],
        "netns": pair.netns,
        "filesystem": str(filesystem),
    }
    line = [sys.executable, str(KILLED), place, json.dumps(request)]
    assert subprocess.run(line, check=False).returncode == -signal.SIGKILL
    wanted = 1 if is_attached else 0
    assert veth.until(lambda: len(pair.programs()) == wanted)
    assert veth.until(lambda: len(keepers()) == wanted * ("keeper" in str(place_of(given))))
    [record] = journal.operations()
    assert record.state == "interrupted"
    with journal.resume(record.id) as operation:
        interrupted.resume_attach(operation)
    assert len(pair.programs()) == 1
    assert journal.find(record.id).state == "done"


def place_of(given) -> str:
    return "keeper" if given is LOSES_NOTHING else "pin"


@pytest.mark.parametrize("given", [{"program": "count"}, LOSES_NOTHING], ids=["pin", "keeper"])
def test_what_a_killed_attach_left_is_found_and_removed(pair, filesystem, state, given):
    request = given | {"interfaces": ["near"], "netns": pair.netns, "filesystem": str(filesystem)}
    line = [sys.executable, str(KILLED), "after keep", json.dumps(request)]
    subprocess.run(line, check=False)
    [record] = journal.operations()
    left = list(interrupted.attach_leftovers(record))
    assert [one.what for one in left] == ["keeper" if given is LOSES_NOTHING else "attachment"]
    for one in left:
        one.remove()
    assert veth.until(lambda: pair.programs() == [])
    assert list(interrupted.attach_leftovers(record)) == []
    assert not (filesystem / "x0tta").exists()


def test_an_interrupted_attach_whose_time_is_over_attaches_nothing(pair, filesystem, state):
    request = {
        "program": "count",
        "lasts": 0.3,
        "interfaces": ["near"],
        "netns": pair.netns,
        "filesystem": str(filesystem),
    }
    line = [sys.executable, str(KILLED), "before attach", json.dumps(request)]
    subprocess.run(line, check=False)
    [record] = journal.operations()
    signal.sigtimedwait([], 0.4)
    with journal.resume(record.id) as operation:
        interrupted.resume_attach(operation)
    assert pair.programs() == []


def test_whoever_answered_before_and_no_longer_does_makes_it_roll_back(request_for, pair):
    with pytest.raises(UnavailableError) as refused:
        attach(request_for(**LOSES_ALL, keep=(veth.FAR,)))
    assert refused.value.code == "ebpf.self_check_failed"
    assert refused.value.context["hosts"] == [veth.FAR]
    assert pair.programs() == []
    assert veth.until(lambda: keepers() == [])
    assert veth.until(lambda: pair.ping() == 1)
    [record] = journal.operations()
    assert record.state == "failed"


def test_a_gateway_is_checked_without_being_named_and_ipv6_too(request_for, pair):
    pair.ip("route", "add", "default", "via", veth.FAR)
    with pytest.raises(UnavailableError) as refused:
        attach(request_for(**LOSES_ALL, keep=(veth.FAR_V6,)))
    assert refused.value.context["hosts"] == [veth.FAR_V6, veth.FAR]


def test_a_warm_neighbour_table_does_not_hide_that_arp_is_dropped(request_for, pair, tmp_path):
    source = tmp_path / "no_arp.c"
    source.write_text(PASSES_ALL_BUT_ARP)
    # Resolved a moment ago, so that pings alone would pass for minutes.
    assert pair.ping() == 1
    with pytest.raises(UnavailableError) as refused:
        attach(request_for(source, keep=(veth.FAR,)))
    assert refused.value.code == "ebpf.self_check_failed"
    assert pair.programs() == []


def test_who_answers_after_attaching_is_told(request_for, pair):
    [done] = attach(request_for(**LOSES_NOTHING, keep=(veth.FAR,))).attached
    [checked] = done.checked
    assert (checked.host, checked.role, checked.neighbour_fresh) == (veth.FAR, "keep", True)
    assert checked.round_trip_ms > 0


def test_a_host_that_was_silent_before_cannot_be_demanded(request_for, pair):
    [done] = attach(request_for(**LOSES_NOTHING, keep=("198.18.0.9",))).attached
    [checked] = done.checked
    assert (checked.is_required, checked.round_trip_ms) == (False, None)


def test_an_entry_that_an_operator_fixed_stays(request_for, pair):
    [far] = json.loads(pair.beyond_ip("-j", "link", "show", "far"))
    words = ["neigh", "replace", veth.FAR, "lladdr", far["address"], "dev", "near"]
    pair.ip(*words, "nud", "permanent")
    attach(request_for(**LOSES_NOTHING, keep=(veth.FAR,)))
    [entry] = json.loads(pair.ip("-j", "neigh", "show", veth.FAR))
    assert entry["state"] == ["PERMANENT"]


def test_after_a_while_the_hosts_are_checked_again_and_it_rolls_back(request_for, pair, state):
    request = request_for(**LOSES_NOTHING, keep=(veth.FAR,))._replace(
        check_again=timedelta(seconds=1)
    )
    [done] = attach(request).attached
    assert pair.programs() == [done.id]
    pair.beyond_ip("addr", "flush", "dev", "far")
    assert veth.until(lambda: pair.programs() == [])
    assert veth.until(lambda: len(journal.operations()) == 2)
    rolled_back = journal.operations()[1]
    assert rolled_back.kind == "ebpf.rollback"
    assert rolled_back.plan["attach"] == done.operation
    assert rolled_back.plan["lost"] == [veth.FAR]


def test_who_still_answers_after_a_while_keeps_it_there(request_for, pair, state):
    request = request_for(**LOSES_NOTHING, keep=(veth.FAR,))._replace(
        check_again=timedelta(milliseconds=300)
    )
    [done] = attach(request).attached
    wrong = ["lladdr", "02:00:00:00:00:01", "dev", "near", "nud", "reachable"]
    pair.ip("neigh", "replace", veth.FAR, *wrong)
    # The check forgets the false entry and asks anew: the host is there with its true address.
    assert veth.until(lambda: "02:00:00:00:00:01" not in pair.ip("neigh", "show", veth.FAR))
    assert pair.ping() == 1
    assert pair.programs() == [done.id]


def test_held_by_netlink_its_end_is_kept_by_the_keeper(request_for, pair):
    [done] = attach(request_for(holding="netlink", lasts=timedelta(seconds=1))).attached
    assert done.link_id is None
    assert pair.programs() == [done.id]
    assert veth.until(lambda: pair.programs() == [])
