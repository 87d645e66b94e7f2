"""The keeper: a small process of its own session that holds unpinned links, and nothing else.

    python -m x0tta_cli.ebpf.keeper LABEL INTERFACE...

When it ends, is killed, or its machine loses it, the kernel detaches what it held. The request
comes on stdin as one line of JSON, the descriptors by inheritance; before `confirmed` follows, an
end of stdin means that whoever attached is gone, and that the attachment was never finished.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from x0tta_cli.ebpf import syscalls
from x0tta_cli.ebpf.clock import boot_ns

HOLDING, CONFIRMED, KEPT = "holding", "confirmed", "kept"
LOOKS_AROUND_S = 5.0
_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})


@dataclass(frozen=True, slots=True)
class Kept:
    """One attachment that is kept: a link, or where it is None a program that netlink holds."""

    interface: str
    index: int
    mode: str
    program_fd: int
    link_fd: int | None


@dataclass(frozen=True, slots=True)
class Request:
    """What to keep, until when (ns of CLOCK_BOOTTIME), and whom to check on after how long.

    `filesystem` is the BPF file system in which parts of the program are pinned, if it has any.
    """

    kept: tuple[Kept, ...]
    until_ns: int | None
    targets: tuple[Mapping[str, Any], ...]
    check_again_s: float
    operation: str
    filesystem: str | None = None


def main() -> int:
    """Keep what stdin says; the exit status is 0 when it was time, 1 after a roll-back."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    line = sys.stdin.readline()
    if not line:
        return 0
    request = _request(json.loads(line))
    _answer(HOLDING)
    try:
        if sys.stdin.readline().strip() != CONFIRMED:
            _take_off(request.kept)
            return 0
        _answer(KEPT)
        _leave_terminal()
        return _keep(request)
    finally:
        _remove_parts(request)


def _keep(request: Request) -> int:
    check_at_ns = boot_ns() + int(request.check_again_s * 1e9) if request.targets else None
    while True:
        now = boot_ns()
        if check_at_ns is not None and now >= check_at_ns:
            check_at_ns = None
            if lost := _lost_hosts(request):
                _take_off(request.kept)
                _report(request, lost)
                return 1
        if (request.until_ns is not None and now >= request.until_ns) or _is_empty(request.kept):
            _take_off(request.kept)
            return 0
        times = [time for time in (check_at_ns, request.until_ns) if time is not None]
        wait_s = min([LOOKS_AROUND_S, *((moment - now) / 1e9 for moment in times)])
        arrived = signal.sigtimedwait(_SIGNALS, max(wait_s, 0.001))
        if arrived is not None and arrived.si_signo != signal.SIGHUP:
            _take_off(request.kept)
            return 0


def _is_empty(kept: Sequence[Kept]) -> bool:
    """Whether nothing of it is attached any more: another took it off, or its interface went."""
    return not any(_is_attached(one) for one in kept)


def _is_attached(one: Kept) -> bool:
    identifier = syscalls.program_info(one.program_fd).id
    if one.link_fd is not None:
        link = syscalls.link_info(one.link_fd)
        # Another may have swapped its own program in.
        return link.interface_index != 0 and link.program_id == identifier
    from x0tta_cli.ebpf.interfaces import find_index

    interface = find_index(one.index)
    return interface is not None and identifier in dict(interface.programs).values()


def _take_off(kept: Sequence[Kept]) -> None:
    for one in kept:
        with suppress(OSError):
            if not _is_attached(one):
                continue
            if one.link_fd is not None:
                syscalls.detach_link(one.link_fd)
            else:
                _take_off_by_netlink(one)


def _remove_parts(request: Request) -> None:
    """Remove what was pinned of a program with tail calls: nothing calls it any more."""
    if request.filesystem is None:
        return
    from pathlib import Path

    from x0tta_cli.core.errors import OperatorError
    from x0tta_cli.ebpf import pins

    with suppress(OperatorError):
        pins.remove_parts(Path(request.filesystem), request.operation)


def _take_off_by_netlink(one: Kept) -> None:
    from x0tta_cli.ebpf.model import Mode
    from x0tta_cli.ebpf.rtnetlink import XDP_FLAGS_REPLACE, set_program

    set_program(one.index, -1, Mode(one.mode), XDP_FLAGS_REPLACE, expected_fd=one.program_fd)


def _lost_hosts(request: Request) -> list[str]:
    """Check on everyone once more; a check that can't be made counts as failed."""
    from x0tta_cli.ebpf import selfcheck

    attached = {one.index for one in request.kept if _is_attached(one)}
    targets = [
        target
        for target in map(selfcheck.target_from, request.targets)
        if target.index in attached and target.is_required
    ]
    try:
        return [found.host for found in selfcheck.cut_off(targets, selfcheck.check(targets))]
    except OSError as error:
        return [f"nobody could be asked ({error})"]


def _report(request: Request, lost: Sequence[str]) -> None:
    """Write down that it rolled back: there is no terminal any more to say it on."""
    import syslog

    from x0tta_cli.core import journal
    from x0tta_cli.core.errors import OperatorError

    interfaces = [one.interface for one in request.kept]
    syslog.openlog("x0tta", syslog.LOG_PID, syslog.LOG_DAEMON)
    syslog.syslog(
        syslog.LOG_ERR,
        f"ebpf: rolled back {request.operation} on {', '.join(interfaces)}: no answer from "
        f"{', '.join(lost)}",
    )
    plan = {"attach": request.operation, "interfaces": interfaces, "lost": list(lost)}
    with suppress(OperatorError), journal.operation("ebpf.rollback", plan):
        pass


def _request(record: Mapping[str, Any]) -> Request:
    return Request(
        tuple(Kept(**one) for one in record["kept"]),
        record["until_ns"],
        tuple(record["targets"]),
        record["check_again_s"],
        record["operation"],
        record["filesystem"],
    )


def _answer(word: str) -> None:
    with suppress(BrokenPipeError):
        sys.stdout.write(word + "\n")
        sys.stdout.flush()


def _leave_terminal() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main())
