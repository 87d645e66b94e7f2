"""Which modes are tried, and what is said of each refusal."""

from __future__ import annotations

import errno
from dataclasses import replace

import pytest

from x0tta_cli.core.errors import UsageError
from x0tta_cli.ebpf.model import Interface, LinkType, Mode
from x0tta_cli.ebpf.modes import choose, effects_of_native
from x0tta_cli.ebpf.refusals import CANNOT, ENOTSUPP, OCCUPIED, explain, in_words

CARD = Interface("x0t-none", 7, LinkType.ETHERNET, "", 1500, True, True, 1, (), hardware_type=1)
VETH = replace(CARD, kind="veth")
ALL = (Mode.HARDWARE, Mode.NATIVE, Mode.GENERIC)


def test_auto_tries_the_strongest_first():
    assert choose(CARD, "auto", None, can_drop=False).modes == ALL
    assert choose(VETH, "auto", None, can_drop=True).modes == ALL


def test_auto_spares_a_veths_offload_for_what_only_passes():
    choice = choose(VETH, "auto", None, can_drop=False)
    assert choice.modes == (Mode.GENERIC,)
    assert "--at-least native" in choice.notes[0]


@pytest.mark.parametrize(
    ("at_least", "modes"),
    [(Mode.GENERIC, ALL), (Mode.NATIVE, ALL[:2]), (Mode.HARDWARE, ALL[:1])],
)
def test_at_least_leaves_out_what_is_weaker(at_least, modes):
    assert choose(VETH, "auto", at_least, can_drop=False).modes == modes


def test_a_mode_that_was_named_is_the_only_one():
    assert choose(VETH, "native", None, can_drop=False).modes == (Mode.NATIVE,)
    with pytest.raises(UsageError) as refused:
        choose(CARD, "generic", Mode.NATIVE, can_drop=False)
    assert refused.value.code == "ebpf.contradicting_modes"


def test_falling_back_is_for_what_a_driver_cannot_and_never_for_what_is_occupied():
    assert {errno.EOPNOTSUPP, ENOTSUPP, errno.EINVAL, errno.ERANGE, errno.ENOMEM} == CANNOT
    assert {errno.EBUSY, errno.EEXIST} == OCCUPIED
    assert not CANNOT & OCCUPIED


REFUSALS = [
    (
        VETH,
        errno.ERANGE,
        "veth: Peer MTU is too large to set XDP",
        "MTU of its other end",
        "mtu 3506",
    ),
    (replace(CARD, mtu_bytes=9000), errno.EINVAL, "", "MTU of 9000", "xdp.frags"),
    (CARD, errno.EOPNOTSUPP, "can't set XDP while LRO is on", "receive offload", "lro off"),
    (CARD, errno.ENOMEM, "", "too few queues", "ethtool -L"),
    (
        replace(CARD, kind="bond", bond_mode="balance-alb"),
        errno.EOPNOTSUPP,
        "No native XDP support for the current bonding mode",
        "bond mode balance-alb",
        "mode active-backup",
    ),
    (
        CARD,
        errno.EINVAL,
        "Cannot attach when an upper device already has a program",
        "the bond above it",
        "Attach to the bond",
    ),
    (replace(CARD, kind="vlan"), errno.EOPNOTSUPP, "", "a VLAN", "the interface below it"),
    (replace(CARD, hardware_type=65534), errno.EOPNOTSUPP, "", "not an Ethernet", "begin with IP"),
    (CARD, errno.EOPNOTSUPP, "", "no native XDP", "--mode generic"),
]


@pytest.mark.parametrize(("interface", "number", "words", "cause", "fix"), REFUSALS)
def test_a_refusal_names_its_cause_and_the_command_that_mends_it(
    interface, number, words, cause, fix
):
    refusal = explain(interface, Mode.NATIVE, number, words)
    assert cause in refusal.cause
    assert fix in refusal.fix
    assert (words or "gives no reason") in in_words(refusal)


def test_what_native_mode_changes_is_said_for_cards_too():
    assert any("flap" in effect for effect in effects_of_native(CARD))
    assert any("20 to 5 Gb/s" in effect for effect in effects_of_native(VETH))
