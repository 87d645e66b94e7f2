"""Cells: read from a bag of cells, and taken apart bit by bit.

Message bodies are read here without computing hashes, ten times faster, and without recursion:
whoever sends a message may put 512 cells behind one another. Bags in a form that no message comes
in are left to pytoniq-core.
Format: https://docs.ton.org/v3/documentation/data-formats/tlb/cell-boc
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_MAGIC = b"\xb5\xee\x9c\x72"
_INDEXED, _WITH_CHECKSUM = 0x80, 0x40
# Hashes and depths stand in front of the bits of such a cell, one more than it has levels.
_WITH_HASHES, _HASH_AND_DEPTH = 0x10, 34
# As many ones as bits: a cell has up to 1023.
_ONES = tuple((1 << bits) - 1 for bits in range(1024))
# addr_std without a rewritten prefix: three bits, the workchain in eight, and the hash.
_STANDARD, _STANDARD_BITS = 0b100, 267
_Part = tuple[int, int, Sequence[int]]


@dataclass(slots=True)
class Cell:
    """Up to 1023 bits, as one number, and up to four cells behind them; not to be changed."""

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
        bits = self.bits - 4
        length = 8 * (self._value >> bits & 15) if bits >= 0 else 0
        if bits < length:
            raise ValueError("a cell ends too early")
        self.bits = bits - length
        return (self._value >> self.bits) & _ONES[length]

    def take_address(self) -> str | None:
        """Take an address in canonical form; None where none is set, or one of no account.

        Contracts pass on what a sender has written, so each form that TL-B knows is taken:
        addr_none, addr_extern, addr_std and addr_var, the last two with a rewritten prefix, too.
        """
        if self.bits >= _STANDARD_BITS:
            written = (self._value >> (self.bits - _STANDARD_BITS)) & _ONES[_STANDARD_BITS]
            if written >> 264 == _STANDARD:
                self.bits -= _STANDARD_BITS
                workchain = (written >> 256) & 255
                signed = workchain - 256 if workchain > 127 else workchain
                return f"{signed}:{written & _ONES[256]:064x}"
        self._skip_unusual_address()
        return None

    def _skip_unusual_address(self) -> None:
        kind = self.take(2)
        if kind == 0:
            return
        if kind == 1:
            self.take(self.take(9))
            return
        if self.take(1):
            self.take(self.take(5))
        self.take(8 + 256 if kind == 2 else self.take(9) + 32)

    def skip_address(self) -> None:
        """Take an address, and do not ask whose."""
        is_standard = self.bits >= _STANDARD_BITS and (
            self._value >> (self.bits - 3) & 7 == _STANDARD
        )
        if is_standard:
            self.bits -= _STANDARD_BITS
        else:
            self._skip_unusual_address()

    def rest(self) -> Cell:
        """Give what is left, as a cell."""
        return Cell(self._value & _ONES[self.bits], self.bits, self.references[self._next :])


def read_boc(boc: bytes) -> Cell:
    """Read the one root of a bag of cells; raises ValueError."""
    return _read_plain(boc) if boc[:4] == _MAGIC else _read_other(boc)


def _read_plain(boc: bytes) -> Cell:
    """Read a bag in the form that all messages come in; its checksum is the chain's business."""
    if len(boc) < 13 or not 0 < boc[4] & 7 <= 4:
        raise ValueError("a bag of cells that is none")
    flags, width = boc[4], boc[5]
    size = flags & 7
    at = 6 + 3 * size
    count, roots, absent = boc[6:9] if size == 1 else _numbers(boc[6:at], size)
    end = at + width + roots * size
    total, root = int.from_bytes(boc[at : at + width]), int.from_bytes(boc[at + width : end])
    if flags & _INDEXED:
        end += count * width
    checksum = 4 if flags & _WITH_CHECKSUM else 0
    if roots != 1 or absent or len(boc) != end + total + checksum:
        raise ValueError("a bag of cells of another size than it says")
    return _linked(_cells_of(boc, end, end + total, (count, size)), root)


def _cells_of(boc: bytes, at: int, end: int, counted: tuple[int, int]) -> list[_Part]:
    """Give bits and references of each cell; an exotic one is read as if it were ordinary."""
    (count, size), found, from_bytes = counted, [], int.from_bytes
    for _ in range(count):
        if at + 2 > end:
            raise ValueError("a bag of cells ends too early")
        descriptor, halves = boc[at], boc[at + 1]
        references, begin, length = descriptor & 7, at + 2, (halves + 1) >> 1
        if descriptor & _WITH_HASHES:
            begin += _HASH_AND_DEPTH * ((descriptor >> 5).bit_count() + 1)
        behind_at = begin + length
        at = behind_at + references * size
        if references > 4 or at > end:
            raise ValueError("a cell of another size than it says")
        value, bits = from_bytes(boc[begin:behind_at]), length << 3
        if halves & 1:
            # The last one bit says where the bits end.
            padding = (value & -value).bit_length()
            value, bits = value >> padding, bits - padding
        behind: Sequence[int] = boc[behind_at:at] if references else ()
        found.append((value, bits, behind if size == 1 else _numbers(behind, size)))
    return found


def _numbers(written: Sequence[int], size: int) -> Sequence[int]:
    starts = range(0, len(written), size)
    return [int.from_bytes(bytes(written[start : start + size])) for start in starts]


def _linked(parts: list[_Part], root: int) -> Cell:
    """Join cells with those behind them, which always come later."""
    last = len(parts)
    cells: list[Any] = [None] * last
    for number in range(last - 1, -1, -1):
        value, bits, references = parts[number]
        if not references:
            cells[number] = Cell(value, bits, ())
            continue
        behind = []
        for one in references:
            if not number < one < last:
                raise ValueError("a cell that refers to one before it")
            behind.append(cells[one])
        cells[number] = Cell(value, bits, tuple(behind))
    if root >= last:
        raise ValueError("a bag of cells without its root")
    found: Cell = cells[root]
    return found


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
