from __future__ import annotations

import json
import socket

import numpy as np
import pytest

from x0tta_cli.core.errors import OperatorError, UsageError
from x0tta_cli.core.http import Client
from x0tta_cli.telemetry.prometheus.grid import Grid
from x0tta_cli.telemetry.prometheus.server import ask_range, ask_type

GRID = Grid(1_000_000, 1000, 5)


def refusal(action) -> tuple[str, int, str]:
    with pytest.raises(OperatorError) as caught:
        action()
    assert caught.value.fix
    return caught.value.code, int(caught.value.exit_status), f"{caught.value} {caught.value.reason}"


def test_points_stand_at_their_instants_and_nothing_is_filled_in(prometheus, client) -> None:
    prometheus.series["a"] = [({"n": "x"}, {1000: "1", 1002: "NaN", 1003: "+Inf", 1004: "-Inf"})]
    matrix = ask_range(client(), "a", GRID)
    np.testing.assert_array_equal(
        matrix.series[(("n", "x"),)], [1, np.nan, np.nan, np.inf, -np.inf]
    )


def test_the_order_of_points_does_not_matter(prometheus, client) -> None:
    prometheus.series["a"] = [({}, {1000: "1", 1002: "3", 1004: "5"})]
    prometheus.backwards = True
    np.testing.assert_array_equal(
        ask_range(client(), "a", GRID).series[()], [1, np.nan, 3, np.nan, 5]
    )


def test_a_long_time_is_asked_for_in_parts(prometheus, client) -> None:
    size = 25_000
    # The second series lives in the last part alone.
    prometheus.series["a"] = [
        ({"n": "x"}, {1000 + place: str(place) for place in range(size)}),
        ({"n": "y"}, {1000 + size - 1: "7"}),
    ]
    matrix = ask_range(client(), "a", Grid(1_000_000, 1000, size))
    assert len(prometheus.asked) == 3
    np.testing.assert_array_equal(matrix.series[(("n", "x"),)], np.arange(size))
    late = matrix.series[(("n", "y"),)]
    assert late[-1] == 7
    assert np.isnan(late[:-1]).all()


def test_an_answer_that_is_too_large_is_asked_for_in_smaller_parts(prometheus, client) -> None:
    prometheus.series["a"] = [({}, {1000 + place: str(place) for place in range(5000)})]
    matrix = ask_range(client(max_bytes=20_000), "a", Grid(1_000_000, 1000, 5000))
    np.testing.assert_array_equal(matrix.series[()], np.arange(5000))


def test_an_answer_that_is_too_large_for_one_instant_is_refused(prometheus, client) -> None:
    prometheus.series["a"] = [({"n": "x" * 1000}, {1000: "1"})]
    code, status, _ = refusal(lambda: ask_range(client(max_bytes=500), "a", GRID))
    assert (code, status) == ("http.too_large", 7)
    assert len(prometheus.asked) == 3


def test_more_values_than_there_is_room_for_are_refused(prometheus, client) -> None:
    prometheus.series["a"] = [({"n": str(number)}, {1000: "1"}) for number in range(4)]
    assert len(ask_range(client(), "a", GRID, room=20).series) == 4
    code, status, text = refusal(lambda: ask_range(client(), "a", GRID, room=19))
    assert (code, status) == ("telemetry.too_many_values", 2)
    assert "4 series" in text


def test_warnings_of_all_parts_are_kept_once(prometheus, client) -> None:
    prometheus.members = {"warnings": ["store x is away"], "infos": ["no rate"]}
    matrix = ask_range(client(), "a", Grid(1_000_000, 1000, 25_000))
    assert matrix.warnings == ("store x is away", "no rate")


