"""Cells: read from a bag of cells, and taken apart bit by bit.

Most message bodies are one or two ordinary cells; those are read here without computing hashes,
ten times faster. Everything else about cells is left to pytoniq-core.
Format: https://docs.ton.org/v3/documentation/data-formats/tlb/cell-boc
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_MAGIC = b"\xb5\xee\x9c\x72"
_INDEXED, _WITH_CHECKSUM = 0x80, 0x40
_EXOTIC_OR_LEVELS = 0xF8
# As many ones as bits: a cell has up to 1023.
_ONES = tuple((1 << bits) - 1 for bits in range(1024))


@dataclass(frozen=True, slots=True)
class Cell:
    """Up to 1023 bits, as one number, and up to four cells behind them."""

    value: int
    bits: int
    references: tuple[Cell, ...]


class Slice:
    """What of a cell has not been taken yet; raises ValueError where there is not enough."""

    __slots__ = ("_next", "_value", "bits", "references")

    def __init__(self, cell: Cell) -> None:
        self._value, self.bits, self.references = cell.value, cell.bits, cell.references
        self._next = 0

    def take(self, bits: int) -> int:
        """Take an unsigned number of so many bits."""
        if bits > self.bits:
            raise ValueError("a cell ends too early")
        self.bits -= bits
        return (self._value >> self.bits) & _ONES[bits]

    def take_reference(self) -> Cell:
        """Take the next cell behind."""
        if self._next >= len(self.references):
            raise ValueError("a cell is missing behind another")
        self._next += 1
        return self.references[self._next - 1]

    def take_coins(self) -> int:
        """Take an amount: its length in bytes in four bits, then as many bytes."""
        return self.take(8 * self.take(4))

    def take_address(self) -> str | None:
        """Take an address in canonical form; None where none is set, or one of no account."""
        kind = self.take(2)
        if kind == 0:
            return None
        if kind == 1:
            self.take(self.take(9))
            return None
        if kind == 3:
            raise ValueError("an address of a kind that no account has")
        # A bit for a rewritten prefix, which none has, the workchain in eight, and the hash.
        written = self.take(265)
        workchain = written >> 256
        if workchain > 255:
            raise ValueError("an address of a kind that no account has")
        return f"{workchain - 256 if workchain > 127 else workchain}:{written & _ONES[256]:064x}"

    def rest(self) -> Cell:
        """Give what is left, as a cell."""
        return Cell(self._value & _ONES[self.bits], self.bits, self.references[self._next :])


def read_boc(boc: bytes) -> Cell:
    """Read the one root of a bag of cells; raises ValueError."""
    is_plain = len(boc) > 10 and boc[:4] == _MAGIC and boc[4] & ~_WITH_CHECKSUM == 1 and boc[5] < 3
    return (_read_plain(boc) if is_plain else None) or _read_other(boc)


def _read_plain(boc: bytes) -> Cell | None:
    """Read ordinary cells with one-byte references, no index and one root; None for others."""
    width, count, roots, absent = boc[5], boc[6], boc[7], boc[8]
    begin = 9 + width
    size = int.from_bytes(boc[9:begin], "big")
    end = begin + 1 + size
    checksum = 4 if boc[4] & _WITH_CHECKSUM else 0
    if roots != 1 or absent or not count or len(boc) != end + checksum:
        return None
    parts: list[tuple[int, int, bytes]] = []
    at = begin + 1
    for _ in range(count):
        if at + 2 > end:
            return None
        descriptor, halves = boc[at], boc[at + 1]
        references = descriptor & 7
        length = (halves + 1) >> 1
        after = at + 2 + length + references
        if descriptor & _EXOTIC_OR_LEVELS or references > 4 or after > end:
            return None
        value, bits = int.from_bytes(boc[at + 2 : at + 2 + length], "big"), length * 8
        if halves & 1:
            # The last one bit says where the bits end.
            padding = (value & -value).bit_length()
            value, bits = value >> padding, bits - padding
        parts.append((value, bits, boc[after - references : after]))
        at = after
    return _linked(parts, boc[begin])


def _linked(parts: list[tuple[int, int, bytes]], root: int) -> Cell | None:
    """Join cells with those behind them, which always come later."""
    cells: list[Cell | None] = [None] * len(parts)
    for number in range(len(parts) - 1, -1, -1):
        value, bits, references = parts[number]
        behind = []
        for reference in references:
            cell = cells[reference] if number < reference < len(parts) else None
            if cell is None:
                return None
            behind.append(cell)
        cells[number] = Cell(value, bits, tuple(behind))
    return cells[root] if root < len(cells) else None


def _read_other(boc: bytes) -> Cell:
    from pytoniq_core import Cell as AnyCell

    try:
        return _converted(AnyCell.one_from_boc(boc), {}, depth=0)
    except ValueError:
        raise
    except Exception as error:
        # Its parser raises whatever it stumbles over.
        raise ValueError(f"a bag of cells that can't be read: {str(error)[:80]}") from error


def _converted(cell: Any, done: dict[int, Cell], depth: int) -> Cell:
    """Convert a cell, and each of those behind it once: few cells can make a very large tree."""
    if depth > 512:
        raise ValueError("cells behind cells without end")
    if id(cell) not in done:
        bits = len(cell.bits)
        value = int(cell.bits.to01(), 2) if bits else 0
        behind = tuple(_converted(one, done, depth + 1) for one in cell.refs)
        done[id(cell)] = Cell(value, bits, behind)
    return done[id(cell)]
