"""What runs inside the second kernel: attaches everywhere, and prints what happened as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from x0tta_cli.core.errors import OperatorError
from x0tta_cli.ebpf import attachments, probing
from x0tta_cli.ebpf.attaching import attach
from x0tta_cli.ebpf.detaching import DetachRequest, detach
from x0tta_cli.ebpf.interfaces import list_interfaces
from x0tta_cli.ebpf.loading import OBJECTS
from x0tta_cli.ebpf.model import Mode
from x0tta_cli.ebpf.requests import AttachRequest

COUNT = str(OBJECTS / "count.bpf.o")


def main() -> None:
    """Go through all cases; one that fails in an unforeseen way ends the run."""
    os.environ["X0TTA_STATE_DIR"] = "/tmp/state"
    cards = {driver_of(name): name for name in names() if driver_of(name)}
    seen = {
        "kernel": os.uname().release,
        "dispatcher": dispatcher(),
        "bonds": {mode: bond(mode) for mode in ("active-backup", "balance-alb")},
        "below_a_bond": below_a_bond(),
        "vlan": vlan(),
        "wireguard": wireguard(),
        "neither": neither(),
        "e1000": tried(cards["e1000"], at_least=Mode.NATIVE),
        "e1000_auto": tried(cards["e1000"]),
        "virtio": tried(cards["virtio_net"], program="count", at_least=Mode.NATIVE),
        "probed": probed(cards),
    }
    json.dump(seen, sys.stdout)


def dispatcher() -> dict[str, Any]:
    pair()
    run("xdp-loader", "load", "-m", "skb", "near", COUNT)
    run("xdp-loader", "load", "-m", "skb", "near", str(OBJECTS / "meter.bpf.o"))
    [found] = attachments.find("near")
    seen = {
        "program": found.program,
        "owner": found.owner.value,
        "parts": [part.program for part in found.parts],
        "attach": tried("near"),
        "replace": tried("near", replace=found.id),
        "detach": problem(lambda: detach(DetachRequest(("near",), id=found.id))),
        "is_untouched": attachments.find("near")[0].id == found.id,
    }
    run("xdp-loader", "unload", "near", "--all")
    attach(AttachRequest(("near",), "count"))
    seen["xdp_loader_over_ours"] = subprocess.run(
        ["xdp-loader", "load", "-m", "skb", "near", COUNT], capture_output=True, check=False
    ).returncode
    run("ip", "link", "delete", "near")
    return seen


def bond(mode: str) -> dict[str, Any]:
    pair()
    run("ip", "link", "add", "bond1", "type", "bond", "mode", mode)
    run("ip", "link", "set", "near", "down")
    run("ip", "link", "set", "near", "master", "bond1")
    run("ip", "link", "set", "bond1", "up")
    seen = tried("bond1", at_least=Mode.NATIVE)
    run("ip", "link", "delete", "bond1")
    run("ip", "link", "delete", "near")
    return seen


def below_a_bond() -> dict[str, Any]:
    pair()
    run("ip", "link", "add", "bond1", "type", "bond", "mode", "active-backup")
    run("ip", "link", "set", "near", "down")
    run("ip", "link", "set", "near", "master", "bond1")
    run("ip", "link", "set", "bond1", "up")
    attach(AttachRequest(("bond1",), "count", at_least=Mode.NATIVE))
    seen = tried("near", at_least=Mode.NATIVE)
    run("ip", "link", "delete", "bond1")
    run("ip", "link", "delete", "near")
    return seen


def vlan() -> dict[str, Any]:
    pair()
    run("ip", "link", "add", "link", "near", "name", "near.7", "type", "vlan", "id", "7")
    run("ip", "link", "set", "near.7", "up")
    seen = {"native": tried("near.7", mode="native"), "auto": tried("near.7")}
    run("ip", "link", "delete", "near")
    return seen


def wireguard() -> dict[str, Any]:
    run("ip", "link", "add", "wg1", "type", "wireguard")
    seen = {"native": tried("wg1", mode="native"), "auto": tried("wg1")}
    run("ip", "link", "delete", "wg1")
    return seen


def neither() -> dict[str, Any]:
    """An interface whose packets begin with netlink's header."""
    run("ip", "link", "add", "mon1", "type", "nlmon")
    seen = tried("mon1")
    run("ip", "link", "delete", "mon1")
    return seen


def probed(cards: dict[str, str]) -> dict[str, Any]:
    found = probing.probe(list(cards.values()), None, Path("/sys/fs/bpf")).interfaces
    return {one.driver: one.features for one in found}


def tried(interface: str, program: object = "count", **given: Any) -> dict[str, Any]:
    """Attach and detach again; what came of it."""
    try:
        [done] = attach(AttachRequest((interface,), program, **given)).attached
    except OperatorError as error:
        return {"code": error.code, "reason": error.reason, "fix": error.fix, "text": str(error)}
    detach(DetachRequest((interface,)))
    return {"mode": done.mode.value, "refused": [one.mode.value for one in done.refusals]}


def problem(act: Any) -> str | None:
    try:
        act()
    except OperatorError as error:
        return error.code
    return None


def pair() -> None:
    run("ip", "link", "add", "near", "type", "veth", "peer", "name", "far")
    run("ip", "link", "set", "near", "up")
    run("ip", "link", "set", "far", "up")


def names() -> list[str]:
    return [interface.name for interface in list_interfaces()]


def driver_of(name: str) -> str:
    path = Path("/sys/class/net") / name / "device" / "driver"
    return path.resolve().name if path.exists() else ""


def run(*words: str) -> None:
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"{words}: {ended.stderr}{ended.stdout}"


if __name__ == "__main__":
    main()
