"""Follows interfaces: a program is attached again whenever one comes back under a new index.

Link events of rtnetlink wake it; since they may be lost (ENOBUFS), what is attached is compared
with what should be at every interval too.
"""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta

from x0tta_cli.core.errors import NotFoundError, OperatorError
from x0tta_cli.core.service import Service
from x0tta_cli.ebpf import namespaces
from x0tta_cli.ebpf.attaching import attach
from x0tta_cli.ebpf.interfaces import list_interfaces
from x0tta_cli.ebpf.model import Interface
from x0tta_cli.ebpf.outcomes import Attached, FollowEvent
from x0tta_cli.ebpf.requests import AttachRequest

RTMGRP_LINK = 1


class _Followed:
    """One interface by name: where it was last seen attached, and what was last said of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.index: int | None = None
        self.program_id: int | None = None
        self._said: tuple[str, str | None] = ("", None)

    def is_news(self, event: FollowEvent) -> bool:
        """Whether an event tells more than the one before."""
        said = (event.event, event.code)
        is_news, self._said = said != self._said, said
        return is_news or event.event == "attached"


def follow(request: AttachRequest, service: Service, interval: timedelta) -> Iterator[FollowEvent]:
    """Keep a program attached until the service stops or `--for` is over; gives what happens.

    What is attached stays when the service ends. Raises what `attach` raises, at the start alone;
    afterwards a failure is an event, and the next interval another try.
    """
    until = None if request.lasts is None else datetime.now(UTC) + request.lasts
    followed = [_Followed(name) for name in dict.fromkeys(request.interfaces)]
    with ExitStack() as stack:
        stack.enter_context(_waking(service, request.netns))
        yield from _first(request, followed)
        service.ready(_status(followed))
        while service.wait(_wait_s(interval, until)):
            if until is not None:
                if datetime.now(UTC) >= until:
                    return
                request = request._replace(lasts=until - datetime.now(UTC))
            for one in followed:
                for event in _reconcile(request, one):
                    if one.is_news(event):
                        yield event
            service.status(_status(followed))


def _first(request: AttachRequest, followed: list[_Followed]) -> Iterator[FollowEvent]:
    for one in followed:
        for event in _reconcile(request, one, is_first=True):
            one.is_news(event)
            yield event


def _reconcile(
    request: AttachRequest, one: _Followed, *, is_first: bool = False
) -> Iterator[FollowEvent]:
    now = datetime.now(UTC)
    with namespaces.entered(request.netns):
        interface = next((each for each in list_interfaces() if each.name == one.name), None)
    if interface is None:
        one.index = one.program_id = None
        yield FollowEvent(now, one.name, "missing", detail="waiting for it to come")
        return
    if _is_in_place(one, interface):
        return
    try:
        [done] = attach(request._replace(interfaces=(one.name,))).attached
    except NotFoundError as error:
        yield _failed(now, one, error)
    except OperatorError as error:
        if is_first:
            raise
        yield _failed(now, one, error)
    else:
        one.index, one.program_id = interface.index, done.id
        yield _event(now, interface, done)


def _is_in_place(one: _Followed, interface: Interface) -> bool:
    programs = [identifier for _, identifier in interface.programs]
    return one.index == interface.index and one.program_id in programs


def _event(now: datetime, interface: Interface, done: Attached) -> FollowEvent:
    return FollowEvent(
        now,
        done.interface,
        "attached" if done.changed else "unchanged",
        interface.index,
        done.mode,
        done.id,
        done.operation,
    )


def _failed(now: datetime, one: _Followed, error: OperatorError) -> FollowEvent:
    return FollowEvent(now, one.name, "failed", one.index, code=error.code, detail=str(error))


def _status(followed: list[_Followed]) -> str:
    attached = [one.name for one in followed if one.program_id is not None]
    missing = [one.name for one in followed if one.program_id is None]
    return f"attached: {', '.join(attached) or 'none'}" + (
        f"; waiting for {', '.join(missing)}" if missing else ""
    )


def _wait_s(interval: timedelta, until: datetime | None) -> float:
    left = interval.total_seconds()
    if until is not None:
        left = min(left, max(0.0, (until - datetime.now(UTC)).total_seconds()))
    return left


@contextmanager
def _waking(service: Service, netns: str | None) -> Iterator[None]:
    """Wake the service whenever the kernel tells of a change of any interface."""
    # Not by pyroute2, whose socket is of no use any more once the kernel has said ENOBUFS; and
    # nothing of what is told is read, since what counts is what is there now.
    with namespaces.entered(netns):
        events = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
    events.bind((0, RTMGRP_LINK))
    read_end, write_end = os.pipe2(os.O_CLOEXEC)

    def listen() -> None:
        while True:
            ready, _, _ = select.select([events.fileno(), read_end], [], [])
            if read_end in ready:
                return
            # ENOBUFS: some were lost, which is one more reason to look.
            with suppress(OSError):
                events.recv(1 << 16)
            service.wake()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield
    finally:
        os.write(write_end, b"\0")
        thread.join()
        events.close()
        os.close(read_end)
        os.close(write_end)
