"""Processes that hold BPF links and programs open, as /proc tells: our keepers, and others."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from x0tta_cli.ebpf.labels import Label, parse_label

KEEPER_MODULE = "x0tta_cli.ebpf.keeper"
ENDED_WITHIN_S = 3.0
POLL_S = 0.01
_PROC = Path("/proc")


class Keeper(NamedTuple):
    """A running keeper: what it holds, by the kernel's ids, and the label on its command line."""

    pid: int
    label: Label
    link_ids: frozenset[int]
    program_ids: frozenset[int]


def keepers() -> list[Keeper]:
    """Find the keepers that run; those of other users are none of ours."""
    return [found for pid in _pids() if (found := _keeper(pid)) is not None]


def keeper_label(command_line: bytes) -> Label | None:
    """Read the label of a keeper's command line; None where it is no keeper's."""
    words = [word.decode("utf-8", "replace") for word in command_line.split(b"\0")]
    if len(words) < 4 or words[1:3] != ["-m", KEEPER_MODULE]:
        return None
    return parse_label(words[3])


def end_keeper(pid: int) -> None:
    """Let a keeper take off what it holds and end, and see it gone."""
    deadline = time.monotonic() + ENDED_WITHIN_S
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        while _is_running(pid) and time.monotonic() < deadline:
            time.sleep(POLL_S)


def holders_of(*, link_id: int | None = None, program_id: int | None = None) -> list[str]:
    """Name the processes that hold a link or program open, as `name (pid)`."""
    found = []
    for pid in _pids():
        links, programs = _held(pid)
        if link_id in links or program_id in programs:
            with suppress(OSError):
                name = (_PROC / str(pid) / "comm").read_text(encoding="utf-8", errors="replace")
                found.append(f"{name.strip()} ({pid})")
    return found


def _is_running(pid: int) -> bool:
    # One that ended and was not waited for has no command line any more.
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes() != b""
    except OSError:
        return False


def _keeper(pid: int) -> Keeper | None:
    folder = _PROC / str(pid)
    try:
        label = keeper_label((folder / "cmdline").read_bytes())
        if label is None or folder.stat().st_uid != os.geteuid():
            return None
    except OSError:
        return None
    links, programs = _held(pid)
    return Keeper(pid, label, frozenset(links), frozenset(programs))


def _held(pid: int) -> tuple[set[int], set[int]]:
    """Read the ids of links and programs out of proc_pid_fdinfo(5)."""
    links: set[int] = set()
    programs: set[int] = set()
    with suppress(OSError):
        for target in os.scandir(_PROC / str(pid) / "fd"):
            with suppress(OSError):
                kind = os.readlink(target.path)  # noqa: PTH115 - a thousand of them
                if kind in {"anon_inode:bpf_link", "anon_inode:bpf-link"}:
                    links.add(_number(pid, target.name, "link_id"))
                elif kind == "anon_inode:bpf-prog":
                    programs.add(_number(pid, target.name, "prog_id"))
    return links, programs


def _number(pid: int, descriptor: str, name: str) -> int:
    information = (_PROC / str(pid) / "fdinfo" / descriptor).read_text(encoding="ascii")
    for line in information.splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value)
    return 0


def _pids() -> Iterator[int]:
    own = os.getpid()
    for name in os.listdir(_PROC):  # noqa: PTH208 - a thousand of them
        if name.isdecimal() and int(name) != own:
            yield int(name)
