"""`x0tta bundle`: what a maintainer needs, in one file that you can look into before it goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from x0tta_cli.terminal.arguments import since_when
from x0tta_cli.terminal.command import (
    App,
    Block,
    Cell,
    Column,
    Facts,
    Table,
    Text,
    Tone,
    configuration,
    progress,
)

if TYPE_CHECKING:
    from x0tta_cli.terminal.collecting import Collector, Wanted

app = App("Collect what a maintainer needs into one file, without secrets.", single=True)

SUFFIXES = (".tar.gz", ".tgz")
TONE_OF: dict[str, Tone] = {"collected": "good", "nothing there": "dim", "failed": "warning"}
NEVER_COLLECTED = (
    "values of secrets",
    "values of environment variables",
    "configuration files themselves",
    "recordings and reports",
)


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a bundle, or a collector that had none; `state` says which."""

    collector: str
    name: str
    state: str
    size_bytes: int
    reason: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was collected and what not; `file` is None for a preview, which writes nothing."""

    file: Path | None
    size_bytes: int
    created_at: datetime
    since: datetime
    version: str
    command: str
    items: tuple[Item, ...]
    never_collected: tuple[str, ...] = NEVER_COLLECTED

    @property
    def rows(self) -> tuple[Item, ...]:
        """What a table or CSV shows: the items."""
        return self.items


def blocks(bundle: Bundle) -> Iterator[Block]:
    """Lay out what was collected, and say that nothing was sent."""
    yield Table(
        [Column("FILE"), Column("STATE"), Column("BYTES", "right"), Column("WHY")],
        [
            (item.name, Cell(item.state, TONE_OF[item.state]), item.size_bytes, item.reason)
            for item in bundle.items
        ],
    )
    yield Facts([("since", bundle.since), ("never", ", ".join(bundle.never_collected))])
    if bundle.file is None:
        yield Text("A preview: nothing was written.")
        return
    failed = [item.name for item in bundle.items if item.state == "failed"]
    if failed:
        yield Text(f"warning: {', '.join(failed)} could not be collected.", "warning")
    yield Text(f"Written to {bundle.file} ({bundle.size_bytes} bytes), and sent to nobody.", "good")
    yield Text(f"Look into it before you pass it on: tar -xzOf {bundle.file} | less", "dim")


@app.command(
    view=blocks,
    examples=[
        "x0tta bundle --preview  # what would be collected",
        "x0tta bundle",
        "x0tta bundle trouble.tar.gz --since 2h",
    ],
)
def bundle(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE.tar.gz", help="File to write; without it, one named by the time."
        ),
    ] = None,
    since: Annotated[
        str,
        typer.Option(
            "--since", metavar="WHEN", help="From when on: 2h ago, or 2026-11-25T10:00:00Z."
        ),
    ] = "24h",
    preview: Annotated[
        bool, typer.Option("--preview", help="Show what would be collected, and write nothing.")
    ] = False,
) -> Bundle:
    """Collect what a maintainer needs into one file, without secrets.

    Versions, the configuration with the origin of each value, what the doctor finds, the journal,
    crash files, logs, and a manifest of what was collected and what could not be. Nothing is
    sent: the file is yours to look into. Only you can read it.
    """
    from dataclasses import replace
    from datetime import UTC

    from x0tta_cli.core import files
    from x0tta_cli.terminal.collecting import Wanted, know_secrets

    now = datetime.now(UTC)
    wanted = Wanted(configuration(), since_when(since, now), now)
    target = files.absolute(file or Path(f"x0tta-bundle-{now:%Y%m%dT%H%M%SZ}.tar.gz"))
    _check_name(target)
    if not preview:
        files.check_writable(target)
    know_secrets()
    manifest, contents = _collected(wanted)
    if preview:
        return manifest
    data = _archive(target, manifest, contents)
    _write(target, data)
    return replace(manifest, file=target, size_bytes=len(data))


def _check_name(target: Path) -> None:
    from x0tta_cli.core.errors import UsageError

    if not target.name.endswith(SUFFIXES):
        raise UsageError(
            "bundle.unknown_form",
            f"{target.name} is no name for a bundle.",
            reason="A bundle is a compressed archive.",
            fix=f"x0tta bundle {target.name}.tar.gz",
        )


def _collected(wanted: Wanted) -> tuple[Bundle, dict[str, bytes]]:
    """Run all collectors; the files that they gave by name."""
    import shlex
    import sys

    from x0tta_cli import __version__
    from x0tta_cli.core.secrets import redact
    from x0tta_cli.terminal.collecting import COLLECTORS

    contents: dict[str, bytes] = {}
    items: list[Item] = []
    for collector in COLLECTORS:
        with progress().stage(collector.name):
            items += _collect(collector, wanted, contents)
    line = redact(shlex.join(sys.argv))
    return Bundle(None, 0, wanted.now, wanted.since, __version__, line, tuple(items)), contents


def _collect(collector: Collector, wanted: Wanted, contents: dict[str, bytes]) -> list[Item]:
    """Run one collector; what it gave before it failed is kept, and what failed it as well."""
    import traceback

    from x0tta_cli.core.errors import OperatorError
    from x0tta_cli.core.secrets import redact
    from x0tta_cli.terminal.collecting import NothingThereError

    items: list[Item] = []
    try:
        for name, text in collector.collect(wanted):
            data = redact(text).encode(errors="backslashreplace")
            contents[name] = data
            items.append(Item(collector.name, name, "collected", len(data), ""))
    except NothingThereError as nothing:
        items.append(Item(collector.name, collector.name, "nothing there", 0, str(nothing)))
    except Exception as error:  # noqa: BLE001 - one collector must not lose the others
        name = f"errors/{collector.name}.txt"
        data = redact("".join(traceback.format_exception(error))).encode(errors="backslashreplace")
        contents[name] = data
        words = (
            f"{error} {error.reason}"
            if isinstance(error, OperatorError)
            else f"{type(error).__name__}: {error}"
        )
        items.append(Item(collector.name, collector.name, "failed", 0, redact(words)))
        items.append(Item(collector.name, name, "collected", len(data), "what it failed with"))
    return items


def _archive(target: Path, manifest: Bundle, contents: dict[str, bytes]) -> bytes:
    """Pack everything below one folder that bears the file's name."""
    import io
    import json
    import tarfile

    from x0tta_cli.terminal.records import plain

    members = {
        name: value for name, value in plain(manifest).items() if name not in {"file", "size_bytes"}
    }
    told = json.dumps(members, indent=2, ensure_ascii=False) + "\n"
    folder = target.name.removesuffix(".gz").removesuffix(".tar").removesuffix(".tgz")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        manifest_data = told.encode(errors="backslashreplace")
        for name, data in {"manifest.json": manifest_data, **contents}.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mode = len(data), 0o600
            entry.mtime = manifest.created_at.timestamp()
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _write(target: Path, data: bytes) -> None:
    """Write the file for its owner alone, also where an older one let others read it."""
    from x0tta_cli.core import files

    if target.is_file():
        with files.reading_errors(target):
            target.chmod(0o600)
    files.write_atomically(target, data, mode=0o600)
