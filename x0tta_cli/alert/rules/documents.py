"""The texts of files: rules for Prometheus, routing for Alertmanager; and how rules are read.

Sources: https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/ and
https://prometheus.io/docs/alerting/latest/configuration/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from x0tta_cli.alert.rules import expressions as promql
from x0tta_cli.alert.rules.model import Rule, RuleGroup, WrittenRule
from x0tta_cli.core.errors import UsageError
from x0tta_cli.core.files import reading_errors

# The first line of a file tells whether it may be replaced.
HEAD = (
    "# Written by `x0tta alert rules render`: what is changed by hand is lost with the next one.\n"
)


def text_of(document: Mapping[str, Any]) -> str:
    """Write a document as YAML, keys in their order and long texts as blocks."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes texts of several lines as a block."""

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's
            return True

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    written = yaml.dump(
        dict(document), Dumper=Dumper, sort_keys=False, width=96, allow_unicode=True
    )
    return HEAD + str(written)


def rules_document(groups: Sequence[RuleGroup], runbooks: str | None) -> dict[str, Any]:
    """Write rules as Prometheus' rule file has them."""
    return {
        "groups": [
            {"name": group.name, "rules": [_rule(rule, runbooks) for rule in group.rules]}
            for group in groups
        ]
    }


def read_rules(path: Path) -> list[WrittenRule]:
    """Read the alerts of a rule file; raises UsageError `alert.bad_rule_file`, and `files.*`."""
    document = read_yaml(path)
    try:
        return list(written(document["groups"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise bad_file(path, f"It is no rule file: {type(error).__name__}: {error}.") from error


def read_yaml(path: Path) -> Any:
    """Read a YAML file; raises as `read_rules`."""
    import yaml

    with reading_errors(path):
        content = path.read_bytes()
    try:
        return yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise bad_file(path, f"It is no YAML: {error}".replace("\n", " ")) from error


def bad_file(path: Path, reason: str) -> UsageError:
    """Word that a file can't be used."""
    return UsageError(
        "alert.bad_rule_file",
        f"{path} can't be read as rules.",
        reason=reason,
        fix="promtool check rules says more; x0tta alert rules render writes it anew.",
        context={"file": str(path)},
    )


def _rule(rule: Rule, runbooks: str | None) -> dict[str, Any]:
    written: dict[str, Any] = {"alert": rule.name, "expr": rule.expression}
    if rule.after:
        written["for"] = promql.duration(rule.after)
    written["labels"] = {"severity": rule.severity.value, **rule.labels}
    written["annotations"] = {
        "summary": rule.summary,
        "description": rule.description,
        "runbook": rule.runbook,
        **({"runbook_url": f"{runbooks}{rule.name}"} if runbooks else {}),
    }
    return written


def written(groups: Any) -> Iterator[WrittenRule]:
    for group in groups:
        for rule in group.get("rules") or ():
            if "alert" in rule:
                yield WrittenRule(
                    group=str(group["name"]),
                    name=str(rule["alert"]),
                    expression=str(rule["expr"]),
                    after=read_duration(str(rule.get("for", "0s"))),
                    labels={str(k): str(v) for k, v in (rule.get("labels") or {}).items()},
                    annotations={
                        str(k): str(v) for k, v in (rule.get("annotations") or {}).items()
                    },
                )


def read_duration(text: str) -> timedelta:
    """Read a duration of Prometheus' (1h30m, 500ms, 1w); raises ValueError."""
    import re

    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "y": 31_536_000}
    parts = re.findall(r"(\d+)(ms|[smhdwy])", text)
    if "".join(map("".join, parts)) != text and text != "0":
        raise ValueError(f"'{text}' is no duration")
    return timedelta(seconds=sum(int(count) * units[unit] for count, unit in parts))
