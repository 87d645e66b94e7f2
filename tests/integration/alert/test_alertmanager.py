"""`x0tta alert` against real Alertmanagers."""

from __future__ import annotations

import json
import subprocess
import time
from datetime import UTC, datetime, timedelta

import pytest


def sent(ended):
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_an_alert_is_seen_by_amtool_until_it_is_resolved(alertmanager, x0tta):
    urls = [alertmanager.url]
    told = sent(x0tta("alert", "send", "Seen", "--label", "a=b", "-o", "json", urls=urls))
    assert [each["state"] for each in told["deliveries"]] == ["visible"]
    amtool = ["amtool", "--alertmanager.url", alertmanager.url, "alert", "query", "Seen"]
    assert "Seen" in subprocess.run(amtool, capture_output=True, text=True, check=True).stdout
    resolved = sent(x0tta("alert", "resolve", told["key"], "-o", "json", urls=urls))
    assert [each["state"] for each in resolved["deliveries"]] == ["acknowledged"]
    assert "Seen" not in alertmanager.names()


def test_an_alert_that_is_sent_once_does_not_end_after_five_minutes(alertmanager, x0tta):
    urls = [alertmanager.url]
    told = sent(x0tta("alert", "send", "Lease", "--lasting", "2h", "-o", "json", urls=urls))
    [alert] = [a for a in alertmanager.alerts() if a["labels"]["alertname"] == "Lease"]
    ends_at = datetime.fromisoformat(alert["endsAt"])
    assert timedelta(minutes=119) < ends_at - datetime.now(UTC) < timedelta(minutes=121)
    assert abs(datetime.fromisoformat(told["lease_ends_at"]) - ends_at) < timedelta(seconds=2)


def test_a_renewal_brings_back_what_a_restart_forgot_with_its_first_start(
    fresh_alertmanager, x0tta
):
    urls = [fresh_alertmanager.url]
    sent(x0tta("alert", "send", "Open", "--since", "-30m", "-o", "json", urls=urls))
    [before] = fresh_alertmanager.alerts()
    fresh_alertmanager.kill()
    fresh_alertmanager.up()
    assert fresh_alertmanager.alerts() == []
    done = sent(x0tta("alert", "outbox", "run", "-o", "json", urls=[fresh_alertmanager.url]))
    assert (done["renewed"], done["open"]) == (1, 1)
    [after] = fresh_alertmanager.alerts()
    assert after["startsAt"] == before["startsAt"]
    assert after["annotations"] == before["annotations"]


def test_a_resolve_that_a_restart_lost_is_repeated(fresh_alertmanager, x0tta):
    urls = [fresh_alertmanager.url]
    told = sent(x0tta("alert", "send", "Short", "-o", "json", urls=urls))
    sent(x0tta("alert", "resolve", told["key"], "-o", "json", urls=urls))
    done = sent(x0tta("alert", "outbox", "run", "-o", "json", urls=urls))
    assert (done["renewed"], done["open"]) == (1, 0)
    assert fresh_alertmanager.alerts() == []


def test_every_peer_of_a_cluster_gets_fire_and_resolve(cluster, x0tta):
    urls = [server.url for server in cluster]
    told = sent(x0tta("alert", "send", "Both", "-o", "json", urls=urls))
    assert [each["peer"] for each in told["deliveries"]] == sorted(urls)
    assert all("Both" in server.names() for server in cluster)
    sent(x0tta("alert", "resolve", told["key"], "-o", "json", urls=urls))
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        assert not any("Both" in server.names() for server in cluster)
        time.sleep(0.5)


def test_a_peer_that_was_down_gets_what_it_missed_and_the_other_does_not_wait(cluster, x0tta):
    one, two = cluster
    urls = [one.url, two.url]
    two.kill()
    ended = x0tta("alert", "send", "Missed", "-o", "json", urls=urls)
    assert ended.returncode == 10
    states = {each["peer"]: each["state"] for each in json.loads(ended.stdout)["deliveries"]}
    assert states == {one.url: "visible", two.url: "queued"}
    assert two.up() == urls[1]
    sent(x0tta("alert", "outbox", "retry", "-o", "json", urls=urls))
    sent(x0tta("alert", "outbox", "run", "-o", "json", urls=urls))
    assert "Missed" in two.names()


