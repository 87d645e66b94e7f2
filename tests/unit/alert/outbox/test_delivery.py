"""The outbox against receivers on real sockets: nothing lost, nothing doubled, in order."""

from __future__ import annotations

import pytest
from fakes.http_server import Answer, serving

from x0tta_cli.alert.model import DeliveryState
from x0tta_cli.alert.outbox import listing
from x0tta_cli.core.errors import NotFoundError
from x0tta_cli.drill.receiver import running_receiver


def fire(outbox, *notices, **options):
    with outbox.intake() as intake:
        return [intake.fire(notice, **options) for notice in notices]


def resolve(outbox, notice):
    with outbox.intake() as intake:
        return intake.resolve(notice.key())


def states(outbox, number):
    return [each.state for each in outbox.outcome(number)]


def test_an_alert_is_told_and_resolved_on_every_channel_and_peer(
    open_outbox, hook, alertmanager, notice
):
    outbox = open_outbox({"hook": hook.url, "am": alertmanager.base_url})
    [number] = fire(outbox, notice())
    outbox.deliver(5)
    assert states(outbox, number) == [DeliveryState.VISIBLE, DeliveryState.ACKNOWLEDGED]
    number = resolve(outbox, notice())
    outbox.deliver(5)
    assert set(states(outbox, number)) == {DeliveryState.ACKNOWLEDGED}
    assert hook.told() == [("HighLatency", "fire"), ("HighLatency", "resolve")]
    assert alertmanager.active() == []


def test_a_resolve_has_the_labels_and_annotations_of_the_opening(open_outbox, hook, notice):
    outbox = open_outbox({"hook": hook.url})
    fire(outbox, notice(summary="slow", runbook="r"))
    resolve(outbox, notice(summary="", other="x"))
    outbox.deliver(5)
    fired, resolved = hook.taken
    assert resolved["annotations"] == fired["annotations"] == {"summary": "slow", "runbook": "r"}
    assert (resolved["labels"], resolved["starts_at"]) == (fired["labels"], fired["starts_at"])


def test_a_key_of_ones_own_ends_what_it_opened_though_it_came_with_other_labels(
    open_outbox, hook, alertmanager, notice
):
    outbox = open_outbox({"hook": hook.url, "am": alertmanager.base_url})
    fire(outbox, notice(labels={"site": "a"}), key="mine")
    outbox.deliver(5)
    fire(outbox, notice(labels={"site": "b"}, severity="critical"), key="mine")
    outbox.deliver(5)
    [active] = alertmanager.active()
    assert (active.labels["site"], active.labels["severity"]) == ("a", "critical")
    with outbox.intake() as intake:
        intake.resolve("mine")
    outbox.deliver(5)
    assert alertmanager.active() == []
    assert [each["labels"] for each in hook.taken] == [{"site": "a"}] * 3


def test_what_comes_again_is_counted_and_told_once(open_outbox, hook, notice, clock):
    outbox = open_outbox({"hook": hook.url})
    for _ in range(5):
        fire(outbox, notice())
    outbox.deliver(5)
    fire(outbox, notice())
    outbox.deliver(5)
    assert [each["count"] for each in hook.taken] == [5]
    [incident] = listing.incidents()
    assert incident.count == 6


def test_a_duplicate_moves_the_last_received_instant(open_outbox, hook, notice, clock):
    outbox = open_outbox({"hook": hook.url})
    fire(outbox, notice())
    clock.advance(30)
    fire(outbox, notice())
    [incident] = listing.incidents()
    assert incident.last_received_at.timestamp() == pytest.approx(clock.now, abs=0.01)


def test_a_change_of_severity_updates_the_open_incident(open_outbox, hook, alertmanager, notice):
    outbox = open_outbox({"hook": hook.url, "am": alertmanager.base_url})
    for severity in ("warning", "critical", "warning"):
        fire(outbox, notice(severity=severity))
        outbox.deliver(5)
        [alert] = alertmanager.active()
        assert alert.labels["severity"] == severity
    assert [each["severity"] for each in hook.taken] == ["warning", "critical", "warning"]
    assert len({each["key"] for each in hook.taken}) == 1
    resolve(outbox, notice())
    outbox.deliver(5)
    assert alertmanager.active() == []


