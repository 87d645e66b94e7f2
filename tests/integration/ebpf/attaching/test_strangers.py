"""Objects by other hands: several programs in one, and maps that are pinned by name."""

from __future__ import annotations

import os
import signal

import pytest
from fakes import veth

from x0tta_cli.core.errors import NotPermittedError, UnsupportedError
from x0tta_cli.ebpf import cleaning, maps, syscalls
from x0tta_cli.ebpf.attaching import attach, plan
from x0tta_cli.ebpf.loading import load

SEVERAL = """
SEC("xdp") int first(struct xdp_md *context) { return 2; }
SEC("xdp.frags") int second(struct xdp_md *context) { return 1; }
SEC("xdp_third") int third(struct xdp_md *context) { return 1; }
SEC("tc") int other(void *context) { return 0; }
"""
# LIBBPF_PIN_BY_NAME is 1.
SHARING = """
struct { int (*type)[2]; unsigned *key; unsigned long long *value; int (*max_entries)[1];
         int (*pinning)[1]; } hits SEC(".maps");
static void *(*look_up)(void *map, const void *key) = (void *)1;
SEC("xdp") int sharing(struct xdp_md *context) {
	unsigned key = 0;
	unsigned long long *count = look_up(&hits, &key);
	if (count) __sync_fetch_and_add(count, 1);
	return 2;
}
"""


def hits_in(filesystem) -> int:
    descriptor = syscalls.open_pin(str(filesystem / "hits"))
    try:
        return int.from_bytes(maps.lookup(descriptor, bytes(4), 8), "little")
    finally:
        os.close(descriptor)


def left_in(filesystem) -> list[str]:
    return [path.name for path in filesystem.iterdir() if not path.name.endswith(".debug")]


def test_of_several_programs_the_first_is_attached_and_the_others_are_named(
    request_for, pair, build
):
    request = request_for(build(SEVERAL))
    noted = "the first XDP program of the object; not attached: second, third"
    assert noted in plan(request).planned[0].notes
    [done] = attach(request).attached
    assert (done.program, pair.programs()) == ("first", [done.id])
    assert noted in done.notes


def test_a_map_is_pinned_by_its_name_as_long_as_a_program_of_ours_has_it(
    request_for, pair, build, take_off, filesystem
):
    pair.add_second()
    request = request_for(build(SHARING))
    attach(request)
    attach(request._replace(interfaces=("near2",)))
    assert pair.ping(3) == 3
    assert hits_in(filesystem) >= 3
    take_off("near")
    assert veth.until(lambda: len(list(filesystem.glob("x0tta/parts-*"))) == 1)
    assert hits_in(filesystem) >= 3
    take_off("near2")
    assert veth.until(lambda: left_in(filesystem) == [])


def test_neither_a_plan_nor_a_trial_pins_a_map_or_counts_in_one(
    request_for, build, take_off, filesystem
):
    path = build(SHARING)
    plan(request_for(path))
    assert left_in(filesystem) == []
    attach(request_for(path))
    tried = load(path, parameters={}, link_type="ethernet", frags=False)
    assert tried.maps["hits"] != 0
    pinned = syscalls.open_pin(str(filesystem / "hits"))
    assert syscalls.map_info(pinned).id != syscalls.map_info(tried.maps["hits"]).id
    os.close(pinned)
    tried.close()
    take_off()


def test_a_map_that_another_has_pinned_is_used_and_stays(
    request_for, pair, build, take_off, filesystem
):
    veth.run(
        *("bpftool", "map", "create", str(filesystem / "hits"), "type", "array"),
        *("key", "4", "value", "8", "entries", "1", "name", "hits"),
    )
    attach(request_for(build(SHARING)))
    assert pair.ping(1) == 1
    assert hits_in(filesystem) >= 1
    take_off()
    assert veth.until(lambda: left_in(filesystem) == ["hits"])


def test_a_map_of_another_shape_in_the_way_is_named(request_for, pair, build, filesystem):
    veth.run(
        *("bpftool", "map", "create", str(filesystem / "hits"), "type", "array"),
        *("key", "4", "value", "4", "entries", "1", "name", "hits"),
    )
    with pytest.raises(UnsupportedError) as caught:
        attach(request_for(build(SHARING)))
    assert str(filesystem / "hits") in caught.value.reason
    assert "rename" in caught.value.fix
    assert pair.programs() == []


def test_a_map_of_a_killed_keeper_is_cleaned_away(request_for, pair, build, filesystem):
    [done] = attach(request_for(build(SHARING))).attached
    os.kill(done.keeper_pid, signal.SIGKILL)
    assert veth.until(lambda: pair.programs() == [])
    assert "hits" in left_in(filesystem)
    assert veth.until(lambda: cleaning.plan(filesystem).removed != ())
    cleaning.clean(filesystem)
    assert left_in(filesystem) == []


def test_where_a_map_can_not_be_pinned_nothing_stays_attached(request_for, pair, build, filesystem):
    (filesystem / "x0tta").mkdir()
    veth.run("mount", "-o", "remount,ro", str(filesystem))
    with pytest.raises(NotPermittedError) as caught:
        attach(request_for(build(SHARING)))
    assert caught.value.code == "ebpf.pin_refused"
    assert veth.until(lambda: pair.programs() == [])
    assert left_in(filesystem) == ["x0tta"]
