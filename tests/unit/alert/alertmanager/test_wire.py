"""How a notice is written for Alertmanager."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.alert.alertmanager import wire
from x0tta_cli.alert.model import Action, Message
from x0tta_cli.core.notices import Explanation, Notice, Severity

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


def notice(**changes):
    given_members = {
        "name": "HighLatency",
        "severity": Severity.WARNING,
        "labels": {"component": "cart"},
        "starts_at": NOW - timedelta(hours=1),
    }
    return Notice(**(given_members | changes))


def message(action=Action.FIRE, **changes):
    return Message(1, "k", action, notice(**changes), lasting_s=600)


def test_both_times_are_always_sent_and_the_start_is_the_true_one():
    alert = wire.alert_of(message(), NOW, timedelta())
    assert alert["startsAt"] == "2026-01-02T11:00:00Z"
    assert alert["endsAt"] == "2026-01-02T12:10:00Z"


def test_a_resolve_ends_now_at_the_latest_and_never_before_its_start():
    late = message(Action.RESOLVE, ends_at=NOW + timedelta(hours=1))
    assert wire.alert_of(late, NOW, timedelta())["endsAt"] == "2026-01-02T12:00:00Z"
    early = message(Action.RESOLVE, ends_at=NOW - timedelta(hours=2))
    alert = wire.alert_of(early, NOW, timedelta())
    assert alert["startsAt"] == alert["endsAt"] == "2026-01-02T10:00:00Z"


def test_what_a_fast_clock_dated_ahead_has_begun_by_now():
    ahead = message(starts_at=NOW + timedelta(minutes=5))
    alert = wire.alert_of(ahead, NOW, timedelta())
    assert (alert["startsAt"], alert["endsAt"]) == ("2026-01-02T12:00:00Z", "2026-01-02T12:10:00Z")


def test_an_alert_without_a_name_is_looked_for_without_one():
    # As Alertmanager does with labels that are empty.
    assert wire.legal_labels(notice(name="")) == {"severity": "warning", "component": "cart"}


def test_times_are_corrected_by_the_difference_of_the_clocks():
    alert = wire.alert_of(message(), NOW, timedelta(minutes=10))
    assert (alert["startsAt"], alert["endsAt"]) == ("2026-01-02T10:50:00Z", "2026-01-02T12:00:00Z")


def test_the_explanation_and_the_runbook_are_annotations():
    told = notice(
        explanation=Explanation(("p95 is 2 s",), ("cart is slow",), ("disk",)),
        runbook_url="https://runbooks/1",
        annotations={"summary": "s"},
    )
    assert wire.annotations_of(told) == {
        "observed": "p95 is 2 s",
        "inferred": "cart is slow",
        "not_known": "disk",
        "runbook_url": "https://runbooks/1",
        "summary": "s",
    }


def test_a_source_that_is_no_uri_is_left_out():
    assert "generatorURL" not in wire.alert_of(message(source_url="no uri"), NOW, timedelta())
    alert = wire.alert_of(message(source_url="http://p/graph"), NOW, timedelta())
    assert alert["generatorURL"] == "http://p/graph"


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=6))
def test_label_names_are_legal_and_none_is_lost(labels):
    legal = wire.legal_labels(notice(labels=labels))
    assert all(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) for name in legal)
    assert legal["alertname"] == "HighLatency"
    kept = [v for n, v in labels.items() if v and n not in {"alertname", "severity"}]
    assert len(legal) == 2 + len(kept)


def test_a_matcher_is_quoted_as_in_go_and_its_signs_are_escaped():
    [both] = wire.matchers_for([{"a": 'x"|y'}, {"a": "z\\"}])
    assert both == 'a=~"x\\"\\\\|y|z\\\\\\\\"'


def test_one_alert_is_asked_for_by_all_its_labels_so_that_no_others_come():
    asked = wire.matchers_for([{"alertname": "Load", "n": "7"}])
    assert asked == ['alertname="Load"', 'n="7"']
    asked = wire.matchers_for([{"alertname": "Load", "n": str(n)} for n in (7, 8)])
    assert asked == ['alertname="Load"', 'n=~"7|8"']
