"""Acknowledged means quiet: until its time is over, and not a moment into the next incident."""

from __future__ import annotations

from x0tta_cli.alert.model import IncidentState
from x0tta_cli.alert.outbox import listing

MONTHS_S = 60 * 86_400.0


def opened_and_acknowledged(outbox, notice, for_s=3600.0):
    with outbox.intake() as intake:
        intake.fire(notice)
        intake.acknowledge(notice.key(), for_s)
    outbox.deliver(5)


def rounds(outbox, clock, count, each_s):
    for _ in range(count):
        clock.advance(each_s)
        outbox.keep_up()
        outbox.deliver(5)


def test_the_end_of_its_time_is_told_once_and_not_at_every_round(open_outbox, hook, notice, clock):
    outbox = open_outbox({"hook": hook.url})
    opened_and_acknowledged(outbox, notice())
    rounds(outbox, clock, 10, 600)
    assert [action for _, action in hook.told()] == ["fire", "acknowledge", "fire"]


def test_what_is_over_does_not_page_again_when_its_time_is(open_outbox, hook, notice, clock):
    outbox = open_outbox({"hook": hook.url})
    opened_and_acknowledged(outbox, notice(), MONTHS_S)
    with outbox.intake() as intake:
        intake.resolve(notice().key())
    outbox.deliver(5)
    rounds(outbox, clock, 3, MONTHS_S)
    assert [action for _, action in hook.told()] == ["fire", "acknowledge", "resolve"]
    assert listing.incidents() == []


def test_the_next_incident_of_the_same_alert_is_news_and_not_acknowledged(
    open_outbox, hook, notice, clock
):
    outbox = open_outbox({"hook": hook.url})
    opened_and_acknowledged(outbox, notice(), MONTHS_S)
    with outbox.intake() as intake:
        intake.resolve(notice().key())
    clock.advance(3600)
    with outbox.intake() as intake:
        intake.fire(notice())
    outbox.deliver(5)
    assert [action for _, action in hook.told()][2:] == ["resolve", "fire"]
    [incident] = listing.incidents()
    assert (incident.state, incident.acknowledged_until) == (IncidentState.FIRING, None)


def test_what_gets_worse_is_told_though_it_is_acknowledged(open_outbox, hook, notice):
    outbox = open_outbox({"hook": hook.url})
    opened_and_acknowledged(outbox, notice())
    with outbox.intake() as intake:
        intake.fire(notice(severity="critical"))
    outbox.deliver(5)
    assert hook.taken[-1]["severity"] == "critical"


def test_acknowledging_twice_takes_the_later_end(open_outbox, hook, notice, clock):
    outbox = open_outbox({"hook": hook.url})
    opened_and_acknowledged(outbox, notice(), 600)
    with outbox.intake() as intake:
        intake.acknowledge(notice().key(), 7200)
    rounds(outbox, clock, 10, 600)
    assert "fire" not in [action for _, action in hook.told()][1:]
