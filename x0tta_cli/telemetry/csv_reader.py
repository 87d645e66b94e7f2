"""Reads metrics.csv: one column per component, metric and statistic, one row per sample.

Three header rows name the columns; a fourth that holds a name for the index and nothing else, as
pandas writes it, is passed over:

    microservice,checkout,checkout,cart
    metric,latency,requests,latency
    statistic,p95,Sum,p95
    unix_timestamp,,,
    1693922400.0,0.31,1398,0.02

The first cell of a header row is its title as above, or empty. Names lose surrounding spaces.
A cell is a number, or empty (or NaN) where nothing was measured; it is never read as 0.
Layout: Hardt et al., "The PetShop Dataset", 2023.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from x0tta_cli.core.errors import NotYetKnownError, UsageError
from x0tta_cli.telemetry.instants import check_instants, parse_instant
from x0tta_cli.telemetry.schema import feature_of
from x0tta_cli.telemetry.table import read_rows
from x0tta_cli.telemetry.telemetry import Feature, Telemetry, bounds_in_words
from x0tta_cli.telemetry.topology import Topology

HEADER_TITLES = ("microservice", "metric", "statistic")


@dataclass(frozen=True, slots=True)
class Column:
    """One series of the file; `number` counts from 1, the instants being column 1."""

    number: int
    microservice: str
    feature: Feature

    def __str__(self) -> str:
        statistic = f" {self.feature.statistic}" if self.feature.statistic else ""
        return f"column {self.number} ({self.microservice}, {self.feature.quantity}{statistic})"


def read_metrics(path: Path, topology: Topology | None = None) -> Telemetry:
    """Read a recording; components that `topology` does not name are added at its end.

    Components without a column are there, all missing. Raises UsageError (2) for what is wrong in
    the file, naming line and column: `telemetry.bad_header`, `telemetry.duplicate_column`,
    `telemetry.ragged_row`, `telemetry.not_a_number`, `telemetry.not_finite`,
    `telemetry.wrong_unit`, `telemetry.bad_instant`, `telemetry.duplicate_instant`,
    `telemetry.unsorted_instants`, `telemetry.irregular_step` and what `table.read_rows` raises;
    NotYetKnownError (10) `telemetry.empty_recording` for a header without samples and
    `telemetry.no_values` for samples without a single value.
    """
    columns, rows = _open(path)
    lines, instants, cells = _read_samples(path, columns, rows)
    check_instants(path, instants, lines)
    _check_cells(path, columns, lines, cells)
    nodes = dict.fromkeys(column.microservice for column in columns)
    topology = (topology or Topology(())).with_nodes(nodes)
    features = tuple(dict.fromkeys(column.feature for column in columns))
    values = np.full((len(topology.nodes), len(instants), len(features)), np.nan)
    node_index = {node: index for index, node in enumerate(topology.nodes)}
    feature_index = {feature: index for index, feature in enumerate(features)}
    values[
        [node_index[column.microservice] for column in columns],
        :,
        [feature_index[column.feature] for column in columns],
    ] = cells.T
    return Telemetry(topology, instants, features, values)


def read_node_names(path: Path) -> tuple[str, ...]:
    """Tell which components a recording has columns for, from its header rows alone."""
    columns, _ = _open(path)
    return tuple(dict.fromkeys(column.microservice for column in columns))


def _open(path: Path) -> tuple[tuple[Column, ...], Iterator[tuple[int, list[str]]]]:
    rows = read_rows(path)
    header = list(islice(rows, len(HEADER_TITLES)))
    for (line, cells), title in zip(header, HEADER_TITLES, strict=False):
        if cells[0].strip().lower() not in {"", title}:
            raise _bad_header(
                path,
                line,
                f"This row must begin with {title!r}, not with {cells[0][:40]!r}.",
            )
    if len(header) < len(HEADER_TITLES):
        raise _bad_header(path, header[-1][0], f"Only {len(header)} of 3 header rows are there.")
    widths = {len(cells) for _, cells in header}
    if len(widths) > 1:
        counts = ", ".join(str(len(cells)) for _, cells in header)
        raise _bad_header(path, header[-1][0], f"The header rows have {counts} cells.")
    if widths == {1}:
        raise _bad_header(path, header[0][0], "No column follows the title (commas separate).")
    return _columns(path, header), rows


def _columns(path: Path, header: list[tuple[int, list[str]]]) -> tuple[Column, ...]:
    columns: list[Column] = []
    seen: dict[tuple[str, str], Column] = {}
    features: dict[str, Feature] = {}
    names = zip(*([cell.strip() for cell in cells[1:]] for _, cells in header), strict=True)
    for number, (microservice, metric, statistic) in enumerate(names, start=2):
        if not (microservice and metric):
            line = header[1 if microservice else 0][0]
            raise _bad_header(path, line, f"Column {number} has no name in this row.")
        feature = feature_of(metric, statistic)
        column = Column(number, microservice, feature)
        twin = seen.setdefault((microservice, feature.name), column)
        if twin is not column:
            raise _duplicate_column(
                path,
                header[0][0],
                column,
                f"{feature.name} of {microservice} is in {twin} already.",
            )
        # Names are joined from two words, so two features can come to one name.
        other = features.setdefault(feature.name, feature)
        if other != feature:
            raise _duplicate_column(
                path,
                header[0][0],
                column,
                f"{feature.name} is also written '{other.quantity} {other.statistic}'.",
            )
        columns.append(column)
    return tuple(columns)


def _read_samples(
    path: Path, columns: tuple[Column, ...], rows: Iterator[tuple[int, list[str]]]
) -> tuple[list[int], NDArray[np.float64], NDArray[np.float64]]:
    lines: list[int] = []
    instants = array("d")
    cells = array("d")
    first = next(rows, None)
    if first is not None and not _names_the_index(first[1]):
        rows = chain([first], rows)
    for line, row in rows:
        if len(row) != len(columns) + 1:
            raise UsageError(
                "telemetry.ragged_row",
                f"{path}, line {line}: {len(row)} cells where the header has {len(columns) + 1}.",
                reason="The last row may be cut off, or a cell with a comma stand without quotes.",
                fix="Give every row one cell per column; leave the missing ones empty.",
                context={"file": str(path), "line": line},
            )
        lines.append(line)
        instants.append(_instant(path, line, row[0]))
        cells.extend(_numbers(path, line, columns, row))
    if not lines:
        raise NotYetKnownError(
            "telemetry.empty_recording",
            f"{path}: the recording has no samples.",
            reason="Only header rows are there.",
            fix="Record for a while, then try again.",
            context={"file": str(path)},
        )
    table = np.frombuffer(cells, dtype=np.float64).reshape(len(lines), len(columns))
    return lines, np.frombuffer(instants, dtype=np.float64), table


def _names_the_index(row: list[str]) -> bool:
    # Every instant begins with a digit or a sign.
    return row[0].strip()[:1].isalpha() and not any(cell.strip() for cell in row[1:])


def _instant(path: Path, line: int, cell: str) -> float:
    try:
        return parse_instant(cell)
    except ValueError as error:
        raise UsageError(
            "telemetry.bad_instant",
            f"{path}, line {line}, column 1: no instant that can be read.",
            reason=str(error),
            fix="Write Unix seconds (1693922400) or ISO 8601 (2023-09-05T14:00:00Z).",
            context={"file": str(path), "line": line, "column": 1},
        ) from None


def _numbers(path: Path, line: int, columns: tuple[Column, ...], row: list[str]) -> list[float]:
    missing = math.nan
    try:
        if "_" not in "".join(row):
            return [float(cell) if cell else missing for cell in row[1:]]
    except ValueError:
        pass
    return [
        _number(path, line, column, cell.strip())
        for column, cell in zip(columns, row[1:], strict=True)
    ]


def _number(path: Path, line: int, column: Column, cell: str) -> float:
    if not cell:
        return math.nan
    try:
        # Python reads 1_000 as a number; a file that holds it was damaged.
        if "_" not in cell:
            return float(cell)
    except ValueError:
        pass
    raise UsageError(
        "telemetry.not_a_number",
        f"{path}, line {line}, {column}: {cell[:40]!r} is not a number.",
        fix="Leave the cell empty where nothing was measured; write decimals with a point.",
        context=_cell_context(path, line, column),
    )


def _check_cells(
    path: Path,
    columns: tuple[Column, ...],
    lines: list[int],
    cells: NDArray[np.float64],
) -> None:
    for row, index in np.argwhere(np.isinf(cells))[:1]:
        raise UsageError(
            "telemetry.not_finite",
            f"{path}, line {lines[row]}, {columns[index]}: not a finite number.",
            fix="Leave the cell empty where nothing was measured.",
            context=_cell_context(path, lines[row], columns[index]),
        )
    impossible = np.zeros(cells.shape, dtype=bool)
    for index, column in enumerate(columns):
        impossible[:, index] = ~column.feature.unit.allows(cells[:, index])
    for row, index in np.argwhere(impossible)[:1]:
        feature = columns[index].feature
        raise UsageError(
            "telemetry.wrong_unit",
            f"{path}, line {lines[row]}, {columns[index]}: {cells[row, index]:g} is not possible.",
            reason=f"{feature.name} is read as {bounds_in_words(feature.unit)}; "
            f"{impossible[:, index].sum()} of {len(lines)} samples of this column are outside.",
            fix="Leave a cell empty where nothing was measured; if the unit is another one, name "
            "it at the end of the metric (latency_ms, availability_ratio).",
            context=_cell_context(path, lines[row], columns[index]),
        )
    if np.isnan(cells).all():
        raise NotYetKnownError(
            "telemetry.no_values",
            f"{path}: all of {len(lines)} samples are without a single value.",
            fix="Check that the recorder reached its source, then record again.",
            context={"file": str(path)},
        )


def _duplicate_column(path: Path, line: int, column: Column, reason: str) -> UsageError:
    return UsageError(
        "telemetry.duplicate_column",
        f"{path}, line {line}: {column} is there twice.",
        reason=reason,
        fix="Keep one column per microservice, metric and statistic, each spelt one way.",
        context=_cell_context(path, line, column),
    )


def _cell_context(path: Path, line: int, column: Column) -> dict[str, object]:
    return {
        "file": str(path),
        "line": line,
        "column": column.number,
        "microservice": column.microservice,
        "metric": column.feature.quantity,
        "statistic": column.feature.statistic,
    }


def _bad_header(path: Path, line: int, reason: str) -> UsageError:
    return UsageError(
        "telemetry.bad_header",
        f"{path}, line {line}: not the header of a recording.",
        reason=reason,
        fix="Three header rows name each column: microservice, metric, statistic.",
        context={"file": str(path), "line": line},
    )
