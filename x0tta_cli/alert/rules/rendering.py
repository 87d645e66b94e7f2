"""Writes the rules for Prometheus and the configuration for Alertmanager."""

from __future__ import annotations

from pathlib import Path

from x0tta_cli.alert.rules import documents, routing
from x0tta_cli.alert.rules.checking import findings_of
from x0tta_cli.alert.rules.model import Rendered, Rendering
from x0tta_cli.alert.rules.places import places_of, texts
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.errors import ConfigurationError, ConflictError
from x0tta_cli.core.files import check_writable, reading_errors, write_atomically

# Prometheus and Alertmanager read them as other users; no secret stands in them.
MODE = 0o644


def render(target: Path | None, settings: AlertSettings, *, dry_run: bool) -> Rendering:
    """Write both files into a folder, or one under a name of its own; without a target show them.

    What is the same already is left alone. Raises ConfigurationError `alert.bad_rules` and
    `alert.unknown_rule`, ConflictError `alert.foreign_file`, and as `files.write_atomically`.
    """
    wrong = findings_of(settings)
    if wrong:
        raise ConfigurationError(
            "alert.bad_rules",
            "The rules would not do what they are for.",
            reason="; ".join(f"{each.where}: {each.message}" for each in wrong),
            fix="Correct the configuration: x0tta alert rules check.",
        )
    composed = texts(settings)
    if target is None:
        shown = tuple(Rendered(name, "shown", text) for name, text in composed.items())
        return Rendering(shown, routing.notes(settings))
    places = list(places_of(target))
    # Looked at beforehand: with one that may not be replaced, none is written.
    standing = [_standing(path, composed[name]) for path, name in places]
    written = tuple(
        _write(path, composed[name], state, dry_run=dry_run)
        for (path, name), state in zip(places, standing, strict=True)
    )
    return Rendering(written, routing.notes(settings))


def _standing(path: Path, text: str) -> str:
    if not path.exists():
        return "created"
    with reading_errors(path):
        present = path.read_bytes()
    if present == text.encode():
        return "same"
    if present and not present.startswith(documents.HEAD.encode()):
        raise ConflictError(
            "alert.foreign_file",
            f"{path} was not written by x0tta.",
            reason="Its first line is another than render writes.",
            fix=f"Name another file, or move it away: mv {path} {path}.before",
            context={"file": str(path)},
        )
    return "changed"


def _write(path: Path, text: str, state: str, *, dry_run: bool) -> Rendered:
    if state == "same":
        return Rendered(str(path), state)
    if dry_run:
        check_writable(path)
        return Rendered(str(path), state, would_change=True)
    write_atomically(path, text, mode=MODE)
    return Rendered(str(path), state)
