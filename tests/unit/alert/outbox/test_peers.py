"""What waits for a peer that the configuration has not, or not any more."""

from __future__ import annotations

from x0tta_cli.alert.model import DeliveryState
from x0tta_cli.alert.outbox import listing


def fired(outbox, notice):
    with outbox.intake() as intake:
        number = intake.fire(notice)
    outbox.deliver(5)
    return number


def test_a_url_that_is_corrected_gets_what_waited_for_the_wrong_one(
    open_outbox, hook, notice, clock
):
    number = fired(open_outbox({"hook": "http://127.0.0.1:9"}), notice())
    assert [row.state for row in listing.rows()] == [DeliveryState.QUEUED]
    corrected = open_outbox({"hook": hook.url})
    clock.advance(60)
    corrected.keep_up()
    corrected.deliver(5)
    assert hook.told() == [("HighLatency", "fire")]
    [delivery] = corrected.outcome(number)
    assert (delivery.peer, delivery.state) == (hook.url, DeliveryState.ACKNOWLEDGED)


def test_a_peer_that_has_it_already_is_not_given_it_again(open_outbox, alertmanager, notice, clock):
    both = f"{alertmanager.base_url} http://127.0.0.1:9"
    fired(open_outbox({"am": both}), notice())
    assert [row.peer for row in listing.rows()] == ["http://127.0.0.1:9"]
    posted = len(alertmanager.active())
    one = open_outbox({"am": alertmanager.base_url})
    clock.advance(60)
    one.keep_up()
    one.deliver(5)
    assert listing.rows() == []
    assert len(alertmanager.active()) == posted == 1


def test_a_channel_that_can_not_be_opened_keeps_its_rows_until_it_can(
    open_outbox, hook, notice, clock
):
    broken = open_outbox({"am": hook.url})
    broken.lineup.settings.channels["am"] = broken.lineup.settings.channels["am"].model_copy(
        update={"ca_file": "/nonexistent/ca.pem"}
    )
    fired(broken, notice())
    broken.keep_up()
    [row] = listing.rows()
    assert (row.peer, row.state) == ("", DeliveryState.QUEUED)
    mended = open_outbox({"hook": hook.url, "am": "http://127.0.0.1:9"})
    clock.advance(60)
    mended.keep_up()
    assert [row.peer for row in listing.rows()] == ["http://127.0.0.1:9"]
