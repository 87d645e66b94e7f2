"""Compares the rules as configured with a file, or with what a Prometheus runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from x0tta_cli.alert.rules import documents, routing, shipped
from x0tta_cli.alert.rules import expressions as promql
from x0tta_cli.alert.rules.model import Comparison, Difference, WrittenRule
from x0tta_cli.alert.rules.places import RULES, places_of
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.errors import UnavailableError
from x0tta_cli.core.http import Client, Response

PREFIX = "x0tta-"
RULES_PATH = "/api/v1/rules?type=alert"
_TEXT_OR_SPACE = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|\s+""")


def with_files(target: Path, settings: AlertSettings) -> Comparison:
    """Compare with what stands on the disk; raises as `documents.read_rules`."""
    found: list[Difference] = []
    for path, name in places_of(target):
        if name == RULES:
            found += _rules(str(path), _own(settings), documents.read_rules(path))
        else:
            wanted = routing.document(shipped.groups(settings.rules), settings)
            found += _values(str(path), "", wanted, documents.read_yaml(path))
    return Comparison(str(target), tuple(found))


def with_prometheus(url: str, settings: AlertSettings) -> Comparison:
    """Compare with what a Prometheus runs in groups of our names.

    Raises UnavailableError `alert.rules_unavailable`, UsageError `http.bad_url`, and what the
    client raises.
    """
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    with Client(f"{parts.scheme}://{parts.netloc}{path}") as client:
        response = client.request("GET", RULES_PATH)
        there = client.base_url
    own = [rule for rule in _running(response, there) if rule.group.startswith(PREFIX)]
    return Comparison(there, tuple(_rules(there, _own(settings), own)))


def _own(settings: AlertSettings) -> list[WrittenRule]:
    document = documents.rules_document(shipped.groups(settings.rules), settings.rules.runbooks)
    return list(documents.written(document["groups"]))


def _running(response: Response, url: str) -> list[WrittenRule]:
    try:
        groups = response.json()["data"]["groups"]
        return [_running_rule(group, rule) for group in groups for rule in group["rules"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnavailableError(
            "alert.rules_unavailable",
            f"{url} does not tell its rules.",
            reason=f"Reading its answer (status {response.status}): "
            f"{type(error).__name__}: {error}.",
            fix="See whether the URL is Prometheus' own (with its --web.route-prefix).",
            context={"url": url},
        ) from error


def _running_rule(group: Mapping[str, Any], rule: Mapping[str, Any]) -> WrittenRule:
    return WrittenRule(
        group=str(group["name"]),
        name=str(rule["name"]),
        expression=str(rule["query"]),
        after=timedelta(seconds=float(rule["duration"])),
        labels=rule["labels"],
        annotations=rule["annotations"],
    )


def _rules(
    where: str, here: Sequence[WrittenRule], there: Sequence[WrittenRule]
) -> Iterator[Difference]:
    known = {_identity(rule): rule for rule in there}
    for rule in here:
        other = known.pop(_identity(rule), None)
        if other is None:
            yield Difference(where, rule.name, "missing")
        else:
            yield from _fields(where, rule, other)
    for rule in known.values():
        yield Difference(where, rule.name, "extra")


def _identity(rule: WrittenRule) -> tuple[str, str]:
    return rule.name, rule.labels.get("metric", "")


def _fields(where: str, here: WrittenRule, there: WrittenRule) -> Iterator[Difference]:
    pairs: dict[str, tuple[str, str]] = {
        "expr": (here.expression, there.expression),
        "for": (promql.duration(here.after), promql.duration(there.after)),
    }
    for name in ("labels", "annotations"):
        ours, theirs = getattr(here, name), getattr(there, name)
        for key in dict.fromkeys((*ours, *theirs)):
            pairs[f"{name}.{key}"] = ours.get(key, ""), theirs.get(key, "")
    for field, (ours, theirs) in pairs.items():
        if _plain(ours) != _plain(theirs):
            yield Difference(where, here.name, "changed", field, ours, theirs)


def _values(where: str, path: str, here: Any, there: Any) -> Iterator[Difference]:
    """Compare documents, member by member."""
    if isinstance(here, Mapping) and isinstance(there, Mapping):
        for key in dict.fromkeys((*here, *there)):
            inner = f"{path}.{key}" if path else str(key)
            yield from _values(where, inner, here.get(key), there.get(key))
    elif isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        for number, (ours, theirs) in enumerate(zip(here, there, strict=True)):
            yield from _values(where, f"{path}[{number}]", ours, theirs)
    elif here != there:
        what = "missing" if there is None else "extra" if here is None else "changed"
        yield Difference(where, "", what, path, _shown(here), _shown(there))


def _shown(value: Any) -> str:
    return "" if value is None else str(value)


def _plain(text: str) -> str:
    """Take out the white space between words, which Prometheus sets by itself."""
    return _TEXT_OR_SPACE.sub(lambda found: found[1] or "", text)
