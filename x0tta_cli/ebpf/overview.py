"""What `ebpf` says on the screens of `x0tta status` and `x0tta doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from x0tta_cli.core.doctor.model import Check, Finding, Observed, Surroundings
from x0tta_cli.core.errors import UnsupportedError
from x0tta_cli.core.notices import Severity
from x0tta_cli.core.status import StatusLine

if TYPE_CHECKING:
    from pathlib import Path

    from x0tta_cli.core.config import Configuration

NAMED = 4


def status_lines(configuration: Configuration) -> Iterator[StatusLine]:
    """Tell what of ours is attached, and which pins have lost their interface.

    Who may not ask whose the programs are is told of that there are some. Raises what reading the
    configuration raises.
    """
    from x0tta_cli.ebpf import attachments, capabilities

    if capabilities.missing(("CAP_SYS_ADMIN",)):
        yield from _unknown()
        return
    filesystem = _filesystem(configuration)
    ours = attachments.ours(attachments.list_all(all_netns=True, filesystem=filesystem))
    if ours:
        names = [f"{found.program} on {found.interface} ({found.mode})" for found in ours]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        yield StatusLine(
            Severity.INFO,
            f"attached: {', '.join(names[:NAMED])}{more}",
            len(ours),
            "x0tta ebpf list --all-netns",
        )
    dead = attachments.take_inventory(filesystem).dead_pins
    if dead:
        yield StatusLine(
            Severity.WARNING,
            f"pins of what is attached no more: {len(dead)}",
            len(dead),
            "x0tta ebpf clean",
        )


def look_at_libbpf(_surroundings: Surroundings) -> Observed:
    """See whether programs can be loaded."""
    from x0tta_cli.ebpf import libbpf

    try:
        libbpf.library()
    except UnsupportedError as error:
        return Observed(findings=(Finding.from_error(error, libbpf.SONAME, Severity.INFO),))
    return Observed(libbpf.SONAME)


def look_at_pins(surroundings: Surroundings) -> Observed:
    """See whether every pin of ours still holds something."""
    from x0tta_cli.ebpf import attachments, capabilities

    if capabilities.missing(("CAP_SYS_ADMIN",)):
        return Observed(unknown="whose links there are is told to CAP_SYS_ADMIN alone")
    inventory = attachments.take_inventory(_filesystem(surroundings.configuration))
    findings = tuple(
        Finding(
            "ebpf.dead_pin",
            Severity.WARNING,
            str(pin.path),
            f"A pin holds a link that is attached no more: {pin.label.program} was on "
            f"{pin.place.interface}.",
            "x0tta ebpf clean",
            "Its interface is gone, or another tool has detached it.",
        )
        for pin in inventory.dead_pins
    )
    return Observed(f"{len(inventory.pins) - len(findings)} attached by pins", findings)


CHECKS = (Check("libbpf", look_at_libbpf), Check("pins", look_at_pins))


def _unknown() -> Iterator[StatusLine]:
    from x0tta_cli.ebpf.interfaces import list_interfaces

    names = [interface.name for interface in list_interfaces() if interface.programs]
    if names:
        yield StatusLine(
            Severity.INFO,
            f"XDP programs are on {', '.join(names)}; root can see whose",
            len(names),
            "sudo x0tta ebpf list",
        )


def _filesystem(configuration: Configuration) -> Path:
    if not configuration.is_given("ebpf"):
        from x0tta_cli.ebpf.defaults import DEFAULTS

        return DEFAULTS.bpf_filesystem
    from x0tta_cli.ebpf.settings import EbpfSettings

    return configuration.section("ebpf", EbpfSettings).bpf_filesystem
