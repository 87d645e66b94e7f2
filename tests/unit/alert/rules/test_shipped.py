"""The shipped rules under promtool: each in seven situations."""

from __future__ import annotations

import shutil
import subprocess

import pytest
import yaml
from unit.alert.rules.situations import SEVEN, SITUATIONS, Situation

from x0tta_cli.alert.rules import documents, shipped
from x0tta_cli.alert.rules.settings import RuleSettings

pytestmark = pytest.mark.slow

OF_A_RULE = {"enabled", "severity", "threshold", "after", "window", "period", "minimum"}


def settings_of(rule: str, situation: Situation) -> RuleSettings:
    own = {key: value for key, value in situation.change.items() if key not in OF_A_RULE}
    change = {key: value for key, value in situation.change.items() if key in OF_A_RULE}
    return RuleSettings.model_validate(
        {"change": {rule: {k: iso(v) for k, v in change.items()}}}
        | {key: iso(value) for key, value in own.items()}
    )


def iso(value: object) -> object:
    return f"PT{value.upper()}" if isinstance(value, str) and value[0].isdigit() else value


def played(rule: str, situation: Situation) -> dict[str, object]:
    return {
        "interval": "1m",
        "input_series": [
            {"series": name, "values": values} for name, values in situation.series.items()
        ],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{rule}",alertstate="firing"}}) or vector(0)',
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": "{}", "value": count}],
            }
            for minute, count in sorted(situation.fires.items())
        ],
    }


def promtool(folder, settings: RuleSettings, tests: list[dict[str, object]]):
    rules = documents.rules_document(shipped.groups(settings), None)
    (folder / "rules.yml").write_text(documents.text_of(rules))
    (folder / "tests.yml").write_text(
        yaml.safe_dump({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests})
    )
    return subprocess.run(
        [shutil.which("promtool") or "promtool", "test", "rules", "tests.yml"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("rule", SITUATIONS)
def test_a_rule_says_what_it_should_in_every_situation(rule, tmp_path):
    situations = SITUATIONS[rule]()
    assert set(SEVEN) <= set(situations)
    as_shipped = [each for each in situations.values() if not each.change]
    ended = promtool(tmp_path, RuleSettings(), [played(rule, each) for each in as_shipped])
    for name, situation in situations.items():
        if situation.change or ended.returncode:
            alone = promtool(tmp_path, settings_of(rule, situation), [played(rule, situation)])
            assert alone.returncode == 0, f"{rule}, {name}:\n{alone.stdout}{alone.stderr}"
    assert ended.returncode == 0


def test_every_shipped_rule_is_played():
    assert set(SITUATIONS) == {rule.name for rule in shipped.SHIPPED}


def test_a_wrong_expectation_is_noticed(tmp_path):
    situation = Situation({"other": "1x9"}, {5: 2})
    ended = promtool(tmp_path, RuleSettings(), [played("Watchdog", situation)])
    assert ended.returncode == 1


def test_increase_alone_misses_what_is_born_at_its_first_value(tmp_path):
    """Why `events` has a second half: see expressions.py."""
    situation = SITUATIONS["RecoveryFailed"]()["born at its first value after a restart"]
    document = documents.rules_document(shipped.groups(RuleSettings()), None)
    name = "x0tta_mesh_recovery_failures_total"
    [rule] = [r for g in document["groups"] for r in g["rules"] if r["alert"] == "RecoveryFailed"]
    rule["expr"] = f"increase({name}[30m]) > 0"
    (tmp_path / "rules.yml").write_text(documents.text_of(document))
    tests = {"rule_files": ["rules.yml"], "evaluation_interval": "1m"}
    tests["tests"] = [played("RecoveryFailed", situation)]
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(tests))
    ended = subprocess.run(
        ["promtool", "test", "rules", "tests.yml"], cwd=tmp_path, capture_output=True, check=False
    )
    assert ended.returncode == 1


def test_a_series_that_is_expected_and_absent_is_told(tmp_path):
    settings = RuleSettings.model_validate({"expects": ['up{job="cart"}']})
    there = Situation({'up{job="cart"}': "1x60"}, {30: 0})
    missing = Situation({'up{job="shop"}': "1x60"}, {5: 0, 30: 1})
    ended = promtool(tmp_path, settings, [played("SeriesAbsent", s) for s in (there, missing)])
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_metric_names_of_ones_own_are_used(tmp_path):
    metrics = {
        "requests": 'istio_requests_total{reporter="source"}',
        "failed_requests": 'istio_requests_total{response_code=~"5..",reporter="source"}',
    }
    settings = RuleSettings.model_validate({"metrics": metrics, "by": ["app", "zone"]})
    labels = 'app="cart",zone="a",reporter="source"'
    situation = Situation(
        {
            f'istio_requests_total{{{labels},response_code="200"}}': "0+900x60",
            f'istio_requests_total{{{labels},response_code="503"}}': "0+100x60",
        },
        {20: 1},
    )
    ended = promtool(tmp_path, settings, [played("ErrorRate", situation)])
    assert ended.returncode == 0, ended.stdout + ended.stderr
