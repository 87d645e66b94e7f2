"""The package as it is installed: its objects are all there, and each attaches."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

import pytest
from fakes import veth

from x0tta_cli.ebpf import namespaces, syscalls
from x0tta_cli.ebpf.interfaces import MODE_FLAG, find_interface
from x0tta_cli.ebpf.loading import load
from x0tta_cli.ebpf.model import Mode
from x0tta_cli.ebpf.programs import SHIPPED

CHECKOUT = Path(__file__).parents[3] / "x0tta_cli" / "ebpf"
NEEDED = {"ratelimit": {"rate": "100/s"}, "drop": {"probability": "0"}}


@pytest.mark.parametrize("folder", ["objects", "units"])
def test_what_the_checkout_has_beside_its_modules_is_installed(folder):
    installed = resources.files("x0tta_cli.ebpf") / folder
    there = {each.name: each.read_bytes() for each in installed.iterdir() if each.is_file()}
    here = {each.name: each.read_bytes() for each in (CHECKOUT / folder).iterdir()}
    assert there == here


@pytest.fixture(scope="module")
def pair():
    with veth.veth_pair() as made:
        yield made


@pytest.mark.parametrize("mode", [Mode.NATIVE, Mode.GENERIC])
@pytest.mark.parametrize("frags", [False, True], ids=["plain", "fragments"])
@pytest.mark.parametrize("name", [program.name for program in SHIPPED])
def test_every_object_that_is_installed_attaches(pair, name, frags, mode):
    suffix = ".frags.bpf.o" if frags else ".bpf.o"
    assert (resources.files("x0tta_cli.ebpf") / "objects" / f"{name}{suffix}").is_file()
    loaded = load(
        name, parameters=NEEDED.get(name, {}), link_type="ethernet", frags=frags, deadline_ns=None
    )
    assert loaded.frags is frags
    with namespaces.entered(pair.netns):
        index = find_interface("near").index
        link = syscalls.create_link(loaded.fd, index, MODE_FLAG[mode])
    try:
        assert pair.programs() == [loaded.id]
        assert pair.ping(2) == 2
    finally:
        os.close(link)
        loaded.close()
    assert veth.until(lambda: pair.programs() == [])
