"""What is written for Prometheus and Alertmanager."""

from __future__ import annotations

import subprocess

import pytest
import yaml
from fakes.http_server import Answer, serving

from x0tta_cli.alert.rules import checking, difference, rendering
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.errors import (
    ConfigurationError,
    ConflictError,
    ExitStatus,
    NotFoundError,
    UnavailableError,
    UsageError,
)

pytestmark = pytest.mark.slow

TOKEN = "S3CRET-S3CRET-S3CRET"


def settings(**members: object) -> AlertSettings:
    return AlertSettings.model_validate(
        {"channels": {"hook": {"kind": "webhook", "url": "http://127.0.0.1:9"}}} | members
    )


def routing_of(tmp_path, configured: AlertSettings) -> dict:
    rendering.render(tmp_path, configured, dry_run=False)
    return yaml.safe_load((tmp_path / "alertmanager.yml").read_text())


def test_what_is_rendered_is_found_right_by_promtool_amtool_and_ourselves(tmp_path):
    rendering.render(tmp_path, settings(), dry_run=False)
    checked = checking.check(tmp_path, settings())
    assert checked.findings == ()
    assert checked.rules == 17
    assert [tool.partition(" ")[0] for tool in checked.tools] == ["x0tta", "promtool", "amtool"]


def test_texts_say_what_is_configured(tmp_path):
    change = {"ErrorRate": {"after": "PT90S"}, "HandshakeFailures": {"threshold": 7}}
    configured = settings(rules={"by": ["app", "zone"], "change": change})
    rendering.render(tmp_path, configured, dry_run=False)
    groups = yaml.safe_load((tmp_path / "x0tta-rules.yml").read_text())["groups"]
    told = {rule["alert"]: rule["annotations"] for group in groups for rule in group["rules"]}
    assert told["ErrorRate"]["summary"] == "Requests to {{ $labels.app }} {{ $labels.zone }} fail"
    assert told["ErrorRate"]["description"].endswith("have failed for 1m30s.")
    assert told["HandshakeFailures"]["description"].startswith("More than 7 handshakes")
    assert "within the last 45m" in told["SvidRenewalFailed"]["description"]


def test_rendering_twice_changes_nothing(tmp_path):
    first = rendering.render(tmp_path, settings(), dry_run=False)
    assert [file.state for file in first.files] == ["created", "created"]
    before = [path.stat().st_mtime_ns for path in sorted(tmp_path.iterdir())]
    second = rendering.render(tmp_path, settings(), dry_run=False)
    assert [file.state for file in second.files] == ["same", "same"]
    assert [path.stat().st_mtime_ns for path in sorted(tmp_path.iterdir())] == before


def test_a_dry_run_tells_and_writes_nothing(tmp_path):
    planned = rendering.render(tmp_path, settings(), dry_run=True)
    assert planned.would_change
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_somebody_else_is_not_replaced_and_neither_is_the_other(tmp_path):
    foreign = tmp_path / "alertmanager.yml"
    foreign.write_text("route: {receiver: mine}\n")
    with pytest.raises(ConflictError) as raised:
        rendering.render(tmp_path, settings(), dry_run=False)
    assert raised.value.code == "alert.foreign_file"
    assert foreign.read_text() == "route: {receiver: mine}\n"
    assert not (tmp_path / "x0tta-rules.yml").exists()


def test_a_file_name_says_which_of_both_it_is(tmp_path):
    for name, member in (("alertmanager-eu.yml", "route"), ("mine.yml", "groups")):
        rendering.render(tmp_path / name, settings(), dry_run=False)
        assert member in yaml.safe_load((tmp_path / name).read_text())


def test_a_folder_that_is_not_there_is_no_file(tmp_path):
    for work in (
        lambda: rendering.render(tmp_path / "rules", settings(), dry_run=False),
        lambda: rendering.render(tmp_path / "rules", settings(), dry_run=True),
        lambda: difference.with_files(tmp_path / "rules", settings()),
    ):
        with pytest.raises(NotFoundError):
            work()
    assert list(tmp_path.iterdir()) == []


def test_no_secret_is_written_but_the_name_of_its_file(tmp_path):
    configured = settings(
        channels={"page": {"kind": "pagerduty", "routing_key": TOKEN}},
        serve={"token": TOKEN},
        rules={"token_file": "/etc/x0tta/serve-token"},
    )
    written = routing_of(tmp_path, configured)
    assert TOKEN not in (tmp_path / "alertmanager.yml").read_text()
    [hook] = written["receivers"][0]["webhook_configs"]
    authorization = hook["http_config"]["authorization"]
    assert authorization == {"credentials_file": "/etc/x0tta/serve-token"}


def test_a_token_that_alertmanager_would_not_send_is_found(tmp_path):
    configured = settings(serve={"token": TOKEN})
    assert [each.code for each in checking.check(None, configured).findings] == ["no_token"]
    with pytest.raises(ConfigurationError):
        rendering.render(tmp_path, configured, dry_run=False)


def test_quiet_hours_have_their_zone_and_stand_where_alerts_are_held_back(tmp_path):
    night = {"times": ["22:00-24:00", "00:00-06:00"], "time_zone": "Europe/Berlin"}
    routes = [{"match": {"team": ["mesh"]}, "channels": ["hook"], "quiet": ["night"]}]
    written = routing_of(tmp_path, settings(quiet_hours={"night": night}, routes=routes))
    [interval] = written["time_intervals"]
    [when] = interval["time_intervals"]
    assert when["location"] == "Europe/Berlin"
    assert [(t["start_time"], t["end_time"]) for t in when["times"]] == [
        ("22:00", "24:00"),
        ("00:00", "06:00"),
    ]
    [_, route] = written["route"]["routes"]
    assert route["mute_time_intervals"] == ["night"]
    assert checking.check(tmp_path, settings()).findings == ()


