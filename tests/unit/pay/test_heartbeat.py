"""Each run says that it was: to a URL, and to node_exporter's textfile collector."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.http_server import Answer, serving
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from x0tta_cli.pay.reconcile.heartbeat import beat
from x0tta_cli.pay.reconcile.model import Reconciliation, SourceOutcome, Unread
from x0tta_cli.pay.settings import PaySettings

HEAD = "ab" * 32


def run(head=HEAD, orders=None, waiting=0):
    sources = (
        SourceOutcome("tonapi", 2, 0, 0, "ok", ""),
        SourceOutcome("toncenter", 1, 0, 3, "degraded", "throttled"),
    )
    unread = (Unread("toncenter", "till", "pay.source_throttled", "throttled"),)
    return Reconciliation(sources, (), (), orders or {"paid": 2}, head, waiting, unread, ())


def samples(folder: Path):
    text = (folder / "x0tta_heartbeat_pay-reconcile.prom").read_text()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_textfile_has_the_instant_the_status_and_the_head(tmp_path):
    beat(PaySettings(textfile=tmp_path), run(orders={"paid": 2, "late": 1}, waiting=4))
    found = samples(tmp_path)
    assert found.pop(("x0tta_heartbeat_timestamp_seconds", "pay-reconcile")) > 1_700_000_000
    assert found == {
        ("x0tta_heartbeat_exit_status", "pay-reconcile"): 10,
        ("x0tta_pay_log_head_info", HEAD): 1,
        ("x0tta_pay_receipts_waiting",): 4,
        ("x0tta_pay_orders", "paid"): 2,
        ("x0tta_pay_orders", "late"): 1,
        ("x0tta_pay_source_up", "tonapi"): 1,
        ("x0tta_pay_source_up", "toncenter"): 0,
    }


def test_a_new_head_begins_no_series_anew_but_its_own(tmp_path):
    beat(PaySettings(textfile=tmp_path), run())
    before = set(samples(tmp_path))
    beat(PaySettings(textfile=tmp_path), run(head="cd" * 32))
    assert set(samples(tmp_path)) ^ before == {
        ("x0tta_pay_log_head_info", HEAD),
        ("x0tta_pay_log_head_info", "cd" * 32),
    }


def test_the_url_is_told_the_status_and_the_head():
    asked = []

    def answer(request):
        asked.append((request.method, request.path, request.json()))
        return Answer(200)

    with serving(answer) as url:
        beat(PaySettings(heartbeat_url=SecretStr(f"{url}/ping/42?from=pay")), run())
    [(method, path, body)] = asked
    assert (method, path.partition("?")[0]) == ("POST", "/ping/42")
    assert body == {"status": 10, "log_head": HEAD, "orders": {"paid": 2}}


@pytest.mark.parametrize("status", [404, 500])
def test_a_heartbeat_that_is_not_taken_is_a_warning_and_fails_no_run(caplog, tmp_path, status):
    with serving(lambda _request: Answer(status)) as url:
        settings = PaySettings(heartbeat_url=SecretStr(f"{url}/x"), textfile=tmp_path / "missing")
        beat(settings, run())
    assert [record.levelname for record in caplog.records].count("WARNING") >= 2
    assert not (tmp_path / "missing").exists()
