"""How long attaching takes, beside ip link, xdp-loader and the command's own start.

    tests/bench/ebpf_attach.py [--size N]

Needs root: it makes a pair of virtual interfaces in namespaces of its own. Rounds are interleaved,
so that a busy machine slows all alike; what counts are the ratios of the medians.

- loaded: load + attach + detach of a shipped program in this process, beside what `ip link set xdp
  obj` and `xdp-loader load`, with their `off` and `unload`, take as commands.
- attached: attach + detach alone, by a link and by netlink, both in this process. Nearly all of
  it is one wait in each of the four requests, the same for both ways and in both modes: whenever
  a program comes to the first interface, or leaves the last one, the kernel rewrites its table of
  direct calls and waits for all CPUs (bpf_dispatcher_change_prog: synchronize_rcu, in steps of the
  tick). No other order of system calls spares it. So the same is measured once more for a program
  that is on another interface too, where nothing has to be rewritten.
- command: `x0tta ebpf attach` and `detach` together, beside `ip link set xdp obj` and `off` plus
  two times `x0tta ebpf --help`. Nothing is configured, as where nobody has set anything, and all
  modules are compiled, as pip leaves them: the run has a mount namespace and a cache of its own.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fakes import veth

from x0tta_cli.ebpf import namespaces, pins, syscalls
from x0tta_cli.ebpf.interfaces import MODE_FLAG, find_interface
from x0tta_cli.ebpf.loading import OBJECTS, load
from x0tta_cli.ebpf.model import Mode
from x0tta_cli.ebpf.netlink import Netlink, attribute
from x0tta_cli.ebpf.rtnetlink import XDP_FLAGS_UPDATE_IF_NOEXIST

ROUNDS = 30
FEWEST_ROUNDS = 3
PAUSE_S = 0.02
# include/uapi/linux/{rtnetlink,if_link}.h: RTM_SETLINK, IFLA_XDP (nested), IFLA_XDP_FD, _FLAGS
SETLINK, XDP, XDP_FD, XDP_FLAGS = 19, 43 | 0x8000, 1, 3
X0TTA = str(Path(sys.executable).with_name("x0tta"))
OBJECT = str(OBJECTS / "count.bpf.o")
# (ours, peer, at most so many times as long)
BARS = (
    ("load, attach, detach: x0tta's library", "load, attach, detach: ip link", 0.9),
    ("load, attach, detach: x0tta's library", "load, attach, detach: xdp-loader", 0.9),
    ("attach, detach: link", "attach, detach: netlink", 0.8),
    ("attach, detach: link, no wait", "attach, detach: netlink, no wait", 0.8),
    ("commands: x0tta", "commands: ip link and two --help", 1.0),
)


def main() -> int:
    """Measure, print medians and ratios; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=float, default=1.0, help="share of the rounds (default 1)")
    rounds = max(FEWEST_ROUNDS, round(ROUNDS * parser.parse_args().size))
    if not pins.is_mounted(pins.DEFAULT_FILESYSTEM):
        with_filesystem = f'mount -t bpf bpf {pins.DEFAULT_FILESYSTEM} && exec "$@"'
        line = ["unshare", "--mount", "sh", "-c", with_filesystem, "sh", sys.executable, *sys.argv]
        os.execvp(line[0], line)
    with tempfile.TemporaryDirectory() as scratch, veth.veth_pair() as pair:
        pair.add_second()
        works = works_of(pair, environment_in(Path(scratch)))
        measure(works, 1)
        taken = measure(works, rounds)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    for name, median_s in medians.items():
        print(f"{median_s * 1000:9.2f} ms  {name}")
    missed = 0
    for ours, peer, bar in BARS:
        ratio = medians[ours] / medians[peer]
        missed += ratio > bar
        print(f"{ratio:9.2f} of {peer} takes {ours} (at most {bar:g})")
    return 1 if missed and rounds == ROUNDS else 0


def environment_in(folder: Path) -> dict[str, str]:
    """Give the commands the environment of a user who has set nothing."""
    inherited = ("X0TTA_", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(inherited)}
    own = {"X0TTA_STATE_DIR": str(folder / "state"), "PYTHONPYCACHEPREFIX": str(folder / "cache")}
    return kept | own