def test_silenced_is_shown_with_the_id_of_the_silence(alertmanager, x0tta):
    urls = [alertmanager.url]
    [made] = sent(
        x0tta("alert", "silence", "add", "alertname=Quiet", "--for", "1h", "-o", "json", urls=urls)
    )
    told = sent(x0tta("alert", "send", "Quiet", "-o", "json", urls=urls))
    assert told["deliveries"][0]["detail"] == f"silenced by {made['id']}"
    [listed] = sent(x0tta("alert", "silence", "list", "-o", "json", urls=urls))
    assert (listed["id"], listed["matching"]) == (made["id"], 1)
    sent(x0tta("alert", "silence", "expire", made["id"], "-o", "json", urls=urls))
    assert [s["id"] for s in alertmanager.silences("expired")] == [made["id"]]


def test_acknowledging_silences_exactly_this_alert_until_it_is_resolved(alertmanager, x0tta):
    urls = [alertmanager.url]
    mine, other = (
        sent(x0tta("alert", "send", "Acked", "--label", f"n={n}", "-o", "json", urls=urls))
        for n in (1, 2)
    )
    sent(x0tta("alert", "acknowledge", mine["key"], "--for", "1h", "-o", "json", urls=urls))
    states = {
        a["labels"]["n"]: a["status"]["state"]
        for a in alertmanager.alerts()
        if a["labels"]["alertname"] == "Acked"
    }
    assert states == {"1": "suppressed", "2": "active"}
    for told in (mine, other):
        sent(x0tta("alert", "resolve", told["key"], "-o", "json", urls=urls))
    assert [s for s in alertmanager.silences("active") if "Acked" in str(s["comment"])] == []


def test_labels_that_are_not_legal_are_told_and_delivered(alertmanager, x0tta):
    told = sent(
        x0tta(
            "alert", "send", "Odd", "--label", "mesh.node-id=7", "--label", 'q="|\\<b>',
            "-o", "json", urls=[alertmanager.url],
        )
    )  # fmt: skip
    assert [each["state"] for each in told["deliveries"]] == ["visible"]
    [warning] = told["warnings"]
    assert "mesh.node-id" in warning
    [alert] = [a for a in alertmanager.alerts() if a["labels"]["alertname"] == "Odd"]
    assert (alert["labels"]["mesh_node_id"], alert["labels"]["q"]) == ("7", '"|\\<b>')


def test_resolve_works_beside_a_journal_that_can_not_be_used(alertmanager, x0tta, state, tmp_path):
    urls = [alertmanager.url]
    told = sent(x0tta("alert", "send", "Safe", "-o", "json", urls=urls))
    (state / "journal.sqlite3").write_bytes(b"damaged")
    for name in ("journal.sqlite3-wal", "journal.sqlite3-shm"):
        (state / name).unlink(missing_ok=True)
    ended = x0tta("alert", "resolve", told["key"], "-o", "json", urls=urls)
    assert ended.returncode == 0, ended.stderr
    assert "the outbox can't be used" in ended.stderr
    assert "Safe" not in alertmanager.names()


def test_an_alert_of_another_machine_is_resolved_by_its_key(alertmanager, x0tta, tmp_path):
    urls = [alertmanager.url]
    other = {"X0TTA_STATE_DIR": str(tmp_path / "other")}
    told = sent(x0tta("alert", "send", "Theirs", "-o", "json", urls=urls, **other))
    sent(x0tta("alert", "resolve", told["key"], "-o", "json", urls=urls))
    assert "Theirs" not in alertmanager.names()


@pytest.mark.parametrize("word", ["pay", "bob:"])
def test_a_wrong_url_is_an_answer_that_can_be_mended(x0tta, word, alertmanager):
    ended = x0tta("alert", "send", "X", "-o", "json", urls=[f"{alertmanager.url}/{word}"])
    assert ended.returncode == 10
    [delivery] = json.loads(ended.stdout)["deliveries"]
    assert (delivery["state"], "404" in delivery["detail"]) == ("queued", True)
