"""What `--version` says in each form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from x0tta_cli import __version__
from x0tta_cli.terminal import output
from x0tta_cli.terminal.blocks import Block, Text
from x0tta_cli.terminal.session import Session


@dataclass(frozen=True, slots=True)
class Version:
    """Which x0tta this is."""

    version: str


def show_version(session: Session) -> None:
    """Write the version in the form that was asked for."""
    output.check_fields(session.fields, version)
    output.show(version(), session, _line)


def version() -> Version:
    """Tell which x0tta this is."""
    return Version(__version__)


def _line(result: Version) -> Iterator[Block]:
    yield Text(f"x0tta {result.version}")
