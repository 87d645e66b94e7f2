"""Following interfaces that come and go, and what is left of those that went."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import veth

from x0tta_cli.core import service
from x0tta_cli.core.errors import ConflictError, OperatorError, Terminated
from x0tta_cli.ebpf import attachments, cleaning
from x0tta_cli.ebpf.attaching import attach
from x0tta_cli.ebpf.detaching import DetachRequest, detach
from x0tta_cli.ebpf.following import follow
from x0tta_cli.ebpf.loading import OBJECTS

LONG = timedelta(hours=1)


@contextmanager
def beside(act):
    """Follow while another thread acts, as other processes would; when it is done, stop."""
    failures = []

    def run() -> None:
        try:
            act()
        except (AssertionError, OperatorError) as error:
            failures.append(error)
        finally:
            running.stop()

    thread = threading.Thread(target=run)
    with pytest.raises(Terminated), service.running() as running:  # noqa: PT012 - the end
        thread.start()
        yield running
        thread.join()
    assert failures == []


def collect(request, act, interval=LONG):
    """Follow until `act` is done, which sees the events so far; gives all of them."""
    events = []
    with beside(lambda: act(events)) as running:
        for event in follow(request, running, interval):
            events.append(event)  # noqa: PERF402 - the other thread looks at it meanwhile
    return events


def test_an_interface_that_comes_back_with_another_index_is_attached_again(request_for, pair):
    def come_and_go(events) -> None:
        assert veth.until(lambda: len(events) == 1)
        pair.recreate()
        assert veth.until(lambda: pair.programs() != [])

    events = collect(request_for(), come_and_go)
    attached = [event for event in events if event.event == "attached"]
    assert len(attached) == 2
    assert attached[0].index != attached[1].index
    # What is attached stays when the following ends.
    assert pair.programs() == [attached[1].id]


def test_one_that_is_not_there_yet_is_waited_for(request_for, pair):
    pair.ip("link", "delete", "near")

    def come(events) -> None:
        assert veth.until(lambda: len(events) == 1)
        pair.recreate_missing()
        assert veth.until(lambda: len(events) == 2)

    events = collect(request_for(), come)
    assert [event.event for event in events] == ["missing", "attached"]


def test_what_no_event_tells_is_found_at_the_next_interval(request_for, pair, filesystem):
    def take_off(events) -> None:
        assert veth.until(lambda: len(events) == 1)
        detach(DetachRequest(("near",), netns=pair.netns, filesystem=filesystem))
        assert veth.until(lambda: len(events) == 2)

    events = collect(request_for(), take_off, timedelta(seconds=0.2))
    assert [event.event for event in events] == ["attached", "attached"]


def test_another_program_at_the_start_is_an_error_and_later_an_event(request_for, pair, filesystem):
    plain = str(OBJECTS / "count.bpf.o")
    pair.ip("link", "set", "dev", "near", "xdp", "obj", plain, "sec", "xdp")
    with service.running() as running, pytest.raises(ConflictError):
        list(follow(request_for(), running, LONG))
    pair.ip("link", "set", "dev", "near", "xdp", "off")

    def put_another_there(events) -> None:
        assert veth.until(lambda: len(events) == 1)
        pair.ip("link", "delete", "near")
        assert veth.until(lambda: len(events) == 2)
        # It appears with its program already on it, as one that somebody else made ready.
        pair.beyond_ip("link", "add", "made", "type", "veth", "peer", "name", "near")
        pair.beyond_ip("link", "set", "dev", "near", "xdpgeneric", "obj", plain, "sec", "xdp")
        pair.beyond_ip("link", "set", "near", "netns", pair.netns)
        assert veth.until(lambda: len(events) == 3)

    events = collect(request_for(), put_another_there)
    assert [event.event for event in events] == ["attached", "missing", "failed"]
    assert events[2].code == "ebpf.program_in_use"


def test_the_pin_of_a_vanished_interface_is_cleaned_and_nothing_else(request_for, pair, filesystem):
    [done] = attach(request_for()).attached
    assert cleaning.plan(filesystem).removed == ()
    pair.ip("link", "delete", "near")
    foreign = filesystem / "x0tta" / "of somebody else"
    foreign.mkdir()
    planned = cleaning.plan(filesystem)
    assert [one.name for one in planned.removed] == [done.pinned_at]
    assert Path(done.pinned_at).exists()
    assert cleaning.clean(filesystem).removed == planned.removed
    assert not Path(done.pinned_at).exists()
    assert foreign.exists()
    assert cleaning.plan(filesystem).removed == ()
    assert veth.until(lambda: not veth.exists("prog", done.id))


def test_an_interface_that_came_back_is_not_taken_for_the_one_that_went(
    request_for, pair, filesystem
):
    [done] = attach(request_for()).attached
    pair.recreate()
    assert attachments.find("near", pair.netns, filesystem=filesystem) == ()
    [again] = attach(request_for()).attached
    assert again.changed
    assert again.id != done.id
    assert [one.name for one in cleaning.clean(filesystem).removed] == [done.pinned_at]
    assert pair.programs() == [again.id]


def test_the_pin_of_a_program_that_netlink_held_is_cleaned(request_for, pair, filesystem):
    [done] = attach(request_for(holding="netlink")).attached
    assert cleaning.plan(filesystem).removed == ()
    pair.ip("link", "set", "dev", "near", "xdpgeneric", "off")
    [removed] = cleaning.clean(filesystem).removed
    assert (removed.what, removed.name) == ("program", done.pinned_at)
