"""Notices as the outbox keeps them: JSON without secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from x0tta_cli.core.notices import Explanation, Notice, Severity
from x0tta_cli.core.secrets import redact
from x0tta_cli.core.times import format_instant


def written(notice: Notice) -> str:
    """Write a notice down; secrets in its texts are taken out."""
    told = notice.explanation
    members: dict[str, Any] = {
        "name": notice.name,
        "severity": notice.severity.value,
        "labels": dict(notice.labels),
        "annotations": dict(notice.annotations),
        "starts_at": format_instant(notice.starts_at),
        "ends_at": format_instant(notice.ends_at) if notice.ends_at else None,
        "explanation": [told.observed, told.inferred, told.unknown],
        "source_url": notice.source_url,
        "runbook_url": notice.runbook_url,
    }
    return json.dumps(_redacted(members), ensure_ascii=False)


def read(text: str) -> Notice:
    """Read a notice that `written` wrote; raises ValueError and KeyError for anything else."""
    members: Mapping[str, Any] = json.loads(text)
    observed, inferred, unknown = members["explanation"]
    return Notice(
        name=members["name"],
        severity=Severity(members["severity"]),
        labels=members["labels"],
        annotations=members["annotations"],
        starts_at=datetime.fromisoformat(members["starts_at"]),
        ends_at=datetime.fromisoformat(members["ends_at"]) if members["ends_at"] else None,
        explanation=Explanation(tuple(observed), tuple(inferred), tuple(unknown)),
        source_url=members["source_url"],
        runbook_url=members["runbook_url"],
    )


def _redacted(value: Any) -> Any:
    # Unlike `json_form` this looks at texts alone: a label may be called 'token' and be none.
    if isinstance(value, str):
        return redact(value).encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {str(name): _redacted(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    return value