@pytest.mark.parametrize(
    ("status", "kind", "text", "code", "exit_status"),
    [
        (400, "bad_data", "1:3: parse error: unexpected end", "telemetry.bad_query", 2),
        (422, "execution", "found duplicate series", "telemetry.bad_query", 2),
        (422, "execution", "would load too many samples", "telemetry.bad_query", 2),
        (503, "timeout", "query timed out in expression", "telemetry.prometheus_failed", 7),
        (503, "canceled", "query was canceled", "telemetry.prometheus_failed", 7),
        (503, "unavailable", "TSDB not ready", "telemetry.prometheus_failed", 7),
        (500, "internal", "opening storage failed", "telemetry.prometheus_failed", 7),
        (429, "too_many_requests", "limit", "telemetry.prometheus_failed", 7),
        (404, "not_found", "no such tenant", "telemetry.prometheus_failed", 7),
        (200, "execution", "an error with status 200", "telemetry.prometheus_failed", 7),
        (401, "auth", "", "telemetry.prometheus_denied", 6),
        (403, "auth", "", "telemetry.prometheus_denied", 6),
    ],
)
def test_the_servers_own_words_are_passed_on(
    prometheus, client, error_answer, status, kind, text, code, exit_status
) -> None:
    prometheus.failure = (status, error_answer(kind, text))
    found = refusal(lambda: ask_range(client(), "up", GRID))
    assert found[:2] == (code, exit_status)
    assert text in found[2]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>Log in</html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"status": "success"}'),
        (200, b'{"status": "success", "data": {"resultType": "vector", "result": []}}'),
        (302, b""),
        (400, b"<html>Bad request</html>"),
        (404, b"404 page not found\n"),
        (204, b""),
    ],
)
def test_what_is_not_prometheus_is_told_so(prometheus, client, status, body) -> None:
    prometheus.failure = (status, body)
    code, exit_status, text = refusal(lambda: ask_range(client(), "up", GRID))
    assert (code, exit_status) == ("telemetry.unreadable_answer", 7)
    assert prometheus.url in text


def test_a_proxy_without_words_of_prometheus_failed_too(prometheus, client) -> None:
    prometheus.failure = (502, b"Bad Gateway")
    code, _, text = refusal(lambda: ask_range(client(), "up", GRID))
    assert code == "telemetry.prometheus_failed"
    assert "Bad Gateway (status 502)" in text


@pytest.mark.parametrize(
    "points", [{"values": [[1000.5, "1"]]}, {"values": [[1000, "1"], [1000, "2"]]}]
)
def test_points_that_do_not_fit_the_question_are_refused(prometheus, client, points) -> None:
    data = {"resultType": "matrix", "result": [{"metric": {}, **points}]}
    prometheus.failure = (200, json.dumps({"status": "success", "data": data}).encode())
    assert refusal(lambda: ask_range(client(), "up", GRID))[0] == "telemetry.unreadable_answer"


def test_a_server_that_is_away_or_silent_is_told_by_the_client() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Client(url, retries=0, timeout_s=0.2) as client:
            assert refusal(lambda: ask_range(client, "up", GRID))[:2] == ("http.timed_out", 7)
    with Client(url, retries=0) as client:
        assert refusal(lambda: ask_range(client, "up", GRID))[:2] == ("http.unreachable", 7)


def test_the_type_of_a_metric_is_what_its_target_said(prometheus, client) -> None:
    prometheus.types["requests"] = "counter"
    assert ask_type(client(), "requests") == "counter"
    assert ask_type(client(), "other") is None


def test_a_store_without_types_is_no_error(prometheus, client) -> None:
    prometheus.types = None
    assert ask_type(client(), "requests") is None


def test_a_native_histogram_is_refused(prometheus, client) -> None:
    series = {"metric": {"__name__": "delay"}, "histograms": [[1000, {"count": "1"}]]}
    data = {"resultType": "matrix", "result": [series]}
    prometheus.failure = (200, json.dumps({"status": "success", "data": data}).encode())
    with pytest.raises(UsageError, match="native histograms") as caught:
        ask_range(client(), "delay", GRID)
    assert caught.value.code == "telemetry.native_histogram"
