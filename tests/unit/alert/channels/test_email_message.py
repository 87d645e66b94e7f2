"""E-mails as they are written: legal whatever comes, and shown under the one that they follow."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from x0tta_cli.alert.channels.email_message import MAX_TEXT_BYTES, THREAD, compose, thread_of
from x0tta_cli.alert.channels.plain_text import MAX_TITLE, text_of, title_of
from x0tta_cli.alert.model import Action, Message
from x0tta_cli.alert.settings import EmailChannel
from x0tta_cli.core.notices import Explanation, Notice, Severity

NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)
SENDER, RECIPIENTS = "x0tta <alerts@example.org>", ("Ops <ops@example.org>", "boss@example.org")


def notice(name="HighLatency", severity=Severity.CRITICAL, **annotations):
    return Notice(
        name,
        severity,
        {"component": "cart"},
        datetime(2026, 11, 25, 3, tzinfo=UTC),
        annotations or {"summary": "p95 is 812 ms"},
        explanation=Explanation(("p95 812 ms",), ("the cart waits for its database",), ("disks",)),
        runbook_url="https://runbooks.example.org/latency",
    )


def message(number=1, action=Action.FIRE, of=None, **more):
    of = of or notice()
    return Message(number, of.key(), action, of, **more)


def written(sent, sender=SENDER, recipients=RECIPIENTS):
    raw = compose(sent, sender, recipients, NOW).as_bytes()
    return raw, email.message_from_bytes(raw, policy=email.policy.default)


def test_it_tells_what_is_known_facts_apart_from_guesses():
    raw, mail = written(message(count=3, note="It was acknowledged; the time for that is over."))
    assert mail["Subject"] == "[CRITICAL] HighLatency: p95 is 812 ms"
    assert mail["From"].addresses[0].addr_spec == "alerts@example.org"
    assert [each.addr_spec for each in mail["To"].addresses] == [
        "ops@example.org",
        "boss@example.org",
    ]
    assert (mail["Auto-Submitted"], mail["Importance"]) == ("auto-generated", "high")
    text = mail.get_content().replace("\r\n", "\n")
    for line in (
        "It was acknowledged; the time for that is over.",
        "Observed:\n  p95 812 ms",
        "Inferred:\n  the cart waits for its database",
        "Not known:\n  disks",
        "component: cart",
        "began: 2026-11-25T03:00:00Z",
        "came: 3 times",
        "runbook: https://runbooks.example.org/latency",
    ):
        assert line in text
    assert raw.isascii()


def test_what_is_sent_again_bears_the_same_name_and_what_follows_refers_to_it():
    _, first = written(message())
    _, again = written(message(number=7))
    assert first["Message-ID"] == again["Message-ID"]
    memory = {THREAD: thread_of(message(), SENDER)}
    _, worse = written(message(number=8, memory=memory))
    _, over = written(message(number=9, action=Action.RESOLVE, memory=memory))
    assert worse["In-Reply-To"] == over["In-Reply-To"] == over["References"] == first["Message-ID"]
    assert len({first["Message-ID"], worse["Message-ID"], over["Message-ID"]}) == 3
    assert over["Subject"] == "[RESOLVED] HighLatency: p95 is 812 ms"


def test_the_next_time_it_is_another_conversation():
    later = Notice("HighLatency", Severity.CRITICAL, {"component": "cart"}, NOW)
    assert thread_of(message(of=later), SENDER) != thread_of(message(), SENDER)


@pytest.mark.parametrize(
    "text",
    ["a\r\nBcc: evil@example.org", "a\nSubject: b", "a\r\n\r\nbody", "a\x00\x1b[2J", "\u202e"],
)
def test_no_text_from_outside_begins_a_header(text):
    raw, mail = written(message(of=notice(text, summary=text)))
    head = raw.partition(b"\r\n\r\n")[0].decode()
    assert "Bcc" not in mail
    assert len(mail.get_all("Subject")) == 1
    assert not any(line.startswith(("Bcc:", "Subject: b")) for line in head.splitlines())
    assert "\x1b" not in mail.get_content() + mail["Subject"]
    assert "\u202e" not in mail.get_content() + mail["Subject"]


def test_long_subjects_and_texts_are_cut_and_say_so():
    long = message(of=notice(summary="я" * 100_000))
    raw, mail = written(long)
    assert len(title_of(long)) == MAX_TITLE
    # What RFC 5321 makes every server take.
    assert len(raw) <= 65_536
    assert "cut: " in mail.get_content()
    assert len(text_of(long, 1000).encode()) <= 1000


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.dictionaries(st.text(max_size=20), st.text(max_size=200)))
def test_any_text_comes_back_as_what_was_to_be_shown(name, annotations):
    sent = message(of=Notice(name, Severity.INFO, annotations, NOW, annotations))
    raw, mail = written(sent)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    shown = mail.get_content().replace("\r\n", "\n")
    assert shown == text_of(sent, MAX_TEXT_BYTES)
    subject = title_of(sent).encode("utf-8", "replace").decode()
    # Where the standard library folds a header it may lose a space between two encoded words.
    assert "".join(str(mail["Subject"]).split()) == "".join(subject.split())


@pytest.mark.parametrize(
    ("host", "more", "protection"),
    [
        ("mail.example.org", {}, "starttls"),
        ("127.0.0.1", {}, "none"),
        ("localhost", {"username": "x0tta"}, "starttls"),
        ("localhost", {"security": "tls"}, "tls"),
    ],
)
def test_nothing_leaves_the_machine_unprotected_unless_it_is_asked_for(host, more, protection):
    made = {"kind": "email", "host": host, "from": SENDER, "to": RECIPIENTS[1], **more}
    channel = EmailChannel.model_validate(made)
    assert channel.protection == protection
    assert channel.recipients == (RECIPIENTS[1],)
