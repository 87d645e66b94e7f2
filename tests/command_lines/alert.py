"""Lines of `x0tta alert`, over a receiver on loopback."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from command_lines.line import X0TTA, Line, Lines, Place
from fakes.http_server import Answer, Request, json_answer, serving

from x0tta_cli.drill.receiver import running_receiver

SILENCE = "8d0a6f1e-0c1f-4a3b-9c7e-2f1d5b6a7c8d"


@contextmanager
def receiver(place: Place) -> Iterator[None]:
    """The channel `am` is an Alertmanager that takes everything."""
    with running_receiver() as running:
        configure(place, running.base_url)
        yield


@contextmanager
def nobody(place: Place) -> Iterator[None]:
    """The channel `am` is one that nobody answers on, and one delivery waits, as `{number}`."""
    configure(place, "http://127.0.0.1:9")
    ended = place.run(X0TTA, "alert", "send", "HighLatency", "-o", "json")
    assert ended.returncode == 10, ended.stderr
    [row] = json.loads(place.run(X0TTA, "alert", "outbox", "list", "-o", "json").stdout)
    place.words["number"] = str(row["number"])
    yield


@contextmanager
def open_alert(place: Place) -> Iterator[None]:
    """An alert is open, as `{key}`."""
    with receiver(place):
        ended = place.run(X0TTA, "alert", "send", "HighLatency", "-o", "json")
        assert ended.returncode == 0, ended.stderr
        place.words["key"] = json.loads(ended.stdout)["key"]
        yield


@contextmanager
def free_port(place: Place) -> Iterator[None]:
    """`{port}` is free."""
    with receiver(place):
        with socket.create_server(("127.0.0.1", 0)) as free:
            place.words["port"] = str(free.getsockname()[1])
        yield


@contextmanager
def silences(place: Place) -> Iterator[None]:
    """The channel `am` is an Alertmanager that has no alert, and keeps the silence SILENCE."""
    kept = [
        {
            "id": SILENCE,
            "status": {"state": "active"},
            "matchers": [{"name": "a", "value": "b", "isRegex": False, "isEqual": True}],
            "startsAt": "2026-01-02T03:04:05Z",
            "endsAt": "2126-01-02T03:04:05Z",
            "createdBy": "x0tta",
            "comment": "",
            "updatedAt": "2026-01-02T03:04:05Z",
        }
    ]

    def answer(request: Request) -> Answer:
        if request.method == "POST":
            return json_answer(200, {"silenceID": SILENCE})
        if request.path.startswith("/api/v2/silence/"):
            known = request.path.endswith(SILENCE)
            shown = kept[0] if request.method == "GET" else {}
            return json_answer(200, shown) if known else json_answer(404, "no such silence")
        return json_answer(200, kept if request.path == "/api/v2/silences" else [])

    with serving(answer) as url:
        configure(place, url)
        yield


@contextmanager
def wrong_rules(place: Place) -> Iterator[None]:
    """A rule file that somebody else wrote, and that Prometheus would not take."""
    (place.folder / "wrong.yml").write_text("groups: [{name: a, rules: [{alert: B, expr: '('}]}]")
    yield


@contextmanager
def rendered_rules(place: Place) -> Iterator[None]:
    """The rules as they are shipped."""
    ended = place.run(X0TTA, "alert", "rules", "render", f"{place.folder}/x0tta-rules.yml")
    assert ended.returncode == 0, ended.stderr
    yield


def is_listening(place: Place) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", int(place.words["port"])), 1).close()
        return True
    return False


def configure(place: Place, url: str) -> None:
    place.configure(f'[alert.channels.am]\nkind = "alertmanager"\nurls = ["{url}"]\n')


LINES = {
    "alert send": Lines(
        Line("alert send HighLatency --severity critical", around=receiver),
        Line("alert send HighLatency --severity boom", 2, "alert.bad_severity", around=receiver),
    ),
    "alert resolve": Lines(
        Line("alert resolve {key}", around=open_alert),
        Line("alert resolve nothing", 4, "alert.unknown_key", around=receiver),
    ),
    "alert acknowledge": Lines(
        Line("alert acknowledge {key}", 10, around=open_alert),
        Line("alert acknowledge nothing", 4, "alert.unknown_key", around=receiver),
    ),
    "alert list": Lines(
        Line("alert list", around=open_alert),
        Line("alert list --fields keey", 2, "usage.unknown_field"),
    ),
    "alert test": Lines(
        Line("alert test --yes", around=receiver),
        Line("alert test --channel none --yes", 9, "alert.unknown_channel", around=receiver),
    ),
    "alert run": Lines(
        Line("alert run nightly -- sh -c exit", around=receiver),
        Line("alert run nightly --severity boom -- true", 2, "alert.bad_severity", around=receiver),
    ),
    "alert heartbeat": Lines(
        Line("alert heartbeat nightly --every 24h --textfile-dir {folder}"),
        Line("alert heartbeat nightly --textfile-dir {folder}/none", 4, "files.no_such_folder"),
    ),
    "alert serve": Lines(
        Line(
            "alert serve --listen 127.0.0.1:{port}",
            143,
            around=free_port,
            stop_when=is_listening,
            silent=True,
        ),
        Line("alert serve --listen 0.0.0.0:0", 2, "listener.unprotected", around=receiver),
    ),
    "alert watch": Lines(
        Line("alert watch", 143, around=nobody, stop_after="HighLatency", streams=True),
        Line("alert watch --every soon", 2, "times.bad_duration"),
    ),
    "alert outbox list": Lines(
        Line("alert outbox list", around=nobody),
        Line("alert outbox list --fields nam", 2, "usage.unknown_field"),
    ),
    "alert outbox run": Lines(
        Line("alert outbox run --yes", around=receiver),
        Line("alert outbox run --within soon --yes", 2, "times.bad_duration", around=receiver),
    ),
    "alert outbox retry": Lines(
        Line("alert outbox retry {number} --yes", around=nobody),
        Line("alert outbox retry 17 --yes", 4, "alert.unknown_row", around=receiver),
    ),
    "alert outbox drop": Lines(
        Line("alert outbox drop {number} --yes", around=nobody),
        Line("alert outbox drop 17 --yes", 4, "alert.unknown_row", around=receiver),
    ),
    "alert rules check": Lines(
        Line("alert rules check"),
        Line("alert rules check {folder}/wrong.yml", 3, around=wrong_rules, answers=True),
    ),
    "alert rules render": Lines(
        Line("alert rules render {folder} --yes", around=receiver),
        Line(
            "alert rules render {folder}/wrong.yml --yes",
            5,
            "alert.foreign_file",
            around=wrong_rules,
        ),
    ),
    "alert rules diff": Lines(
        Line("alert rules diff {folder}/x0tta-rules.yml", around=rendered_rules),
        Line("alert rules diff {folder}/none.yml", 4, "files.not_found"),
    ),
    "alert silence add": Lines(
        Line("alert silence add a=b --for 1h --yes", around=silences),
        Line("alert silence add nothing --yes", 2, "alert.bad_matcher", around=silences),
    ),
    "alert silence list": Lines(
        Line("alert silence list", around=silences),
        Line("alert silence list --fields name", 2, "usage.unknown_field"),
    ),
    "alert silence expire": Lines(
        Line(f"alert silence expire {SILENCE} --yes", around=silences),
        Line("alert silence expire nothing --yes", 4, around=silences),
    ),
}
