from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.core.errors import UsageError
from x0tta_cli.telemetry.prometheus.selectors import check_no_counter, only_fresh, plain_metric


@pytest.mark.parametrize(
    ("expression", "metric"),
    [
        ("up", "up"),
        (" up ", "up"),
        ("job:up:sum", "job:up:sum"),
        ("up{}", "up"),
        ('up{job="a", node=~"x|y"}', "up"),
        ('up {job="}{\\"", other=\'}\', third=`"}`}', "up"),
        ("sum by (node) (up)", "up"),
        ('sum by(node)(up{a="b"})', "up"),
        ("max(up) without (pod)", "up"),
        ("avg(up)", "up"),
        ("up * 1000", "up"),
        ("1 - up", "up"),
        ('up{a="b"}/1e6+2.5', "up"),
        ("100 * sum by (node) (up)", "up"),
        ("up / up * 100", None),
        ("up * 1000 > 5", None),
        ("rate(up[5m])", None),
        ("increase(up_total[1m])", None),
        ("sum by (node) (rate(up[5m]))", None),
        ("(up)", None),
        ("up offset 5m", None),
        ("up + up", None),
        ('up{a="b"} / up{a="c"}', None),
        ("count(up)", None),
        ("sum(up) / sum(up)", None),
        ("up # a remark", None),
        ("", None),
    ],
)
def test_which_expressions_read_a_metric_as_it_is(expression, metric) -> None:
    assert plain_metric(expression) == metric


@pytest.mark.parametrize(
    ("expression", "fresh"),
    [
        ("up", "(up and last_over_time(up[15000ms]))"),
        ('up{a="b"}', '(up{a="b"} and last_over_time(up{a="b"}[15000ms]))'),
        ("sum by (n) (up)", "sum by (n) ((up and last_over_time(up[15000ms])))"),
        ("up * 1000", "(up and last_over_time(up[15000ms])) * 1000"),
        ("rate(up[5m])", "rate(up[5m])"),
        ("(up)", "(up)"),
    ],
)
def test_a_plain_selector_counts_only_where_it_is_young(expression, fresh) -> None:
    assert only_fresh(expression, 15_000) == fresh


@given(st.text(max_size=40) | st.text(alphabet="up{}()\"'`= ,\\sum by", max_size=40))
def test_any_text_is_taken(expression) -> None:
    fresh = only_fresh(expression, 1)
    assert (fresh == expression) == (plain_metric(expression) is None)


@pytest.mark.parametrize(
    ("expression", "types", "refused"),
    [
        ("requests_total", {}, True),
        ('requests_total{node="a"}', {}, True),
        ("sum by (node) (requests_total)", {}, True),
        ("requests", {"requests": "counter"}, True),
        ("latency_seconds_bucket", {}, True),
        ("latency_seconds_sum", {"latency_seconds": "histogram"}, True),
        ("latency_seconds_count", {"latency_seconds": "summary"}, True),
        ("requests_total", {"requests_total": "unknown"}, True),
        ("requests", {"requests": "gauge"}, False),
        ("disk_total", {"disk_total": "gauge"}, False),
        ("node_count", {}, False),
        ("node_count", {"node": "gauge"}, False),
        ("temperature", {}, False),
        ("(requests_total)", {}, False),
        ("rate(requests_total[5m])", {"requests_total": "counter"}, False),
        ("latency_seconds", {"latency_seconds": "histogram"}, False),
    ],
)
def test_a_counter_is_refused_where_it_is_read_as_it_is(expression, types, refused) -> None:
    if not refused:
        check_no_counter(expression, types.get)
        return
    with pytest.raises(UsageError) as caught:
        check_no_counter(expression, types.get)
    assert caught.value.code == "telemetry.raw_counter"
    assert "increase(" in caught.value.fix
