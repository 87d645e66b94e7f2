"""Programs on the near end of a pair, packets out of its far end, and what was counted of them."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager

from fakes import frames

from x0tta_cli.ebpf import attachments, namespaces, syscalls
from x0tta_cli.ebpf.counters import statistics
from x0tta_cli.ebpf.loading import load

GENERIC, NATIVE = 2, 4  # XDP_FLAGS_SKB_MODE, XDP_FLAGS_DRV_MODE
MODES = {"generic": GENERIC, "native": NATIVE}
# A protocol that nothing on the machine speaks by itself (RFC 3692).
EXPERIMENT = 253


@contextmanager
def attached(pair, name, mode="native", *, frags=True, keep=(), **given):
    """Attach a shipped program to the near end by a link that ends with the block."""
    program = load(name, parameters=given, link_type="ethernet", frags=frags, keep=keep)
    link = None
    try:
        with namespaces.entered(pair.netns):
            index = socket.if_nametoindex(pair.near)
            link = syscalls.create_link(program.fd, index, MODES[mode])
        yield program
    finally:
        if link is not None:
            os.close(link)
        program.close()


def found(pair):
    [attachment] = attachments.find(pair.near, pair.netns)
    return attachment


def send(pair, sent):
    """Send frames out of the far end, as they are."""
    with namespaces.entered(pair.beyond):
        sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        sender.bind((pair.far, 0))
    with sender:
        for frame in sent:
            sender.send(frame)


def experiment(size=40, source=frames.FOUR[1]):
    inner = frames.ip4(bytes(size), source=source, destination=frames.FOUR[0], proto=EXPERIMENT)
    return frames.ethernet(inner)


def counted(pair, protocol=f"ip-{EXPERIMENT}"):
    counters = statistics(found(pair)).counters
    return {
        counter.verdict: (counter.packets, counter.bytes)
        for counter in counters
        if counter.protocol == protocol
    }
