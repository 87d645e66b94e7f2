"""What an attach command asks for, as the journal keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from x0tta_cli.core.times import format_instant
from x0tta_cli.ebpf.model import Mode
from x0tta_cli.ebpf.modes import AUTO
from x0tta_cli.ebpf.pins import DEFAULT_FILESYSTEM


class AttachRequest(NamedTuple):
    """Which program on which interfaces, and how.

    `program` is a shipped program's name, or the path of an object or source. `lasts` is None for
    good. `replace` is the id of the program that may be replaced. `holding` is `auto`, `link` or
    `netlink`.
    """

    interfaces: tuple[str, ...]
    program: str | Path
    mode: str = AUTO
    at_least: Mode | None = None
    replace: int | None = None
    lasts: timedelta | None = None
    netns: str | None = None
    parameters: Mapping[str, str] = MappingProxyType({})
    keep: tuple[str, ...] = ()
    strict: bool = False
    filesystem: Path = DEFAULT_FILESYSTEM
    holding: str = "auto"
    check_again: timedelta = timedelta(seconds=60)

    @property
    def file(self) -> str:
        """Where the program is, for tools that know no names of ours."""
        if isinstance(self.program, Path):
            return str(self.program)
        return str(Path(__file__).with_name("objects") / f"{self.program}.bpf.o")

    def as_plan(self) -> dict[str, object]:
        """Write it for the journal; `request_from` reads it back."""
        until = None
        if self.lasts is not None:
            until = format_instant(datetime.now(UTC) + self.lasts)
        return {
            "interfaces": list(self.interfaces),
            "program": str(self.program),
            "is_file": isinstance(self.program, Path),
            "mode": self.mode,
            "at_least": self.at_least.value if self.at_least else None,
            "replace": self.replace,
            "until": until,
            "netns": self.netns,
            "parameters": dict(self.parameters),
            "keep": list(self.keep),
            "strict": self.strict,
            "filesystem": str(self.filesystem),
            "holding": self.holding,
            "check_again_s": self.check_again.total_seconds(),
        }


def request_from(plan: Mapping[str, Any], now: datetime) -> AttachRequest | None:
    """Read a request from the journal; None where its time is over."""
    lasts = None
    if plan["until"] is not None:
        lasts = datetime.fromisoformat(plan["until"]) - now
        if lasts <= timedelta(0):
            return None
    return AttachRequest(
        interfaces=tuple(plan["interfaces"]),
        program=Path(plan["program"]) if plan["is_file"] else plan["program"],
        mode=plan["mode"],
        at_least=Mode(plan["at_least"]) if plan["at_least"] else None,
        replace=plan["replace"],
        lasts=lasts,
        netns=plan["netns"],
        parameters=plan["parameters"],
        keep=tuple(plan["keep"]),
        strict=plan["strict"],
        filesystem=Path(plan["filesystem"]),
        holding=plan["holding"],
        check_again=timedelta(seconds=plan["check_again_s"]),
    )
