"""A terminal's screen: what a person sees after some output, and what has scrolled away above.

Knows the few control sequences that x0tta uses, as ECMA-48 and xterm's ctlseqs describe them, and
refuses all others. Every character is one cell wide.
"""

from __future__ import annotations

import re

TOKEN = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|([\s\S])")


class Screen:
    """Rows and columns of characters, and a cursor."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self.lines = [""] * rows
        self.scrolled_away: list[str] = []
        self.row = self.column = 0
        self.wraps = True

    @property
    def text(self) -> str:
        """What is on the screen, without what is empty below."""
        return "\n".join(line.rstrip() for line in self.lines).rstrip("\n")

    def resize(self, rows: int, columns: int) -> None:
        """Be of another size: as in xterm, what is outside is cut."""
        self.lines = [line[:columns] for line in self.lines[:rows]]
        self.lines += [""] * (rows - len(self.lines))
        self.rows, self.columns = rows, columns
        self.row, self.column = min(self.row, rows - 1), min(self.column, columns - 1)

    def feed(self, output: str) -> None:
        """Do what the output of a program says."""
        for found in TOKEN.finditer(output):
            parameters, command, character = found.groups()
            if command:
                self._command(f"{parameters}{command}")
            elif character == "\r":
                self.column = 0
            elif character == "\n":
                self._line_feed()
            else:
                assert character.isprintable(), f"a stray {character!r} in {output!r}"
                self._put(character)

    def _command(self, command: str) -> None:
        match command:
            case "H":
                self.row = self.column = 0
            case "2K":
                self.lines[self.row] = ""
            case "J":
                self.lines[self.row] = self.lines[self.row][: self.column]
                self.lines[self.row + 1 :] = [""] * (self.rows - self.row - 1)
            case "?7l" | "?7h":
                self.wraps = command == "?7h"
            case _:
                assert command.endswith("m"), f"an unknown control sequence: {command}"

    def _put(self, character: str) -> None:
        if self.column == self.columns:
            if self.wraps:
                self.column = 0
                self._line_feed()
            else:
                self.column -= 1
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = line[: self.column] + character + line[self.column + 1 :]
        self.column += 1

    def _line_feed(self) -> None:
        if self.row < self.rows - 1:
            self.row += 1
        else:
            self.scrolled_away.append(self.lines.pop(0))
            self.lines.append("")
