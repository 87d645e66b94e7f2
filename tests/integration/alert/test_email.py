"""The channel `email` against a real mail server: TLS, log-ins, refusals, silence and cuts."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
from fakes import secrets_used
from fakes.smtp import make_certificate, running_post

from x0tta_cli.alert.channels.protocol import open_channel
from x0tta_cli.alert.model import Action, DeliveryState, Message
from x0tta_cli.alert.outbox import listing
from x0tta_cli.alert.outbox.delivery import Outbox, outbox
from x0tta_cli.alert.settings import AlertSettings, EmailChannel
from x0tta_cli.core.errors import ConfigurationError, UnavailableError
from x0tta_cli.core.notices import Notice, Severity

OPS, BOSS = "ops@example.org", "boss@example.org"
PASSWORD = secrets_used.canary("smtp")
NOTICE = Notice(
    "DiskFull",
    Severity.CRITICAL,
    {"host": "n7"},
    datetime(2026, 11, 25, 3, tzinfo=UTC),
    {"summary": "93 % von /srv — voll"},
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("mail"))


@pytest.fixture
def post():
    with running_post() as post:
        yield post


def settings(post, **more):
    given = {
        "kind": "email",
        "host": post.host,
        "port": post.port,
        "from": "x0tta <alerts@example.org>",
        "to": (OPS,),
        "security": "none",
    }
    return EmailChannel.model_validate(given | more)


def message(number=1, action=Action.FIRE, **more):
    return Message(number, NOTICE.key(), action, NOTICE, **more)


def deliver(post, *batch, timeout_s=10.0, peer=OPS, **more):
    channel = open_channel("mail", settings(post, **more), timeout_s)
    try:
        return channel.deliver(peer, batch or [message()], {})
    finally:
        channel.close()


def test_a_message_is_handed_on_as_it_was_written(post):
    [outcome] = deliver(post)
    assert outcome.state is DeliveryState.HANDED_ON
    [taken] = post.taken
    assert taken.mail["Subject"] == "[CRITICAL] DiskFull: 93 % von /srv — voll"
    assert "93 % von /srv — voll" in taken.mail.get_content()
    assert taken.recipients == (OPS,)
    assert not taken.was_protected


def test_a_storm_takes_one_connection(post):
    outcomes = deliver(post, *(message(number) for number in range(1, 21)))
    assert {outcome.state for outcome in outcomes} == {DeliveryState.HANDED_ON}
    assert (len(post.taken), post.connections) == (20, 1)


def test_starttls_and_a_login_protect_name_and_text(certificate):
    with running_post(certificate, password=PASSWORD) as post:
        more = {"security": "starttls", "ca_file": certificate[0]}
        [outcome] = deliver(post, username="alerts", password=PASSWORD, **more)
        assert outcome.state is DeliveryState.HANDED_ON
        assert post.taken[0].was_protected
        assert post.logins == [("alerts", PASSWORD)]


def test_tls_from_the_first_byte(certificate):
    with running_post(certificate, implicit=True) as post:
        [outcome] = deliver(post, security="tls", ca_file=certificate[0])
        assert outcome.state is DeliveryState.HANDED_ON
        assert len(post.taken) == 1


def test_a_wrong_password_disables_the_channel_and_shows_nowhere(certificate):
    with running_post(certificate, password="another") as post:
        more = {"security": "starttls", "ca_file": certificate[0]}
        [outcome] = deliver(post, username="alerts", password=PASSWORD, **more)
    assert (outcome.state, outcome.disables) == (DeliveryState.QUEUED, True)
    assert outcome.detail.startswith("535 ")
    assert "hunter" not in outcome.detail


def test_a_server_without_starttls_gets_nothing(post):
    [outcome] = deliver(post, security="starttls")
    assert (outcome.state, outcome.disables) == (DeliveryState.QUEUED, True)
    assert "STARTTLS" in outcome.detail
    assert post.taken == []


def test_a_server_that_speaks_plainly_where_tls_is_expected_gets_nothing(post):
    with pytest.raises(UnavailableError) as caught:
        deliver(post, security="tls")
    assert (caught.value.code, caught.value.retryable) == ("alert.smtp_unavailable", True)
    assert post.taken == []


def test_a_certificate_of_nobody_known_or_of_another_name_is_refused(certificate, tmp_path):
    with running_post(certificate) as post:
        [unknown] = deliver(post, security="starttls")
    other = make_certificate(tmp_path / "other", "DNS:mail.example.org")
    with running_post(other) as post:
        [wrong_name] = deliver(post, security="starttls", ca_file=other[0])
        assert post.taken == []
    for outcome in (unknown, wrong_name):
        assert (outcome.state, outcome.disables) == (DeliveryState.QUEUED, True)
    assert "self-signed" in unknown.detail
    assert "IP address mismatch" in wrong_name.detail


def test_a_password_is_never_sent_in_plain(post):
    with pytest.raises(ValueError, match="needs security 'starttls' or 'tls'"):
        settings(post, username="alerts", password=PASSWORD)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("450 4.2.1 greylisted, come again", DeliveryState.QUEUED),
        ("452 4.2.2 mailbox full", DeliveryState.QUEUED),
        ("550 5.1.1 no such user here", DeliveryState.REJECTED),
    ],
)
def test_a_refused_recipient_waits_for_4xx_and_is_rejected_for_5xx(post, answer, state):
    post.refuses[OPS] = answer
    [outcome] = deliver(post)
    assert (outcome.state, outcome.detail, outcome.disables) == (state, answer, False)


def test_a_refused_text_costs_no_other_message(post):
    post.refuses_text = "554 5.7.1 that is spam"
    assert [each.state for each in deliver(post, message(1), message(2))] == [
        DeliveryState.REJECTED,
        DeliveryState.REJECTED,
    ]
    post.refuses_text = "451 4.3.0 try later"
    [outcome] = deliver(post)
    assert (outcome.state, outcome.detail) == (DeliveryState.QUEUED, "451 4.3.0 try later")


def test_a_refused_sender_disables_the_channel_and_loses_nothing(post):
    post.refuses_sender = "553 5.7.1 not your address"
    outcomes = deliver(post, message(1), message(2))
    assert [(each.state, each.disables) for each in outcomes] == [(DeliveryState.QUEUED, True)] * 2
    post.refuses_sender = "552 5.3.4 too large"
    [outcome] = deliver(post)
    assert (outcome.state, outcome.disables) == (DeliveryState.REJECTED, False)


@pytest.mark.parametrize("command", ["EHLO", "RCPT", "DATA"])
def test_a_server_that_hangs_is_left_in_time(post, command):
    post.hangs = command
    with pytest.raises(UnavailableError) as caught:
        deliver(post, timeout_s=0.3)
    assert caught.value.code == "alert.smtp_unavailable"
    assert post.taken == []


def test_a_server_that_drips_is_left_in_time():
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip():
            connection, _ = listening.accept()
            try:
                while True:
                    connection.sendall(b"2")
                    time.sleep(0.05)
            except OSError:
                connection.close()

        thread = threading.Thread(target=drip)
        thread.start()

        class Dripping:
            host, port = listening.getsockname()

        with pytest.raises(UnavailableError):
            deliver(Dripping, timeout_s=0.2)
        thread.join()


def test_nobody_there_is_unavailable(post):
    class Nobody:
        host, port = "127.0.0.1", 9

    with pytest.raises(UnavailableError) as caught:
        deliver(Nobody)
    assert caught.value.reason == "It says: Connection refused"


def test_what_a_cut_leaves_unknown_is_sent_again_under_the_same_name(post):
    post.cuts = {1}
    with pytest.raises(UnavailableError):
        deliver(post)
    deliver(post, message(1, attempts=1))
    first, second = post.taken
    assert first.mail["Message-ID"] == second.mail["Message-ID"]


def test_what_was_taken_before_a_cut_is_not_sent_again(post):
    post.cuts = {2}
    outcomes = deliver(post, message(1), message(2), message(3))
    assert [each.state for each in outcomes] == [
        DeliveryState.HANDED_ON,
        DeliveryState.QUEUED,
        DeliveryState.QUEUED,
    ]
    assert len(post.taken) == 2


def test_a_missing_authority_is_a_mistake_of_the_configuration(post, tmp_path):
    with pytest.raises(ConfigurationError) as caught:
        deliver(post, security="tls", ca_file=tmp_path / "none.pem")
    assert caught.value.code == "http.bad_certificate"


def test_reach_tells_nobody(post):
    channel = open_channel("mail", settings(post), 10.0)
    assert channel.reach(OPS) == f"{post.host}:{post.port} takes mail for {OPS}"
    assert post.taken == []
    post.hangs = "EHLO"
    with pytest.raises(UnavailableError):
        open_channel("mail", settings(post), 0.2).reach(OPS)


def through_outbox(post):
    channel = {
        "kind": "email",
        "host": post.host,
        "port": post.port,
        "from": "alerts@example.org",
        "to": [OPS, BOSS],
        "security": "none",
    }
    return AlertSettings.model_validate_json(json.dumps({"channels": {"mail": channel}}))


def fire(opened: Outbox, notice=NOTICE):
    with opened.intake() as intake:
        number = intake.fire(notice)
    opened.deliver(20.0)
    return {each.peer: each.state for each in opened.outcome(number)}


def test_one_refused_recipient_costs_the_other_nothing(post, state):
    post.refuses[BOSS] = "550 5.1.1 no such user"
    with outbox(through_outbox(post), 10.0) as opened:
        states = fire(opened)
    assert states == {OPS: DeliveryState.HANDED_ON, BOSS: DeliveryState.DEAD}
    assert [taken.recipients for taken in post.taken] == [(OPS,)]
    # Both stand in the head, so that an answer goes to all.
    assert post.taken[0].mail["To"] == f"{OPS}, {BOSS}"
    [dead] = [row for row in listing.rows() if row.state is DeliveryState.DEAD]
    assert (dead.peer, dead.detail) == (BOSS, "550 5.1.1 no such user")


def test_a_recipient_that_is_busy_waits_alone(post, state):
    post.refuses[BOSS] = "450 4.2.0 later"
    with outbox(through_outbox(post), 10.0) as opened:
        states = fire(opened)
        assert states == {OPS: DeliveryState.HANDED_ON, BOSS: DeliveryState.QUEUED}
        post.refuses.clear()
        listing.retry([], time.time(), time.time() + 60)
        opened.deliver(20.0)
    assert sorted(taken.recipients for taken in post.taken) == [(BOSS,), (OPS,)]


def test_the_resolve_stands_under_the_opening(post, state):
    with outbox(through_outbox(post), 10.0) as opened:
        fire(opened)
        with opened.intake() as intake:
            intake.resolve(NOTICE.key())
        opened.deliver(20.0)
    mine = [taken.mail for taken in post.taken if taken.recipients == (OPS,)]
    assert [str(mail["Subject"]).split()[0] for mail in mine] == ["[CRITICAL]", "[RESOLVED]"]
    assert mine[1]["In-Reply-To"] == mine[0]["Message-ID"]
    assert mine[1]["Message-ID"] != mine[0]["Message-ID"]


def test_the_outbox_keeps_no_password(certificate, state):
    with running_post(certificate, password="another") as post:
        more = {"security": "starttls", "ca_file": certificate[0]}
        more |= {"username": "alerts", "password": PASSWORD}
        given = AlertSettings(channels={"mail": settings(post, **more)})
        with outbox(given, 10.0) as opened:
            assert fire(opened) == {OPS: DeliveryState.QUEUED}
    assert "hunter" not in "".join(row.detail for row in listing.rows())
