"""What a table of command lines is made of; see `tests/cli/test_every_command.py`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from command_lines.terminals import Ended, cold, run_piped
from command_lines.warm import warm

X0TTA = str(Path(sys.executable).with_name("x0tta"))


@dataclass(slots=True)
class Place:
    """A machine of a line's own: a home, its environment, and words that the line names by `{}`."""

    folder: Path
    environment: dict[str, str]
    words: dict[str, str] = field(default_factory=dict)

    def configure(self, text: str) -> None:
        """Write the user's configuration."""
        file = self.folder / ".config" / "x0tta" / "config.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, *line: str, **variables: str) -> Ended:
        """Run a program there, by its whole command line; what readies a place starts warm."""
        start = warm if line[0] == X0TTA else cold
        return run_piped(line, self.environment | variables, start=start)


@contextmanager
def as_it_is(place: Place) -> Iterator[None]:
    """Ready nothing: a new home is enough."""
    yield


@dataclass(frozen=True, slots=True)
class Line:
    """A command line below `x0tta`, without -o, and how it ends in every form.

    `{folder}` in it is the line's own folder, `{name}` one of the place's `words`. `around` readies
    the place and clears up, also servers. `code` is the error's; `answers` where a failure prints
    its result none the less. `streams` where stdout is JSON Lines, `silent` where it is empty. A
    command that does not end by itself is sent SIGTERM when it wrote `stop_after`, or `stop_when`
    says that it has come so far. `varies` where what is found differs from run to run by more than
    values. `extra` names what a base install misses for it.
    """

    words: str
    status: int = 0
    code: str = ""
    around: Callable[[Place], AbstractContextManager[None]] = as_it_is
    answers: bool = False
    silent: bool = False
    streams: bool = False
    stop_after: str = ""
    stop_when: Callable[[Place], bool] | None = None
    varies: bool = False
    slow: bool = False
    extra: str = ""

    def arguments(self, place: Place) -> list[str]:
        """Give its words, the folder and the place's own filled in."""
        return [
            word.format(folder=place.folder, **place.words)
            if "{" in word and not word.startswith("{ ")
            else word
            for word in self.words.split(" ")
        ]

    def stop(self, place: Place) -> Callable[[bytes], bool] | None:
        """Say by what it wrote whether it may be stopped; None where it ends by itself."""
        if self.stop_when is not None:
            stop_when = self.stop_when
            return lambda _written: stop_when(place)
        if self.stop_after:
            return lambda written: self.stop_after.encode() in written
        return None


@dataclass(frozen=True, slots=True)
class Lines:
    """The two lines that every command has at least."""

    success: Line
    failure: Line


def all_lines() -> dict[str, Lines]:
    """Read the tables of all files of this folder, by command path below x0tta."""
    found: dict[str, Lines] = {}
    for file in sorted(Path(__file__).parent.glob("*.py")):
        found |= getattr(import_module(f"command_lines.{file.stem}"), "LINES", {})
    return found
