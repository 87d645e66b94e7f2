"""Interfaces and a BPF file system for the tests of attaching."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import veth

from x0tta_cli.ebpf import attachments
from x0tta_cli.ebpf.detaching import DetachRequest, detach
from x0tta_cli.ebpf.requests import AttachRequest


@pytest.fixture
def filesystem(tmp_path) -> Iterator[Path]:
    with veth.bpf_filesystem(tmp_path / "bpf") as folder:
        yield folder


@pytest.fixture
def pair() -> Iterator[veth.Pair]:
    with veth.veth_pair() as made:
        yield made


@pytest.fixture
def request_for(pair, filesystem, state):
    """Make a request to attach to `near`; the state folder is the test's own."""

    def make(program="count", *, interfaces=("near",), **given) -> AttachRequest:
        return AttachRequest(
            tuple(interfaces), program, netns=pair.netns, filesystem=filesystem, **given
        )

    return make


@pytest.fixture
def find(pair, filesystem):
    def find(interface="near"):
        return attachments.find(interface, pair.netns, filesystem=filesystem)

    return find


@pytest.fixture
def take_off(pair, filesystem, state):
    def take_off(*interfaces, **given):
        names = interfaces or ("near",)
        return detach(
            DetachRequest(names, netns=pair.netns, filesystem=filesystem, **given)
        ).detached

    return take_off