def test_a_dead_network_keeps_the_order_and_loses_nothing(open_outbox, hook, notice, clock):
    outbox = open_outbox({"hook": hook.url})
    hook.status = 500
    for number in range(3):
        fire(outbox, notice(labels={"n": str(number)}))
        resolve(outbox, notice(labels={"n": str(number)}))
    for _ in range(12):
        outbox.deliver(5)
        clock.advance(300)
    assert hook.taken == []
    hook.status = 200
    outbox.deliver(5)
    assert len(hook.taken) == 6
    for number in range(3):
        assert [each["action"] for each in hook.taken if each["labels"] == {"n": str(number)}] == [
            "fire",
            "resolve",
        ]


def test_nobody_hears_resolved_of_what_nobody_heard_of(open_outbox, hook, other_hook, notice):
    outbox = open_outbox({"hook": hook.url, "hook2": other_hook.url})
    hook.refuses = "HighLatency"
    fire(outbox, notice())
    outbox.deliver(5)
    number = resolve(outbox, notice())
    outbox.deliver(5)
    assert ("HighLatency", "resolve") not in hook.told()
    assert ("HighLatency", "resolve") in other_hook.told()
    assert {each.channel: each.state for each in outbox.outcome(number)} == {
        "hook": DeliveryState.COLLAPSED,
        "hook2": DeliveryState.ACKNOWLEDGED,
    }


def test_critical_alerts_go_first(open_outbox, hook, notice, clock):
    outbox = open_outbox({"hook": hook.url})
    severities = ["info", "warning", "error", "critical"]
    fire(outbox, *(notice(name=each, severity=each) for each in severities))
    outbox.deliver(5)
    assert [name for name, _ in hook.told()] == severities[::-1]


def test_a_poison_alert_is_a_dead_letter_and_the_others_arrive(
    open_outbox, hook, alertmanager, notice
):
    outbox = open_outbox({"hook": hook.url, "am": alertmanager.base_url})
    poison = notice(name="Poison", labels={"n": "poison"})
    fire(outbox, *(notice(labels={"n": str(number)}) for number in range(20)), poison)
    accept = alertmanager.accept

    def refusing(alerts):
        accept([a for a in alerts if a["labels"]["alertname"] != "Poison"])
        if any(a["labels"]["alertname"] == "Poison" for a in alerts):
            from x0tta_cli.drill.receiver import RefusedAlertError

            raise RefusedAlertError(400, "this one never")

    alertmanager.accept = refusing
    outbox.deliver(5)
    assert len(alertmanager.active()) == 20
    [dead] = listing.rows((DeliveryState.DEAD,))
    assert (dead.name, dead.channel) == ("Poison", "am")
    assert "this one never" in dead.detail
    outbox.deliver(5)
    [told] = [taken for taken in hook.taken if taken["name"] == "AlertUndeliverable"]
    assert "this one never" in told["annotations"]["summary"]


def test_what_a_channel_can_not_even_write_waits_alone_and_is_renewed_alone(
    open_outbox, alertmanager, notice
):
    outbox = open_outbox({"am": alertmanager.base_url})
    beyond_all_calendars_s = 1e13
    with outbox.intake() as intake:
        intake.fire(notice(name="Poison"), lasting_s=beyond_all_calendars_s)
        for number in range(20):
            intake.fire(notice(labels={"n": str(number)}))
    outbox.deliver(5)
    assert len(alertmanager.active()) == 20
    [waits] = listing.rows()
    assert (waits.name, waits.state) == ("Poison", DeliveryState.QUEUED)
    assert "OverflowError" in waits.detail
    with running_receiver() as knows_nothing_yet:
        assert open_outbox({"am": knows_nothing_yet.base_url}).renew() == 21
        assert len(knows_nothing_yet.active()) == 20


@pytest.mark.parametrize("words", ["<html>log in</html>", '[{"labels": 7}]'])
def test_what_is_no_answer_of_an_alertmanager_buries_nothing(
    open_outbox, alertmanager, notice, clock, words
):
    with serving(lambda _: Answer(200, words.encode())) as elsewhere:
        outbox = open_outbox({"am": elsewhere})
        fire(outbox, *(notice(labels={"n": str(number)}) for number in range(3)))
        outbox.deliver(5)
        assert outbox.renew() == 0
    assert {row.state for row in listing.rows()} == {DeliveryState.QUEUED}
    clock.advance(600)
    outbox = open_outbox({"am": alertmanager.base_url})
    outbox.keep_up()
    outbox.deliver(5)
    assert len(alertmanager.active()) == 3


