"""How attachments are laid out on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from x0tta_cli.ebpf.model import (
    Attached,
    Attaching,
    Attachment,
    AttachPlan,
    Cleanup,
    Detached,
    Detaching,
    FollowEvent,
    PlannedAttachment,
)
from x0tta_cli.terminal.command import Block, Cell, Column, Facts, Heading, Table, Text, Tone

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
    what = Cell(event.event, TONE_OF_EVENT.get(event.event, "plain"))
    detail = event.detail or (f"{event.mode}, id {event.id}" if event.id else "")
    yield Table(
        [Column("AT"), Column("INTERFACE"), Column("EVENT"), Column("DETAIL")],
        [(event.at, event.interface, what, detail)],
    )


def blocks_of_detaching(result: Detaching) -> Iterator[Block]:
    """Say what was taken off, or that nothing of ours was there."""
    for done in result.detached:
        yield sentence_of(done)
        facts = [("note", note) for note in done.notes if done.changed]
        if done.carrier_lost_ms:
            facts.append(("carrier lost", f"{done.carrier_lost_ms:g} ms"))
        if facts:
            yield Facts(facts)


def sentence_of(done: Detached) -> Text:
    """One sentence for one attachment."""
    where = f"{done.interface} in {done.netns}" if done.netns else done.interface
    if done.would_change:
        return Text(f"{done.program} (id {done.id}) would be taken off {where}.")
    if not done.changed:
        return Text(f"Nothing of x0tta's is on {where}; nothing was sent to the kernel.")
    return Text(f"{done.program} (id {done.id}) is off {where}.", "good")


def blocks_of_list(found: list[Attachment]) -> Iterator[Block]:
    """One row for each program on an interface, and the parts of dispatchers below."""
    if not found:
        # The frame says that nothing was found.
        return
    yield Table(
        [
            Column("INTERFACE"),
            Column("NETNS"),
            Column("MODE"),
            Column("HELD BY"),
            Column("PROGRAM"),
            Column("ID", "right"),
            Column("OWNER"),
            Column("TIME LEFT", "right"),
            Column("UNTIL", wide_only=True),
            Column("OPERATION", wide_only=True),
            Column("LINK", "right", wide_only=True),
            Column("PINNED AT", wide_only=True),
        ],
        [
            (
                one.interface,
                one.netns or "-",
                one.mode.value,
                f"keeper {one.holder_pid}" if one.holder_pid else one.attachment or "?",
                one.program or "-",
                one.id,
                Cell(one.owner.value, "good" if one.owner == "x0tta" else "plain"),
                time_left(one.expires_at),
                one.expires_at or "-",
                one.operation or "-",
                one.link_id or "-",
                one.pinned_at or "-",
            )
            for one in found
        ],
    )
    for one in found:
        if one.parts:
            yield Heading(f"The dispatcher on {one.interface} calls")
            yield Table(
                [Column("PROGRAM"), Column("ID", "right"), Column("PINNED AT")],
                [(part.program, part.id, part.pinned_at) for part in one.parts],
            )


def time_left(until: datetime | None) -> str:
    """Say how long an attachment will stay; nothing where it lasts."""
    if until is None:
        return "-"
    from x0tta_cli.core.times import format_duration

    seconds = max(0, round((until - datetime.now(UTC)).total_seconds()))
    return format_duration(timedelta(seconds=seconds))


def blocks_of_cleanup(result: Cleanup) -> Iterator[Block]:
    """Say what was removed, or would be."""
    if not result.removed:
        yield Text("Nothing was left behind.", "good")
        return
    yield Heading("Would be removed" if result.would_change else "Was removed")
    yield Table(
        [Column("WHAT"), Column("NAME"), Column("WHY")],
        [(one.what, one.name, one.reason) for one in result.removed],
    )