@pytest.mark.parametrize(
    ("hours", "code"),
    [
        ({"times": ["22:00-06:00"]}, "over_midnight"),
        ({"times": ["22:00-24:00"], "time_zone": "Europe/Berln"}, "unknown_time_zone"),
    ],
)
def test_wrong_quiet_hours_are_found(hours, code):
    findings = checking.check(None, settings(quiet_hours={"night": hours})).findings
    assert code in [each.code for each in findings]


def test_an_escalation_waits_behind_its_own_route_and_no_other(tmp_path):
    routes = [
        {"match": {"severity": ["critical"]}, "channels": ["hook"], "escalate_after": "PT30M"},
        {"match": {"team": ["a", "b.c"]}, "channels": ["hook"], "repeat": "PT1H"},
    ]
    written = routing_of(tmp_path, settings(routes=routes))
    _, critical, team = written["route"]["routes"]
    later, now = critical["routes"]
    assert (later["receiver"], later["group_wait"], later["continue"]) == (
        "x0tta-escalated",
        "30m",
        True,
    )
    assert now == {"receiver": "x0tta"}
    assert team["matchers"] == ['team=~"a|b\\\\.c"']
    assert (team["repeat_interval"], "routes" in team) == ("1h", False)


def test_routes_know_the_words_that_other_rules_have_for_a_severity(tmp_path):
    routes = [{"match": {"severity": ["critical"]}, "channels": ["hook"]}]
    rendering.render(tmp_path, settings(routes=routes), dry_run=False)
    chosen = subprocess.run(
        ["amtool", "config", "routes", "test", f"--config.file={tmp_path}/alertmanager.yml",
         "--tree", "severity=page", "alertname=Theirs"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert 'severity=~"critical|emergency|page"' in chosen


def test_the_watchdog_comes_several_times_within_its_patience(tmp_path):
    written = routing_of(tmp_path, settings(serve={"watchdog_within": "PT2M"}))
    first = written["route"]["routes"][0]
    assert first["matchers"] == ['alertname="Watchdog"']
    assert (first["group_wait"], first["repeat_interval"]) == ("0s", "30s")


def test_a_window_no_longer_than_the_events_period_is_found(tmp_path):
    configured = settings(rules={"change": {"SvidRenewalFailed": {"window": "PT30M"}}})
    [finding] = checking.check(None, configured).findings
    assert (finding.where, finding.code) == ("SvidRenewalFailed", "window_too_short")
    assert checking.check(None, configured).exit_status is ExitStatus.NO


def test_a_rule_that_is_not_shipped_can_not_be_changed():
    with pytest.raises(ConfigurationError, match="EroRate") as raised:
        checking.check(None, settings(rules={"change": {"EroRate": {"threshold": 1}}}))
    assert "ErrorRate" in (raised.value.reason or "")


@pytest.mark.parametrize(
    ("rule", "codes"),
    [
        ("{alert: A, expr: 'vector(1)'}", ["no_severity", "no_text", "no_text"]),
        ("{alert: A, expr: '('}", ["no_severity", "no_text", "no_text", "promtool"]),
        (
            "{alert: A, expr: 'increase(x[5m]) > 0', for: 5m, labels: {severity: error}, "
            "annotations: {summary: a, description: b}}",
            ["never_fires"],
        ),
        (
            "{alert: A, expr: 'increase(x[5m]) > 0', for: 4m, labels: {severity: error}, "
            "annotations: {summary: a, description: b}}",
            [],
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_found(rule, codes, tmp_path):
    file = tmp_path / "theirs.yml"
    file.write_text(f"groups: [{{name: a, rules: [{rule}]}}]\n")
    assert [each.code for each in checking.check(file, settings()).findings] == codes


def test_without_the_tools_it_says_that_only_we_have_looked(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert checking.check(None, settings()).tools == ("x0tta",)


def test_a_difference_is_named_by_rule_and_field(tmp_path):
    rendering.render(tmp_path, settings(), dry_run=False)
    changed = settings(
        rules={"change": {"MemoryFull": {"threshold": 0.7}, "CpuBusy": {"enabled": False}}}
    )
    compared = difference.with_files(tmp_path, changed)
    assert [(each.rule, each.what, each.field) for each in compared.differences] == [
        ("MemoryFull", "changed", "expr"),
        ("CpuBusy", "extra", ""),
    ]
    assert compared.exit_status is ExitStatus.NO
    assert difference.with_files(tmp_path, settings()).exit_status is ExitStatus.DONE


def test_a_route_that_lacks_is_named_by_its_path(tmp_path):
    rendering.render(tmp_path, settings(), dry_run=False)
    compared = difference.with_files(
        tmp_path / "alertmanager.yml", settings(rules={"serve_url": "http://10.0.0.1:9099"})
    )
    assert [each.field for each in compared.differences] == [
        f"receivers[{number}].webhook_configs[0].url" for number in range(3)
    ]


def test_what_is_no_rule_file_can_not_be_compared(tmp_path):
    file = tmp_path / "x.yml"
    file.write_text("- a\n")
    with pytest.raises(UsageError) as raised:
        difference.with_files(file, settings())
    assert raised.value.code == "alert.bad_rule_file"


@pytest.mark.parametrize("body", [b"[]", b'{"data": {"groups": [{}]}}'])
def test_what_is_no_prometheus_is_told_as_such(body):
    with (
        serving(lambda _request: Answer(200, body)) as url,
        pytest.raises(UnavailableError) as raised,
    ):
        difference.with_prometheus(url, settings())
    assert raised.value.code == "alert.rules_unavailable"
