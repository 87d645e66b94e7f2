"""Many rows at once, as the driver takes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, MappingResult


def insert_rows(connection: Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that have all the same members; only within `writing`.

    What SQLAlchemy does for each row costs more than the row.
    """
    if not rows:
        return
    compiled = table.insert().compile(dialect=connection.dialect, column_keys=list(rows[0]))
    order = getattr(compiled, "positiontup", None)
    given = list(map(itemgetter(*order), rows)) if order else list(rows)
    connection.exec_driver_sql(str(compiled), given)


def rows_with(
    connection: Connection, table: sa.Table, column: sa.Column[str], values: Collection[str]
) -> MappingResult:
    """Give the rows in which a column has one of some hundred texts.

    SQLAlchemy makes a parameter with a name of its own of each, which takes four times as long.
    """
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    everything = sa.select(table).compile(dialect=connection.dialect)
    marks = ", ".join([mark] * len(values))
    statement = f"{everything} WHERE {column.name} IN ({marks})"
    return connection.exec_driver_sql(statement, tuple(values)).mappings()