def test_a_dead_letter_can_be_tried_again_or_dropped(open_outbox, hook, notice, clock):
    outbox = open_outbox({"hook": hook.url})
    hook.refuses = "HighLatency"
    [number] = fire(outbox, notice())
    outbox.deliver(5)
    hook.refuses = ""
    assert listing.retry([number], clock.now, clock.now + 3600) == 1
    outbox.deliver(5)
    assert hook.told() == [("HighLatency", "fire")]
    with pytest.raises(NotFoundError) as caught:
        listing.drop([number], clock.now)
    assert caught.value.code == "alert.unknown_row"


def test_a_channel_that_is_down_is_told_of_by_the_others_and_again_when_it_is_back(
    open_outbox, hook, other_hook, notice, clock
):
    outbox = open_outbox({"hook": hook.url, "hook2": other_hook.url})
    hook.status, hook.words = 503, "out of order"
    fire(outbox, notice())
    for _ in range(3):
        outbox.deliver(5)
        clock.advance(120)
    outbox.deliver(5)
    assert other_hook.told()[-1] == ("AlertChannelDown", "fire")
    assert other_hook.taken[-1]["labels"]["channel"] == "hook"
    hook.status = 200
    clock.advance(600)
    outbox.deliver(5)
    outbox.deliver(5)
    assert other_hook.told()[-1] == ("AlertChannelDown", "resolve")
    assert hook.told() == [("HighLatency", "fire")]


def test_a_429_is_waited_for_as_long_as_the_server_says(open_outbox, hook, notice, clock):
    outbox = open_outbox({"hook": hook.url})
    hook.status, hook.headers = 429, {"Retry-After": "100"}
    fire(outbox, notice())
    outbox.deliver(5)
    hook.status = 200
    clock.advance(90)
    outbox.deliver(1)
    assert hook.taken == []
    clock.advance(20)
    outbox.deliver(5)
    assert hook.told() == [("HighLatency", "fire")]


def test_what_can_not_be_delivered_for_days_is_a_dead_letter(open_outbox, hook, notice, clock):
    outbox = open_outbox({"hook": hook.url})
    hook.status, hook.words = 500, "broken"
    fire(outbox, notice())
    outbox.deliver(5)
    clock.advance(4 * 86_400)
    outbox.keep_up()
    [dead] = listing.rows((DeliveryState.DEAD,))
    assert dead.detail.startswith("expired")
    hook.status = 200
    [told] = states(outbox, resolve(outbox, notice()))
    outbox.deliver(5)
    assert (told, hook.told()) == (DeliveryState.COLLAPSED, [])


def test_an_acknowledged_alert_is_not_told_again_before_its_time_is_over(
    open_outbox, hook, notice, clock
):
    outbox = open_outbox({"hook": hook.url})
    fire(outbox, notice())
    with outbox.intake() as intake:
        intake.acknowledge(notice().key(), 3600)
    outbox.deliver(5)
    for _ in range(5):
        clock.advance(600)
        fire(outbox, notice())
        outbox.keep_up()
        outbox.deliver(5)
    assert hook.told() == [("HighLatency", "fire"), ("HighLatency", "acknowledge")]
    clock.advance(900)
    outbox.keep_up()
    outbox.deliver(5)
    assert hook.told()[2:] == [("HighLatency", "fire")]
    assert "acknowledged" in hook.taken[-1]["note"]


def test_an_alert_with_an_end_is_resolved_when_it_comes(open_outbox, hook, notice, clock):
    from dataclasses import replace
    from datetime import UTC, datetime

    outbox = open_outbox({"hook": hook.url})
    ends_at = datetime.fromtimestamp(clock.now + 100, UTC)
    fire(outbox, replace(notice(), ends_at=ends_at))
    outbox.deliver(5)
    clock.advance(101)
    outbox.keep_up()
    outbox.deliver(5)
    assert hook.told() == [("HighLatency", "fire"), ("HighLatency", "resolve")]


def test_secrets_reach_no_row(open_outbox, hook, notice, state):
    from x0tta_cli.core import secrets

    secrets.register("hunter2-hunter2")
    outbox = open_outbox({"hook": hook.url})
    fire(outbox, notice(summary="it said hunter2-hunter2"))
    outbox.deliver(5)
    for file in state.glob("journal*"):
        assert b"hunter2" not in file.read_bytes()
    assert hook.taken[0]["annotations"]["summary"] == "it said [redacted]"
