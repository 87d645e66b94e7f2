"""Which files there are, where they stand, and what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from x0tta_cli.alert.rules import documents, routing, shipped

if TYPE_CHECKING:
    from x0tta_cli.alert.settings import AlertSettings

RULES, ROUTING = "x0tta-rules.yml", "alertmanager.yml"


def texts(settings: AlertSettings) -> dict[str, str]:
    """Compose both files, by their usual names; raises as `shipped.groups`."""
    groups = shipped.groups(settings.rules)
    rules = documents.rules_document(groups, settings.rules.runbooks)
    return {
        RULES: documents.text_of(rules),
        ROUTING: documents.text_of(routing.document(groups, settings)),
    }


def places_of(target: Path) -> Iterator[tuple[Path, str]]:
    """Tell which files a target stands for, each with its usual name.

    A folder has both, and so has one that is still to be made: what is not there and has no suffix
    of YAML. A file named `alertmanager…` is the routing, any other the rules.
    """
    is_missing = not target.exists() and target.suffix not in {".yml", ".yaml"}
    if target.is_dir() or is_missing:
        yield from ((target / name, name) for name in (RULES, ROUTING))
    else:
        yield target, ROUTING if target.name.startswith("alertmanager") else RULES
