"""Which modes are tried for an interface, in which order, and what native mode changes there."""

from __future__ import annotations

from typing import NamedTuple

from x0tta_cli.core.errors import UsageError
from x0tta_cli.ebpf.model import Interface, Mode
from x0tta_cli.ebpf.refusals import VETH_MTU_BYTES

AUTO = "auto"
_STRONGEST_FIRST = (Mode.HARDWARE, Mode.NATIVE, Mode.GENERIC)
VETH_NOTE = (
    "generic on this veth: native mode would turn off the other end's segmentation offload, "
    "measured 20 to 5 Gb/s, and the program only passes; --at-least native takes it all the same"
)


class Choice(NamedTuple):
    """The modes to try, the preferred first, and why it is not the strongest."""

    modes: tuple[Mode, ...]
    notes: tuple[str, ...] = ()


def choose(interface: Interface, mode: str, at_least: Mode | None, *, can_drop: bool) -> Choice:
    """Choose the modes to try. UsageError `ebpf.contradicting_modes`."""
    if mode != AUTO:
        only = Mode(mode)
        if at_least and only.strength < at_least.strength:
            raise UsageError(
                "ebpf.contradicting_modes",
                f"--mode {only} is weaker than --at-least {at_least}.",
                fix="Leave one of them out.",
            )
        return Choice((only,))
    tried = tuple(
        each for each in _STRONGEST_FIRST if not at_least or each.strength >= at_least.strength
    )
    if interface.kind == "veth" and not can_drop and at_least is None:
        return Choice((Mode.GENERIC,), (VETH_NOTE,))
    return Choice(tried)


def effects_of_native(interface: Interface) -> tuple[str, ...]:
    """Say what a native attachment changes beside the packets, before it does."""
    if interface.kind == "veth":
        return (
            "The other end's segmentation offload goes off: measured 20 to 5 Gb/s in one stream.",
            f"Without fragments the other end's MTU can't be raised above {VETH_MTU_BYTES} bytes "
            "as long as the program is there.",
        )
    from x0tta_cli.ebpf import ethtool

    effects = [
        "Most drivers reset their queues: the link may flap, on some for seconds.",
        f"The MTU ({interface.mtu_bytes} now) can't be raised above the driver's limit for XDP.",
    ]
    if ethtool.read_driver(interface.name).lro:
        effects.append("Large receive offload is on, and has to go off first.")
    return tuple(effects)
