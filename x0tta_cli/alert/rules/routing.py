"""Alertmanager's configuration: the table of routes, quiet hours, escalation, the watchdog's way.

Every route leads to `alert serve`, which knows the channels; Alertmanager decides when. What it
can't say itself (tell somebody else after half an hour) is a second route that waits so long:
what is resolved or silenced by then is never sent there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from x0tta_cli.alert.alertmanager import wire
from x0tta_cli.alert.alertmanager.notices import SEVERITIES
from x0tta_cli.alert.rules import expressions as promql
from x0tta_cli.alert.rules.model import RuleFinding, RuleGroup
from x0tta_cli.core.notices import Severity

if TYPE_CHECKING:
    from x0tta_cli.alert.settings import AlertSettings, QuietHours, Route

RECEIVER, ESCALATED, WATCHDOG = "x0tta", "x0tta-escalated", "x0tta-watchdog"
PATH, ESCALATED_PATH = "/alertmanager", "/alertmanager/escalated"
GROUP_WAIT, GROUP_INTERVAL = timedelta(seconds=10), timedelta(seconds=30)
REPEAT = timedelta(hours=4)
WATCHDOG_WITHIN = timedelta(minutes=10)


def document(groups: Sequence[RuleGroup], settings: AlertSettings) -> dict[str, Any]:
    """Write the whole configuration."""
    return {
        "route": {
            "receiver": RECEIVER,
            # Each alert by itself: `alert serve` sums up storms, and knows what they share.
            "group_by": ["..."],
            "group_wait": promql.duration(GROUP_WAIT),
            "group_interval": promql.duration(GROUP_INTERVAL),
            "repeat_interval": promql.duration(REPEAT),
            "routes": [
                _watchdog_route(settings),
                *(_route(route) for route in settings.routes),
            ],
        },
        "inhibit_rules": list(_inhibitions(groups)),
        "time_intervals": [_interval(name, hours) for name, hours in settings.quiet_hours.items()],
        "receivers": [
            _receiver(RECEIVER, PATH, settings),
            _receiver(ESCALATED, ESCALATED_PATH, settings),
            _receiver(WATCHDOG, PATH, settings, send_resolved=False),
        ],
    }


def findings(settings: AlertSettings) -> Iterator[RuleFinding]:
    """Tell what Alertmanager, or `alert serve` behind it, would not take."""
    for number, route in enumerate(settings.routes, 1):
        where = f"alert.routes[{number}]"
        for name in route.quiet:
            if name not in settings.quiet_hours:
                message = f"there are no quiet hours '{name}'"
                yield RuleFinding(where, "unknown_quiet_hours", message)
        for name in route.channels:
            if name not in settings.channels:
                yield RuleFinding(where, "unknown_channel", f"there is no channel '{name}'")
    for name, hours in settings.quiet_hours.items():
        yield from _wrong_hours(f"alert.quiet_hours.{name}", hours)
    if settings.serve.token is not None and settings.rules.token_file is None:
        message = (
            "`alert serve` wants a token, and Alertmanager would send none: name the file that "
            "it stands in there as alert.rules.token_file"
        )
        yield RuleFinding("alert.rules.token_file", "no_token", message)


def _wrong_hours(where: str, hours: QuietHours) -> Iterator[RuleFinding]:
    from zoneinfo import available_timezones

    if hours.time_zone not in available_timezones():
        yield RuleFinding(where, "unknown_time_zone", f"there is no zone '{hours.time_zone}'")
    for span in hours.times:
        start, _, end = span.partition("-")
        if start >= end:
            message = f"{span} goes over midnight: write {start}-24:00 and 00:00-{end}"
            yield RuleFinding(where, "over_midnight", message)


def notes(settings: AlertSettings) -> tuple[str, ...]:
    """Tell what a reader of the files should know."""
    told = [name for name, each in settings.channels.items() if each.kind != "alertmanager"]
    said = []
    if not told:
        said.append("no channel but Alertmanager is configured: alert serve would tell nobody")
    if settings.serve.watchdog_within is None:
        said.append("alert.serve.watchdog_within is not set: nobody hears when alerts stay away")
    return tuple(said)


def _watchdog_route(settings: AlertSettings) -> dict[str, Any]:
    within = settings.serve.watchdog_within or WATCHDOG_WITHIN
    # Several signs of life fit in, so that one that is lost is no alarm.
    every = max(timedelta(seconds=1), within / 4)
    return {
        "matchers": [wire.matcher("alertname", "=", settings.serve.watchdog)],
        "receiver": WATCHDOG,
        "group_wait": "0s",
        "group_interval": promql.duration(every),
        "repeat_interval": promql.duration(every),
    }


def _route(route: Route) -> dict[str, Any]:
    timing: dict[str, Any] = {}
    if route.quiet:
        timing["mute_time_intervals"] = list(route.quiet)
    if route.repeat:
        timing["repeat_interval"] = promql.duration(route.repeat)
    written: dict[str, Any] = {
        "matchers": [_matcher(name, values) for name, values in route.values().items()],
        "receiver": RECEIVER,
        **timing,
    }
    if route.escalate_after:
        later = {
            "receiver": ESCALATED,
            "group_wait": promql.duration(route.escalate_after),
            **timing,
            "continue": True,
        }
        # What a route mutes is not handed down to the routes below it.
        written["routes"] = [later, {"receiver": RECEIVER, **timing}]
    return written


def _matcher(name: str, values: Sequence[str]) -> str:
    if name != "severity":
        return wire.choice_of(name, values)
    # Other rules have other words for the same.
    known = {severity.value for severity in Severity}
    words = [
        word for value in values for word in (value, *(_words_for(value) if value in known else ()))
    ]
    return wire.choice_of(name, list(dict.fromkeys(words)))


def _words_for(severity: str) -> list[str]:
    return [word for word, meant in SEVERITIES.items() if meant.value == severity]


def _inhibitions(groups: Sequence[RuleGroup]) -> Iterator[dict[str, Any]]:
    for group in groups:
        for rule in group.rules:
            if rule.inhibits:
                yield {
                    "source_matchers": [wire.matcher("alertname", "=", rule.name)],
                    "target_matchers": [wire.choice_of("alertname", rule.inhibits)],
                    "equal": list(rule.equal),
                }


def _interval(name: str, hours: QuietHours) -> dict[str, Any]:
    spans = [span.partition("-") for span in hours.times]
    return {
        "name": name,
        "time_intervals": [
            {
                "times": [{"start_time": start, "end_time": end} for start, _, end in spans],
                **({"weekdays": list(hours.weekdays)} if hours.weekdays else {}),
                "location": hours.time_zone,
            }
        ],
    }


def _receiver(
    name: str, path: str, settings: AlertSettings, *, send_resolved: bool = True
) -> dict[str, Any]:
    url = (settings.rules.serve_url or f"http://{settings.serve.listen}").rstrip("/")
    hook: dict[str, Any] = {"url": f"{url}{path}", "send_resolved": send_resolved}
    if settings.rules.token_file is not None:
        # A file's name and never what stands in it: this file may be read by everybody.
        hook["http_config"] = {
            "authorization": {"credentials_file": str(settings.rules.token_file)}
        }
    return {"name": name, "webhook_configs": [hook]}
