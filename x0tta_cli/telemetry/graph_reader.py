"""Reads graph.csv: who calls whom, as a matrix or as a list of calls.

A matrix has one row and one column per component, in any order; a number above 0 says that the
row's component calls the column's. A list has a header `caller,callee` and one call per row.

A matrix declares its components, so it may name one that was never measured: a component 'never
seen' in healthy time. A list declares none, so a name in it that no recording has a column for is
an edge to an unknown component. Measured components that the graph does not name are fine in both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path

from x0tta_cli.core.errors import UsageError
from x0tta_cli.telemetry.table import read_rows
from x0tta_cli.telemetry.topology import Topology

LIST_HEADER = ["caller", "callee"]

# Nearly all of a matrix: passed over without being parsed.
NO_CALL = frozenset({"0", "0.0"})


def read_graph(path: Path, measured: Callable[[], Iterable[str]]) -> Topology:
    """Read a call graph; `measured` tells which components recordings have columns for.

    It is asked only for a list of calls. Raises UsageError `telemetry.bad_graph`,
    `telemetry.duplicate_node`, `telemetry.unknown_node`, `telemetry.ragged_row`,
    `telemetry.not_a_number`, `telemetry.negative_edge` and what `table.read_rows` raises.
    """
    rows = list(read_rows(path))
    header = [cell.strip() for cell in rows[0][1]]
    if [cell.lower() for cell in header] == LIST_HEADER:
        return _read_list(path, rows[1:], frozenset(measured()))
    return _read_matrix(path, header, rows)


def _read_matrix(path: Path, header: list[str], rows: list[tuple[int, list[str]]]) -> Topology:
    header_line, body = rows[0][0], rows[1:]
    columns = header[1:]
    if not columns:
        raise _bad_graph(path, header_line, "No column follows the first cell (commas separate).")
    _check_names(path, [(header_line, number, name) for number, name in enumerate(columns, 2)])
    _check_names(path, [(line, 1, cells[0].strip()) for line, cells in body])
    known = set(columns)
    calls: list[tuple[str, str]] = []
    for line, cells in body:
        caller = cells[0].strip()
        if caller not in known:
            raise _unknown_node(path, line, caller, "It has a row, but no column.")
        if len(cells) != len(header):
            raise _ragged_row(path, line, len(cells), len(header))
        for number, (callee, cell) in enumerate(zip(columns, cells[1:], strict=True), start=2):
            if cell not in NO_CALL and _weight(path, line, number, (caller, callee), cell) > 0:
                calls.append((caller, callee))
    rowless = known - {cells[0].strip() for _, cells in body}
    for name in columns:
        if name in rowless:
            raise _unknown_node(path, header_line, name, "It has a column, but no row.")
    return Topology.from_calls(columns, calls)


def _read_list(path: Path, rows: list[tuple[int, list[str]]], measured: frozenset[str]) -> Topology:
    calls: list[tuple[str, str]] = []
    for line, cells in rows:
        if len(cells) != len(LIST_HEADER):
            raise _ragged_row(path, line, len(cells), len(LIST_HEADER))
        caller, callee = (cell.strip() for cell in cells)
        for name in (caller, callee):
            if name not in measured:
                raise _unknown_node(path, line, name, "No recording has a column for it.")
        calls.append((caller, callee))
    nodes = dict.fromkeys(name for call in calls for name in call)
    return Topology.from_calls(nodes, calls)


def _check_names(path: Path, places: list[tuple[int, int, str]]) -> None:
    seen: dict[str, tuple[int, int]] = {}
    for line, number, name in places:
        if not name:
            raise _bad_graph(path, line, f"Column {number}: a component without a name.")
        if name in seen:
            first_line, first_number = seen[name]
            raise UsageError(
                "telemetry.duplicate_node",
                f"{path}, line {line}, column {number}: the component {name!r} is named twice.",
                reason=f"Line {first_line}, column {first_number} names it already.",
                fix="Rename or remove one of the two.",
                context={"file": str(path), "line": line, "column": number, "node": name},
            )
        seen[name] = (line, number)


def _weight(path: Path, line: int, number: int, call: tuple[str, str], cell: str) -> float:
    place = f"{path}, line {line}, column {number} ({call[0]} → {call[1]})"
    context = {"file": str(path), "line": line, "column": number}
    try:
        weight = float(cell)
    except ValueError:
        weight = math.nan
    if not math.isfinite(weight):
        raise UsageError(
            "telemetry.not_a_number",
            f"{place}: {cell[:40]!r} is not a number.",
            fix="Write 1 for a call and 0 for none: an empty cell would leave it open.",
            context=context,
        )
    if weight < 0:
        raise UsageError(
            "telemetry.negative_edge",
            f"{place}: {weight:g} is negative.",
            fix="Write 1 for a call and 0 for none.",
            context=context,
        )
    return weight


def _unknown_node(path: Path, line: int, name: str, reason: str) -> UsageError:
    return UsageError(
        "telemetry.unknown_node",
        f"{path}, line {line}: the graph's edges name an unknown component {name!r}.",
        reason=reason,
        fix="Give every component a row and a column, or correct the name.",
        context={"file": str(path), "line": line, "node": name},
    )


def _ragged_row(path: Path, line: int, found: int, expected: int) -> UsageError:
    return UsageError(
        "telemetry.ragged_row",
        f"{path}, line {line}: {found} cells where the header has {expected}.",
        fix="Give every row one cell per column.",
        context={"file": str(path), "line": line},
    )


def _bad_graph(path: Path, line: int, reason: str) -> UsageError:
    return UsageError(
        "telemetry.bad_graph",
        f"{path}, line {line}: not a call graph.",
        reason=reason,
        fix="Name the components in the first row and in the first column, or list caller,callee.",
        context={"file": str(path), "line": line},
    )
