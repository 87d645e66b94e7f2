"""Silences where the clocks differ."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from email.utils import formatdate

import pytest
from fakes import http_server
from fakes.http_server import Answer, Request, json_answer, serving

from x0tta_cli.alert import silences
from x0tta_cli.alert.settings import AlertSettings

SILENCE = "8d0a6f1e-0c1f-4a3b-9c7e-2f1d5b6a7c8d"


@pytest.mark.parametrize(("ahead_s", "corrected_s"), [(600, 600), (-600, -600), (5, 0)])
def test_a_silence_begins_now_by_the_servers_clock(monkeypatch, state, ahead_s, corrected_s):
    made = []

    def answer(request: Request) -> Answer:
        if request.method == "POST":
            made.append(request.json())
            return json_answer(200, {"silenceID": SILENCE})
        return json_answer(200, {} if request.path == "/api/v2/status" else [])

    monkeypatch.setattr(
        http_server._Handler,
        "date_time_string",
        lambda _self, _timestamp=None: formatdate(time.time() - ahead_s, usegmt=True),
    )
    with serving(answer) as url:
        settings = AlertSettings.model_validate(
            {"channels": {"am": {"kind": "alertmanager", "urls": (url,)}}}
        )
        began = time.time()
        silences.add(["alertname=X"], 3600, "", None, settings, dry_run=False)
    [silence] = made
    starts, ends = (datetime.fromisoformat(silence[name]) for name in ("startsAt", "endsAt"))
    assert ends - starts == timedelta(hours=1)
    assert starts.timestamp() == pytest.approx(began - corrected_s, abs=5)