def measure(works: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Run every work once in each round; gives the seconds each took."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            # The kernel waits for all CPUs to pass a point that they pass at their own pace:
            # without a pause of any length, one work would always meet it as the last one left it.
            time.sleep(random.uniform(0, PAUSE_S))
            taken[name].append(work())
    return taken


def works_of(pair: veth.Pair, environment: dict[str, str]) -> dict[str, Callable[[], float]]:
    """Name what is measured, each as a call that gives its seconds."""
    inside = ["nsenter", f"--net=/run/netns/{pair.netns}"]
    ip_on = ["ip", "link", "set", "dev", "near", "xdp", "obj", OBJECT, "sec", "xdp"]
    ip_off = ["ip", "link", "set", "dev", "near", "xdp", "off"]
    loader_on = ["xdp-loader", "load", "-m", "native", "near", OBJECT]
    loader_off = ["xdp-loader", "unload", "near", "--all"]
    on = [X0TTA, "ebpf", "attach", "near", "--netns", pair.netns, "--program", "count"]
    off = [X0TTA, "ebpf", "detach", "near", "--netns", pair.netns]
    help_ = [X0TTA, "ebpf", "--help"]

    def run(*lines: list[str]) -> float:
        started = time.perf_counter()
        for line in lines:
            subprocess.run(line, check=True, capture_output=True, env=environment)
        return time.perf_counter() - started

    return {
        "load, attach, detach: x0tta's library": lambda: by_library(pair),
        "load, attach, detach: ip link": lambda: run([*inside, *ip_on], [*inside, *ip_off]),
        "load, attach, detach: xdp-loader": lambda: run(
            [*inside, *loader_on], [*inside, *loader_off]
        ),
        "attach, detach: link": lambda: by_link(pair),
        "attach, detach: netlink": lambda: by_netlink(pair),
        "attach, detach: link, no wait": lambda: by_link(pair, elsewhere=True),
        "attach, detach: netlink, no wait": lambda: by_netlink(pair, elsewhere=True),
        "commands: x0tta": lambda: run([*on, "--at-least", "native"], off),
        "commands: ip link and two --help": lambda: run(
            [*inside, *ip_on], [*inside, *ip_off], help_, help_
        ),
    }


def by_library(pair: veth.Pair) -> float:
    """Load, attach and detach in this process."""
    with namespaces.entered(pair.netns):
        index = find_interface("near").index
        started = time.perf_counter()
        program = load("count", parameters={}, link_type="ethernet", frags=False)
        link = syscalls.create_link(program.fd, index, MODE_FLAG[Mode.NATIVE])
        syscalls.detach_link(link)
        os.close(link)
        program.close()
        return time.perf_counter() - started


@contextmanager
def a_program(*, elsewhere: bool) -> Iterator[int]:
    """Load the smallest program, and have it on the second interface meanwhile if asked."""
    program = syscalls.load_bare_program()
    held = [program]
    if elsewhere:
        second = find_interface("near2").index
        held.insert(0, syscalls.create_link(program, second, MODE_FLAG[Mode.NATIVE]))
    try:
        yield program
    finally:
        for descriptor in held:
            os.close(descriptor)


def by_link(pair: veth.Pair, *, elsewhere: bool = False) -> float:
    """Attach and detach a loaded program by a link."""
    with namespaces.entered(pair.netns), a_program(elsewhere=elsewhere) as program:
        index = find_interface("near").index
        started = time.perf_counter()
        link = syscalls.create_link(program, index, MODE_FLAG[Mode.NATIVE])
        syscalls.detach_link(link)
        taken = time.perf_counter() - started
        os.close(link)
        return taken


def by_netlink(pair: veth.Pair, *, elsewhere: bool = False) -> float:
    """Attach and detach a loaded program by netlink, written out: no library's time is counted."""
    with (
        namespaces.entered(pair.netns),
        Netlink() as netlink,
        a_program(elsewhere=elsewhere) as program,
    ):
        index = find_interface("near").index
        started = time.perf_counter()
        netlink.ask(SETLINK, request_for(index, program, XDP_FLAGS_UPDATE_IF_NOEXIST))
        netlink.ask(SETLINK, request_for(index, -1, 0))
        return time.perf_counter() - started


def request_for(index: int, program: int, flags: int) -> bytes:
    """The body of a request to set the program of an interface, or with -1 to remove it."""
    flags |= MODE_FLAG[Mode.NATIVE]
    parts = attribute(XDP_FD, struct.pack("=i", program))
    parts += attribute(XDP_FLAGS, struct.pack("=I", flags))
    return struct.pack("=BxHiII", 0, 0, index, 0, 0) + attribute(XDP, parts)


if __name__ == "__main__":
    sys.exit(main())
