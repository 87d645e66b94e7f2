"""Pairs of virtual Ethernet interfaces in namespaces of their own, and a BPF file system to pin in.

Names bear the process's number, so that tests side by side don't meet; the addresses are of the
benchmarking range (RFC 2544, RFC 5180). Making them takes root.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_numbers = itertools.count()
NEAR, FAR = "198.18.0.1", "198.18.0.2"
FAR_V6 = "2001:2::2"


@dataclass(frozen=True)
class Pair:
    """`near` in the namespace `netns`, its other end `far` in the namespace `beyond`."""

    netns: str
    beyond: str
    near: str = "near"
    far: str = "far"

    def ip(self, *words: str) -> str:
        return run("ip", "-n", self.netns, *words)

    def beyond_ip(self, *words: str) -> str:
        return run("ip", "-n", self.beyond, *words)

    def ping(self, count: int = 1) -> int:
        """How many of some echo requests from near to far were answered."""
        line = ["ping", "-q", "-i", "0.02", "-c", str(count), "-W", "0.3", FAR]
        ended = self.inside(*line)
        return int(ended.stdout.split(" packets transmitted, ")[1].split()[0])

    def inside(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the near namespace, with the mounts of the test."""
        line = ["nsenter", f"--net=/run/netns/{self.netns}", *words]
        return subprocess.run(line, capture_output=True, text=True, check=False, timeout=30)

    def programs(self, interface: str = "near") -> list[int]:
        """The ids of the XDP programs on an interface, as iproute2 shows them."""
        [shown] = json.loads(self.ip("-j", "-d", "link", "show", "dev", interface))
        xdp = shown.get("xdp") or {}
        found = [one["prog"]["id"] for one in xdp.get("attached", []) if "prog" in one]
        return found or ([xdp["prog"]["id"]] if "prog" in xdp else [])

    def add_second(self) -> None:
        """Another pair between the two namespaces: near2 and far2, without addresses."""
        self.ip(
            "link", "add", "near2", "type", "veth", "peer", "name", "far2", "netns", self.beyond
        )
        self.ip("link", "set", "near2", "up")
        self.beyond_ip("link", "set", "far2", "up")

    def recreate(self) -> None:
        """Delete the pair and make it anew: the same names, other indexes."""
        self.ip("link", "delete", self.near)
        self.recreate_missing()

    def recreate_missing(self) -> None:
        """Make the pair anew after it was deleted."""
        # An index that is free again may be given again: something takes it first.
        self.ip("tuntap", "add", "dev", "between", "mode", "tap")
        _make(self)

    def set_mtu(self, mtu_bytes: int) -> None:
        self.ip("link", "set", self.near, "mtu", str(mtu_bytes))
        self.beyond_ip("link", "set", self.far, "mtu", str(mtu_bytes))


@contextmanager
def veth_pair() -> Iterator[Pair]:
    """A pair that is up and has addresses, for as long as the block runs."""
    name = f"x0t{os.getpid()}n{next(_numbers)}"
    pair = Pair(f"{name}a", f"{name}b")
    run("ip", "netns", "add", pair.netns)
    try:
        run("ip", "netns", "add", pair.beyond)
        _make(pair)
        yield pair
    finally:
        for netns in (pair.netns, pair.beyond):
            subprocess.run(["ip", "netns", "delete", netns], check=False, stderr=subprocess.DEVNULL)


@contextmanager
def bpf_filesystem(folder: Path) -> Iterator[Path]:
    """A BPF file system of the test's own in a new folder, for as long as the block runs."""
    folder.mkdir()
    run("mount", "-t", "bpf", "bpf", str(folder))
    try:
        yield folder
    finally:
        run("umount", "--lazy", str(folder))


def run(*words: str) -> str:
    ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 0, f"{words}: {ended.stderr}"
    return ended.stdout


def until(condition: object, within_s: float = 10.0) -> bool:
    """Wait until a call gives something true; False where it never does."""
    assert callable(condition)
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def exists(kind: str, identifier: int) -> bool:
    """Whether the kernel has a program, map or link of an id, as bpftool says."""
    # Its exit status is no answer: some releases end with 255 for each link that they show.
    line = ["bpftool", "-j", kind, "show", "id", str(identifier)]
    told = subprocess.run(line, capture_output=True, check=False).stdout
    return json.loads(told).get("id") == identifier


def _make(pair: Pair) -> None:
    near, far = pair.near, pair.far
    pair.ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", pair.beyond)
    for call, name, address in ((pair.ip, near, NEAR), (pair.beyond_ip, far, FAR)):
        call("addr", "add", f"{address}/24", "dev", name)
        call("addr", "add", f"2001:2::{address[-1]}/64", "dev", name, "nodad")
        call("link", "set", name, "up")
