"""`x0tta ebpf attach`, and all that keeps it safe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from x0tta_cli.ebpf.cli.application import app
from x0tta_cli.ebpf.cli.options import (
    MODES,
    STRENGTHS,
    AtLeast,
    Follow,
    Interfaces,
    Keep,
    Lasts,
    ModeName,
    Netns,
    Parameters,
    Program,
    Replace,
    Strict,
    checked_mode,
    pair_of,
    program_of,
)
from x0tta_cli.ebpf.cli.sections import settings_of
from x0tta_cli.ebpf.outcomes import Attached, Attaching, AttachPlan, FollowEvent, PlannedAttachment
from x0tta_cli.terminal.command import Block, Cell, Facts, Text, Tone, confirm, session

if TYPE_CHECKING:
    from x0tta_cli.ebpf.requests import AttachRequest

# A deadline is a number of ns in 64 bits, which are over after 584 years.
LONGEST = timedelta(days=36_500)

TONE_OF_EVENT: dict[str, Tone] = {
    "attached": "good",
    "unchanged": "good",
    "missing": "warning",
    "failed": "bad",
}


def blocks_of_attaching(result: Attaching | AttachPlan | FollowEvent) -> Iterator[Block]:
    """Lay out what was attached, what would be, or what happened while following."""
    if isinstance(result, AttachPlan):
        for planned in result.planned:
            yield from blocks_of_plan(planned)
    elif isinstance(result, FollowEvent):
        yield from blocks_of_event(result)
    else:
        for attached in result.attached:
            yield from blocks_of_attached(attached)


def blocks_of_attached(done: Attached) -> Iterator[Block]:
    """Say where a program is now, in which mode, and what holds it for how long."""
    where = f"{done.interface} in {done.netns}" if done.netns else done.interface
    if not done.changed:
        yield Text(f"{done.program} is on {where} already ({done.mode}, id {done.id}).", "good")
    else:
        yield Text(f"{done.program} is attached to {where} ({done.mode}, id {done.id}).", "good")
    facts: list[tuple[str, object]] = [("held by", holder_of(done))]
    if done.expires_at:
        facts.append(("until", done.expires_at))
    facts += [("operation", done.operation)]
    if done.carrier_lost_ms:
        facts.append(("carrier lost", Cell(f"{done.carrier_lost_ms:g} ms", "warning")))
    facts += [("answered", answer) for answer in answers_of(done)]
    facts += [("refused", f"{one.mode}: {one.cause}") for one in done.refusals]
    facts += [("note", note) for note in done.notes]
    yield Facts(facts)


def holder_of(done: Attached) -> str:
    """Say what an attachment hangs on."""
    held = f"link {done.link_id}" if done.link_id else "netlink"
    if done.keeper_pid:
        return f"{held}, kept by process {done.keeper_pid}"
    return f"{held}, pinned at {done.pinned_at}" if done.pinned_at else held


def answers_of(done: Attached) -> Iterator[str]:
    """Say who of those that matter answered after attaching."""
    for found in done.checked:
        if found.round_trip_ms is not None:
            yield f"{found.host} ({found.role}) in {found.round_trip_ms:.2f} ms"
        elif found.neighbour_fresh:
            yield f"{found.host} ({found.role}) to ARP or NDP; it never answered an echo"
        else:
            yield f"{found.host} ({found.role}) not at all, neither before nor now"


def blocks_of_plan(planned: PlannedAttachment) -> Iterator[Block]:
    """Say what attaching would do."""
    if not planned.would_change:
        yield Text(f"{planned.program} is on {planned.interface} already.", "good")
        return
    yield Text(f"{planned.program} would be attached to {planned.interface}.")
    yield Facts(
        [
            ("modes tried", ", ".join(planned.modes)),
            ("held by", f"{planned.attachment}, with {planned.held_by}"),
            *(("native mode", effect) for effect in planned.effects),
            *(("note", note) for note in planned.notes),
        ]
    )


def blocks_of_event(event: FollowEvent) -> Iterator[Block]:
    """One line for what happened to a followed interface."""
    from x0tta_cli.core.times import format_instant, format_local

    at = format_instant(event.at) if session().utc else format_local(event.at)
    detail = event.detail or (f"{event.mode}, id {event.id}" if event.id else "")
    yield Text(
        f"{at} {event.interface} {event.event}{f': {detail}' if detail else ''}",
        TONE_OF_EVENT.get(event.event, "plain"),
    )


@app.command(
    view=blocks_of_attaching,
    changes_world=True,
    examples=[
        "x0tta ebpf attach wlan0 --program count",
        "x0tta ebpf attach eth0 eth1 --program flows --at-least native",
        "x0tta ebpf attach eth0 --program filter --param deny=198.51.100.0/24 --for 10m",
        "x0tta ebpf attach mesh0 --program drop --param probability=5% --for 2m --keep 10.0.0.1",
        "x0tta ebpf attach eth0 --program ./my.bpf.o --dry-run  # what native mode changes",
    ],
)
def attach(  # noqa: PLR0917 - Typer reads its options off the parameters
    interfaces: Interfaces,
    program: Program,
    mode: ModeName = "auto",
    at_least: AtLeast = None,
    replace: Replace = None,
    lasts: Lasts = None,
    netns: Netns = None,
    parameters: Parameters = None,
    keep: Keep = None,
    strict: Strict = False,
    follow: Follow = False,
) -> Attaching | AttachPlan | Iterator[FollowEvent]:
    """Attach an XDP program to interfaces: to all of them or to none.

    It is held by a link that no other tool can replace. One that lasts is pinned in the BPF file
    system; with --for, and for every program that can drop, a small keeper process holds it, and
    the kernel takes it off when that one ends, killed or not. A program that can drop needs --for
    or --yes; gateway, SSH peer and --keep hosts have to answer anew, at once and after a minute, or
    it is taken off.

    The manual way out: bpftool link list, then sudo bpftool link detach id N.
    """
    from x0tta_cli.ebpf import attaching

    request = request_of(interfaces, program, mode, at_least, lasts)._replace(
        replace=replace,
        netns=netns,
        parameters=dict(pair_of(item) for item in parameters or ()),
        keep=tuple(keep or ()),
        strict=strict,
    )
    if session().dry_run:
        return attaching.plan(request)
    if request.lasts is None and may_drop(request.program):
        confirm(f"{program} can drop packets, and stays until it is detached. Attach it?")
    if follow:
        return following(request)
    return attaching.attach(request)


def request_of(
    interfaces: Sequence[str], program: str, mode: str, at_least: str | None, lasts: str | None
) -> AttachRequest:
    """Put the main words of a command line and the configuration together."""
    from x0tta_cli.ebpf.model import Mode
    from x0tta_cli.ebpf.requests import AttachRequest

    settings = settings_of()
    strength = checked_mode("--at-least", at_least, STRENGTHS)
    return AttachRequest(
        interfaces=tuple(interfaces),
        program=program_of(program),
        mode=checked_mode("--mode", mode, MODES) or "auto",
        at_least=Mode(strength) if strength else None,
        lasts=None if lasts is None else duration_of(lasts),
        filesystem=settings.bpf_filesystem,
        holding=settings.attachment,
        check_again=settings.check_again,
    )


def duration_of(text: str) -> timedelta:
    """Read how long a program is to stay; UsageError `times.bad_duration`, `usage.bad_value`."""
    from x0tta_cli.core.errors import UsageError
    from x0tta_cli.core.times import parse_duration

    lasts = parse_duration(text)
    if not timedelta(0) < lasts <= LONGEST:
        raise UsageError(
            "usage.bad_value",
            f"A program can't be attached for {text}.",
            reason="It would be over at once."
            if not lasts
            else f"The longest time is {LONGEST.days} days.",
            fix="Give a time such as 10m; without --for it stays until it is detached.",
        )
    return lasts


def following(request: AttachRequest) -> Iterator[FollowEvent]:
    """Run as a service that keeps a program attached."""
    from x0tta_cli.core import service
    from x0tta_cli.ebpf.following import follow

    with service.running() as running:
        yield from follow(request, running, settings_of().reconcile)


def may_drop(program: str | Path) -> bool:
    """Whether a program can drop packets: one that did not come with x0tta counts as such."""
    from x0tta_cli.ebpf.programs import describe

    return describe(program).can_drop if isinstance(program, str) else True
