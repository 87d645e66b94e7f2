"""Many alerts at once, and alerts that come and go: told once, and summed up."""

from __future__ import annotations

from x0tta_cli.alert.model import DeliveryState
from x0tta_cli.alert.outbox import listing


def fire(outbox, *notices):
    with outbox.intake() as intake:
        for notice in notices:
            intake.fire(notice)


def resolve(outbox, notice):
    with outbox.intake() as intake:
        intake.resolve(notice.key())


def test_a_storm_is_one_notice_that_lists_the_top_labels(
    open_outbox, hook, alertmanager, notice, clock
):
    outbox = open_outbox({"hook": hook.url, "am": alertmanager.base_url}, storm={"alerts": 5})
    storm = [notice(labels={"node": str(n), "rack": "7"}) for n in range(40)]
    fire(outbox, *storm)
    outbox.deliver(5)
    assert len(alertmanager.active()) == 40 + 0
    assert len(hook.taken) == 6
    [told] = [each for each in hook.taken if each["name"] == "AlertStorm"]
    assert "rack=7" in told["annotations"]["most_frequent"]
    assert len(listing.rows((DeliveryState.COLLAPSED,))) == 35
    for one in storm:
        resolve(outbox, one)
    clock.advance(130)
    outbox.keep_up()
    outbox.deliver(5)
    assert hook.told().count(("HighLatency", "resolve")) == 5
    assert hook.told()[-1] == ("AlertStorm", "resolve")
    assert (
        "35 alerts were held back, 0 of them are still firing"
        in (hook.taken[-1]["annotations"]["summary"])
    )


def test_flapping_is_told_once_and_summed_up_when_it_is_quiet(
    open_outbox, hook, alertmanager, notice, clock
):
    outbox = open_outbox({"hook": hook.url, "am": alertmanager.base_url}, flapping={"changes": 4})
    for _ in range(10):
        fire(outbox, notice())
        resolve(outbox, notice())
        outbox.deliver(5)
        clock.advance(10)
    told = [each["action"] for each in hook.taken]
    assert told == ["fire", "resolve", "fire", "resolve", "fire"]
    assert "flapping" in hook.taken[-1]["note"]
    assert alertmanager.active() == []
    clock.advance(700)
    outbox.keep_up()
    outbox.deliver(5)
    assert [each["action"] for each in hook.taken][5:] == ["resolve"]
    assert "more changes were held back. It is resolved now." in hook.taken[-1]["note"]


def test_a_severity_that_comes_and_goes_is_flapping_too(
    open_outbox, hook, alertmanager, notice, clock
):
    outbox = open_outbox({"hook": hook.url, "am": alertmanager.base_url}, flapping={"changes": 4})
    for number in range(10):
        fire(outbox, notice(severity=("warning", "critical")[number % 2]))
        outbox.deliver(5)
        clock.advance(10)
    told = [each["severity"] for each in hook.taken]
    assert told == ["warning", "critical", "warning", "critical", "warning"]
    assert "flapping" in hook.taken[-1]["note"]
    assert [each.labels["severity"] for each in alertmanager.active()] == ["critical"]
    clock.advance(700)
    outbox.keep_up()
    outbox.deliver(5)
    assert [each["severity"] for each in hook.taken][5:] == ["critical"]
    assert "5 more changes were held back. It is firing now." in hook.taken[-1]["note"]
