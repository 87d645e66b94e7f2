"""Finds recordings and incidents in a folder, without reading any measurements.

A recording is a folder with `graph.csv` (who calls whom), `noissue/metrics.csv` (healthy time) and
incidents: folders below it, at any depth up to `DEEPEST` and of any name, with `metrics.csv` and
`target.json`. A library is a folder that is a recording, or whose sub-folders are. Each CSV file
may be compressed as `.csv.xz`; where both stand side by side the plain one is read. Hidden folders
are passed over.

Nothing here imports numpy, so that listing is quick; `Library.load` and `healthy` do.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from x0tta_cli.core.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from x0tta_cli.telemetry.recordings import Incident
    from x0tta_cli.telemetry.telemetry import Telemetry

HEALTHY_FOLDER = "noissue"
DEEPEST = 4


@dataclass(frozen=True, slots=True)
class RecordingReference:
    """Where a recording lies; `identifier` is its path below the library, `.` for the root."""

    identifier: str
    folder: Path


@dataclass(frozen=True, slots=True)
class IncidentReference:
    """Where an incident lies; `identifier` is its path below the library, with `/`."""

    identifier: str
    recording: RecordingReference
    folder: Path


@dataclass(frozen=True, slots=True)
class Library:
    """The recordings below one folder."""

    root: Path

    def recordings(self) -> tuple[RecordingReference, ...]:
        """List the recordings, in natural order.

        Raises NotFoundError `telemetry.no_recording`, and what `core.files.reading_errors` raises
        for a folder that may not be read.
        """
        if _is_recording(self.root):
            return (RecordingReference(".", self.root),)
        folders = _folders(self.root) if self.root.is_dir() else []
        found = [RecordingReference(f.name, f) for f in folders if _is_recording(f)]
        if not found:
            raise NotFoundError(
                "telemetry.no_recording",
                f"{self.root}: no recording is there.",
                reason=_why_none(self.root),
                fix=f"Name a folder that holds graph.csv and {HEALTHY_FOLDER}/metrics.csv, or one "
                "above such folders.",
                context={"folder": str(self.root)},
            )
        return tuple(sorted(found, key=lambda reference: natural_key(reference.identifier)))

    def incidents(self) -> tuple[IncidentReference, ...]:
        """List the incidents of all recordings, in natural order: issue_2 before issue_10."""
        return tuple(
            IncidentReference(folder.relative_to(self.root).as_posix(), recording, folder)
            for recording in self.recordings()
            for folder in sorted(
                _incident_folders(recording.folder), key=lambda path: natural_key(path.as_posix())
            )
        )

    def find(self, identifier: str) -> IncidentReference:
        """Find an incident by its identifier, or by the end of one that no other shares.

        Raises NotFoundError `telemetry.unknown_incident` and UsageError
        `telemetry.ambiguous_incident`.
        """
        wanted = identifier.strip().removeprefix("./").strip("/")
        incidents = self.incidents()
        for incident in incidents:
            if incident.identifier == wanted:
                return incident
        candidates = [i for i in incidents if wanted and i.identifier.endswith(f"/{wanted}")]
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise UsageError(
                "telemetry.ambiguous_incident",
                f"{identifier!r} is the end of {len(candidates)} incidents' names.",
                reason=f"It may be any of {', '.join(i.identifier for i in candidates)}.",
                fix="Name it in full.",
                context={"candidates": [i.identifier for i in candidates]},
            )
        raise _unknown_incident(identifier, [incident.identifier for incident in incidents])

    def attribution(self) -> str:
        """Give the recordings' source and licence, for whatever shows them; empty where unknown.

        It is the text of `ATTRIBUTION` or `NOTICE` in the library's folder, a paragraph per line.
        """
        from x0tta_cli.core import files

        for path in (self.root / "ATTRIBUTION", self.root / "NOTICE"):
            if exists(path):
                with files.reading_errors(path):
                    return path.read_text(encoding="utf-8", errors="replace").strip()
        return ""

    def load(self, identifier: str) -> Incident:
        """Read an incident, held against its healthy recording: see `recordings.read_incident`."""
        from x0tta_cli.core import extras

        reference = self.find(identifier)
        extras.require("ml")
        from x0tta_cli.telemetry import recordings

        return recordings.read_incident(reference)

    def healthy(self, recording: str) -> Telemetry:
        """Read a recording's healthy time: see `recordings.read_healthy`.

        `recording` is `RecordingReference.identifier`, as in `Incident.healthy_identifier`.
        Raises NotFoundError `telemetry.unknown_recording`.
        """
        from x0tta_cli.core import extras

        known = self.recordings()
        for reference in known:
            if reference.identifier == recording:
                extras.require("ml")
                from x0tta_cli.telemetry import recordings

                return recordings.read_healthy(reference)
        raise NotFoundError(
            "telemetry.unknown_recording",
            f"There is no recording {recording!r} in {self.root}.",
            reason=f"There are {', '.join(reference.identifier for reference in known)}.",
            fix="Name one of these.",
            context={"recording": recording},
        )


def packaged_library() -> Library:
    """Open the copy of the PetShop recordings that comes with x0tta (CC-BY-4.0, see its README)."""
    return Library(Path(__file__).parent / "data" / "petshop")


def csv_file(folder: Path, stem: str) -> Path | None:
    """Find `stem.csv` or `stem.csv.xz` in a folder; the plain one first."""
    for suffix in (".csv", ".csv.xz"):
        path = folder / f"{stem}{suffix}"
        if exists(path):
            return path
    return None


def exists(path: Path) -> bool:
    """Say whether a path is there, with the house's errors where it may not be looked at."""
    from x0tta_cli.core import files

    with files.reading_errors(path):
        return path.exists()


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Order names as people count: digits by their value, path by path."""
    parts = re.split(r"([0-9]+)", text.replace("/", "\0"))
    return tuple(
        (1, int(part), part) if number % 2 else (0, 0, part) for number, part in enumerate(parts)
    )


def _is_recording(folder: Path) -> bool:
    return csv_file(folder, "graph") is not None or (
        csv_file(folder / HEALTHY_FOLDER, "metrics") is not None
    )


def _folders(folder: Path) -> list[Path]:
    from x0tta_cli.core import files

    with files.reading_errors(folder):
        return [
            Path(entry.path)
            for entry in os.scandir(folder)
            if entry.is_dir() and not entry.name.startswith(".")
        ]


def _incident_folders(recording: Path) -> Iterator[Path]:
    pending = [(folder, 1) for folder in _folders(recording) if folder.name != HEALTHY_FOLDER]
    # A link may lead back up: no folder counts twice.
    seen = {recording.resolve()}
    while pending:
        folder, depth = pending.pop()
        if folder.resolve() in seen:
            continue
        seen.add(folder.resolve())
        # One of the two is enough to be listed, so that loading can say what is missing.
        if csv_file(folder, "metrics") is not None or exists(folder / "target.json"):
            yield folder
        if depth < DEEPEST:
            pending.extend((below, depth + 1) for below in _folders(folder))


def _why_none(root: Path) -> str:
    if not exists(root):
        return "The folder does not exist."
    if not root.is_dir():
        return "It is not a folder."
    return f"Neither it nor a folder in it holds graph.csv or {HEALTHY_FOLDER}/metrics.csv."


def _unknown_incident(identifier: str, known: list[str]) -> NotFoundError:
    import difflib

    close = difflib.get_close_matches(identifier, known, n=1, cutoff=0.5)
    return NotFoundError(
        "telemetry.unknown_incident",
        f"There is no incident {identifier!r}.",
        reason=f"Did you mean {close[0]!r}?" if close else f"{len(known)} incidents are known.",
        fix="`x0tta drill list` shows them all.",
        context={"incident": identifier},
    )
