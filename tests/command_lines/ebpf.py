"""Lines of `x0tta ebpf`, on pairs of virtual interfaces."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial

from command_lines.line import X0TTA, Line, Lines, Place
from fakes import frames, veth
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap


@contextmanager
def pair(place: Place, program: str = "", *options: str) -> Iterator[veth.Pair]:
    """`{netns}` has the interface `near`, with a program of x0tta's where one is named."""
    with ExitStack() as stack:
        filesystem = stack.enter_context(veth.bpf_filesystem(place.folder / "bpf"))
        place.environment["X0TTA_EBPF__BPF_FILESYSTEM"] = str(filesystem)
        made = stack.enter_context(veth.veth_pair())
        place.words["netns"] = made.netns
        where = ("near", "--netns", made.netns)
        if program:
            line = (X0TTA, "ebpf", "attach", *where, "--program", program, "--yes")
            ended = place.run(*line, "--at-least", "native", *options)
            assert ended.returncode == 0, ended.stderr
        try:
            yield made
        finally:
            place.run(X0TTA, "ebpf", "detach", *where)


def with_program(name: str) -> Callable[[Place], AbstractContextManager[object]]:
    return partial(pair, program=name)


@contextmanager
def blocked(place: Place) -> Iterator[None]:
    """The network 198.18.7.0/24 is blocked in `{netns}`."""
    with pair(place, "filter"):
        line = ("ebpf", "block", "add", "198.18.7.0/24", "--interface", "near")
        ended = place.run(X0TTA, *line, "--netns", place.words["netns"], "--yes")
        assert ended.returncode == 0, ended.stderr
        yield


@contextmanager
def dropped(place: Place) -> Iterator[None]:
    """A filter in `{netns}` has dropped one packet."""
    with pair(place, "filter", "--param", f"deny={veth.FAR}") as made:
        assert made.ping(1) == 0
        yield


@contextmanager
def exporting(place: Place) -> Iterator[None]:
    """`{port}` is free."""
    with pair(place, "count"):
        with socket.create_server(("127.0.0.1", 0)) as free:
            place.words["port"] = str(free.getsockname()[1])
        yield


def is_listening(place: Place) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", int(place.words["port"])), 1).close()
        return True
    return False


@contextmanager
def capture(place: Place) -> Iterator[None]:
    """`{folder}/some.pcap` has a packet."""
    frame = frames.ethernet(frames.ip4(bytes(40), proto=17))
    wrpcap(str(place.folder / "some.pcap"), [Ether(frame)])
    with pair(place):
        yield


NEAR = "near --netns {netns}"
LINES = {
    "ebpf attach": Lines(
        Line(f"ebpf attach {NEAR} --program count --yes", around=pair, slow=True),
        Line("ebpf attach nowhere --program count --yes", 4, "ebpf.no_such_interface"),
    ),
    "ebpf detach": Lines(
        Line(f"ebpf detach {NEAR}", around=with_program("count"), slow=True),
        Line("ebpf detach nowhere", 4, "ebpf.no_such_interface"),
    ),
    "ebpf list": Lines(
        Line("ebpf list --netns {netns}", around=with_program("count"), slow=True),
        Line("ebpf list --netns no-such-namespace", 4, "ebpf.no_such_netns"),
    ),
    "ebpf clean": Lines(
        Line("ebpf clean --dry-run", around=pair),
        Line("ebpf clean --exit-code", 2, "usage.option_needs"),
    ),
    "ebpf probe": Lines(
        Line(f"ebpf probe {NEAR}", around=pair),
        Line("ebpf probe nowhere", 4, "ebpf.no_such_interface"),
    ),
    "ebpf programs": Lines(
        Line("ebpf programs"),
        Line("ebpf programs --fields nam", 2, "usage.unknown_field"),
    ),
    "ebpf stats": Lines(
        Line(
            f"ebpf stats {NEAR}",
            around=with_program("count"),
            slow=True,
            extra="ebpf",
            # What counts is there as soon as the kernel itself has spoken to its neighbours.
            varies=True,
        ),
        Line(f"ebpf stats {NEAR}", 4, "ebpf.nothing_to_read", around=pair),
    ),
    "ebpf top": Lines(
        Line(
            f"ebpf top {NEAR} --once",
            around=with_program("flows"),
            slow=True,
            extra="ebpf",
            varies=True,
        ),
        Line("ebpf top near --by colour", 2, "usage.bad_value"),
    ),
    "ebpf drops": Lines(
        Line(f"ebpf drops {NEAR} --recent", around=dropped, slow=True, varies=True),
        Line("ebpf drops nowhere", 4, "ebpf.no_such_interface"),
    ),
    "ebpf block add": Lines(
        Line(
            "ebpf block add 198.18.7.0/24 --interface near --netns {netns} --yes",
            around=with_program("filter"),
            slow=True,
            extra="ebpf",
        ),
        Line("ebpf block add nothing --yes", 2),
    ),
    "ebpf block remove": Lines(
        Line(
            "ebpf block remove 198.18.7.0/24 --interface near --netns {netns} --yes",
            around=blocked,
            slow=True,
            extra="ebpf",
        ),
        Line("ebpf block remove nothing --yes", 2),
    ),
    "ebpf block list": Lines(
        Line("ebpf block list --interface near --netns {netns}", around=blocked, slow=True,
             extra="ebpf"),
        Line("ebpf block list --interface nowhere", 4, "ebpf.no_such_interface"),
    ),
    "ebpf export": Lines(
        Line(
            f"ebpf export {NEAR} --listen 127.0.0.1:{{port}}",
            143,
            around=exporting,
            stop_when=is_listening,
            silent=True,
            slow=True,
            extra="ebpf",
        ),
        Line("ebpf export", 2, "usage.exclusive_options"),
    ),
    "ebpf record": Lines(
        Line(
            f"ebpf record {{folder}}/some.csv {NEAR} --for 1s --step 250ms",
            around=with_program("count"),
            slow=True,
            extra="ebpf",
        ),
        Line("ebpf record {folder}/some.csv nowhere --for 1s", 4, "ebpf.no_such_interface"),
    ),
    "ebpf test": Lines(
        Line("ebpf test count --packets {folder}/some.pcap", around=capture, slow=True,
             extra="ebpf", varies=True),
        Line("ebpf test count --packets {folder}/nothing.pcap", 4),
    ),
}  # fmt: skip
