"""A live view: on a terminal each round of a stream takes the place of the one before.

    return Rounds([one] for one in ranked(interface))

Piped, in another form than a table, or where the cursor can't be moved, the items come one after
the other as those of any stream.

Sequences: ECMA-48 (CUP, ED, EL), and DECAWM, which every terminal since the VT100 knows. The
alternate screen is not used: what stood there is scrolled up, and the last state stays.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Generic, TypeVar

from x0tta_cli.core.errors import OperatorError
from x0tta_cli.terminal import streams
from x0tta_cli.terminal.blocks import Block
from x0tta_cli.terminal.layout import Style, lay_out
from x0tta_cli.terminal.session import Session

Item = TypeVar("Item")

HOME = "\033[H"
ERASE_LINE = "\033[2K"
ERASE_BELOW = "\033[J"
# A line that turns out wider than the terminal is cut, so that one line is one row.
WRAP_OFF, WRAP_ON = "\033[?7l", "\033[?7h"
# The terminal's size has changed; the process goes on after the shell has had the terminal.
TO_DRAW_AGAIN = (signal.SIGWINCH, signal.SIGCONT)


class Rounds(Iterator[Item], Generic[Item]):
    """A stream whose items come in rounds, each of which is the state of something by itself."""

    def __init__(self, rounds: Iterable[Sequence[Item]]) -> None:
        self.rounds = iter(rounds)
        self._left: Iterator[Item] = iter(())

    def __next__(self) -> Item:
        """Give the next item, of whichever round."""
        while True:
            for item in self._left:
                return item
            self._left = iter(next(self.rounds))


def is_wanted(session: Session) -> bool:
    """Whether rounds are redrawn: a table, on a terminal that can move its cursor.

    A command whose stream has only what changed may ask, and give whole states instead.
    """
    return (
        session.output in {"table", "wide"}
        and streams.is_terminal(sys.stdout)
        and os.environ.get("TERM") not in {None, "", "dumb"}
    )


def redraw(frames: Iterable[Sequence[Block]], style: Callable[[], Style]) -> None:
    """Draw each frame over the last; errors as in `streams.write`.

    `style` is asked before each drawing, as the terminal's width may have changed.
    """
    picture = _Picture(style)
    with _calling(picture.draw):
        try:
            for blocks in frames:
                picture.show(blocks)
        finally:
            picture.leave()


class _Picture:
    """What is drawn, from the terminal's upper left corner on."""

    def __init__(self, style: Callable[[], Style]) -> None:
        self._style = style
        self._blocks: Sequence[Block] | None = None
        self._is_drawing = False
        self._is_outdated = False

    def show(self, blocks: Sequence[Block]) -> None:
        """Draw this frame; the first one scrolls up what the terminal showed until now."""
        if self._blocks is None:
            streams.write("\n" * _rows())
        self._blocks = blocks
        self.draw()

    def draw(self) -> None:
        """Draw the present frame; also in a signal handler, which may come while it is drawn."""
        self._is_outdated = True
        if self._is_drawing or self._blocks is None:
            return
        self._is_drawing = True
        try:
            while self._is_outdated:
                self._is_outdated = False
                style = self._style()
                lines = _cropped(list(lay_out(self._blocks, style)), _rows() - 1, style)
                drawn = "".join(f"{ERASE_LINE}{line}\n" for line in lines)
                streams.write(f"{WRAP_OFF}{HOME}{drawn}{ERASE_BELOW}{WRAP_ON}", flush=True)
        finally:
            self._is_drawing = False

    def leave(self) -> None:
        """Leave the last frame and the cursor below it, without the ^C that the terminal wrote."""
        if self._blocks is not None:
            # Where the terminal has gone, the reason why the view ends is what matters.
            with suppress(OperatorError, streams.OutputClosedError):
                streams.write(f"{WRAP_ON}\r{ERASE_LINE}", flush=True)


def _cropped(lines: list[str], rows: int, style: Style) -> list[str]:
    """Cut what is higher than the terminal, and say so in the last row."""
    if len(lines) <= rows:
        return lines
    kept = max(0, rows - 1)
    told = f"… {len(lines) - kept} more lines do not fit the height of this terminal"
    return [*lines[:kept], style.paint(told, "dim")][:rows]


def _rows() -> int:
    """Rows of the terminal behind standard output; 24 where it does not tell."""
    try:
        return int(os.environ["LINES"])
    except (KeyError, ValueError):
        pass
    try:
        return os.get_terminal_size(sys.stdout.fileno()).lines or 24
    except OSError:
        return 24


@contextmanager
def _calling(draw: Callable[[], None]) -> Iterator[None]:
    def handle(_number: int, _frame: FrameType | None) -> None:
        draw()

    before = {number: signal.signal(number, handle) for number in TO_DRAW_AGAIN}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
