"""Reads target.json: where an incident was seen, and what is recorded as its cause."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from x0tta_cli.core import files
from x0tta_cli.core.errors import UsageError
from x0tta_cli.telemetry.instants import parse_instant

MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Symptom:
    """Where and when trouble was noticed; what was not recorded is empty or None."""

    node: str
    metric: str = ""
    statistic: str = ""
    instant: float | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What is recorded about an incident beside its measurements."""

    symptom: Symptom | None
    truths: tuple[str, ...]


def read_target(path: Path) -> Target:
    """Read a target.json in PetShop's form.

    `target` {node, metric, agg, timestamp} and `root_cause` {node} may be missing; a root cause may
    be a name, an object with `node`, or a list of these, and a `node` may be a list of names. Other
    members are passed over. Raises UsageError `telemetry.bad_target`.
    """
    with files.reading_errors(path), path.open("rb") as stream:
        raw = stream.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise _bad_target(path, f"More than {MAX_BYTES >> 20} MiB.")
    try:
        document = json.loads(raw.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise _bad_target(path, f"{error.msg}.", line=error.lineno, column=error.colno) from None
    except (UnicodeDecodeError, RecursionError):
        raise _bad_target(path, "Not JSON in UTF-8.") from None
    if not isinstance(document, dict):
        raise _bad_target(path, "The outermost value must be an object.")
    truths = dict.fromkeys(_names(path, document.get("root_cause")))
    return Target(_symptom(path, document.get("target")), tuple(truths))


def _symptom(path: Path, target: Any) -> Symptom | None:
    if target is None:
        return None
    if not isinstance(target, dict):
        raise _bad_target(path, "'target' must be an object.")
    node = target.get("node")
    if not isinstance(node, str) or not node.strip():
        raise _bad_target(path, "'target.node' must be the name of a component.")
    words = {name: target.get(name) or "" for name in ("metric", "agg")}
    for name, word in words.items():
        if not isinstance(word, str):
            raise _bad_target(path, f"'target.{name}' must be text, not {word!r}.")
    instant = _instant(path, target.get("timestamp"))
    return Symptom(node.strip(), words["metric"].strip(), words["agg"].strip(), instant)


def _instant(path: Path, timestamp: Any) -> float | None:
    if timestamp is None:
        return None
    if isinstance(timestamp, bool) or not isinstance(timestamp, int | float | str):
        raise _bad_target(path, "'target.timestamp' must be a number or a text.")
    try:
        return parse_instant(str(timestamp))
    except ValueError as error:
        raise _bad_target(path, f"'target.timestamp': {error}") from None


def _names(path: Path, cause: Any) -> list[str]:
    if cause is None:
        return []
    if isinstance(cause, str) and cause.strip():
        return [cause.strip()]
    if isinstance(cause, list):
        return [name for item in cause for name in _names(path, item)]
    if isinstance(cause, dict):
        return _names(path, cause.get("node"))
    raise _bad_target(path, f"'root_cause' must name components, not {str(cause)[:40]!r}.")


def _bad_target(path: Path, reason: str, *, line: int = 0, column: int = 0) -> UsageError:
    place = f", line {line}, column {column}" if line else ""
    return UsageError(
        "telemetry.bad_target",
        f"{path}{place}: not the description of an incident.",
        reason=reason,
        fix='Write {"target": {"node": …, "metric": …, "agg": …, "timestamp": …}, '
        '"root_cause": {"node": …}}.',
        context={"file": str(path), **({"line": line, "column": column} if line else {})},
    )
