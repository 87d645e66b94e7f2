"""Shows a result on standard output in the form that was asked for.

The same rows come out of a pipe and a terminal. CSV keeps every value exact, also one that a
spreadsheet would take for a formula; on a terminal alone its control characters are escaped.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, get_type_hints

from x0tta_cli.core.errors import UsageError
from x0tta_cli.core.text import escape
from x0tta_cli.terminal import live, streams
from x0tta_cli.terminal.blocks import Block, Column, Facts, Heading, Table, Text, View
from x0tta_cli.terminal.layout import Style, lay_out
from x0tta_cli.terminal.options import did_you_mean
from x0tta_cli.terminal.records import (
    fields_of,
    known_fields,
    plain,
    selected,
    value_of,
)
from x0tta_cli.terminal.session import Session
from x0tta_cli.terminal.text import escape_for_json


def check_fields(names: Sequence[str], command: Callable[..., Any] | None) -> None:
    """Refuse unknown --fields before a command does anything, by its return annotation.

    Raises UsageError `usage.unknown_field`.
    """
    if not names or command is None:
        return
    offered = known_fields(get_type_hints(command).get("return"))
    if offered and not any(set(names) <= set(known) for known in offered):
        _refuse(names, list(dict.fromkeys(name for known in offered for name in known)))


def show(result: Any, session: Session, view: View | None = None) -> None:
    """Write what a command returned: nothing for None, a stream item by item.

    Raises as `streams.write`, and UsageError `usage.unknown_field`.
    """
    if result is None:
        return
    if isinstance(result, live.Rounds) and live.is_wanted(session):
        frames = (_frame(items, session, view) for items in result.rounds)
        live.redraw(frames, lambda: _style(session))
        return
    if isinstance(result, Iterator):
        _show_stream(result, session, view)
        return
    match session.output:
        case "json":
            _write_json(_chosen(result, session), indent=2)
        case "jsonl":
            chosen = _chosen(result, session)
            for item in chosen if isinstance(chosen, list) else [chosen]:
                _write_json(item)
        case "csv":
            rows, _ = selected(result, session.fields)
            _write_csv(rows, session.fields or _fields_of_all(rows), header=True)
        case _:
            _write_blocks(_blocks(result, session, view), session)
            if isinstance(result, list | tuple) and not result and not session.quiet:
                streams.write_error("Nothing found.\n")


def _show_stream(stream: Iterator[Any], session: Session, view: View | None) -> None:
    """Write items as they come, each flushed, so that whoever reads sees it at once."""
    columns: list[Column] = []
    for number, item in enumerate(stream):
        names = session.fields or fields_of(item)
        if session.output in {"json", "jsonl"}:
            _write_json(_record(item, session.fields) if session.fields else plain(item))
        elif session.output == "csv":
            _write_csv([item], names, header=number == 0)
        elif view is not None and not session.fields:
            _write_blocks(view(item), session)
        else:
            _require(item, names)
            columns = columns or _columns([item], names)
            _write_blocks([Table(columns, [_values(item, names)])], session, header=number == 0)
        streams.flush()


def _frame(items: Sequence[Any], session: Session, view: View | None) -> list[Block]:
    """Give the blocks of one round of a live view."""
    if not items:
        return [Text("Nothing to show yet.", "dim")]
    if view is not None and not session.fields:
        return [block for item in items for block in view(item)]
    return _table(items, session.fields or _fields_of_all(items))


def _chosen(result: Any, session: Session) -> Any:
    """Give the JSON of a result, or of the fields asked for."""
    if not session.fields:
        return plain(result)
    rows, is_result = selected(result, session.fields)
    records = [_record(row, session.fields) for row in rows]
    return records[0] if is_result else records


def _record(row: Any, names: Sequence[str]) -> dict[str, Any]:
    _require(row, names)
    return {name: plain(value_of(row, name)) for name in names}


def _blocks(result: Any, session: Session, view: View | None) -> Iterable[Block]:
    if session.fields:
        rows, is_result = selected(result, session.fields)
        return _facts(rows[0], session.fields) if is_result else _table(rows, session.fields)
    if view is not None:
        return view(result)
    if isinstance(result, list | tuple):
        return _table(result, _fields_of_all(result))
    return [*_facts(result, _scalar_fields(result)), *_tables_within(result)]


def _facts(row: Any, names: Sequence[str]) -> list[Block]:
    _require(row, names)
    return [Facts([(name.replace("_", " "), value_of(row, name)) for name in names])]


def _table(rows: Sequence[Any], names: Sequence[str]) -> list[Block]:
    for row in rows:
        _require(row, names)
    return [Table(_columns(rows, names), [_values(row, names) for row in rows])] if rows else []


def _tables_within(result: Any) -> Iterator[Block]:
    """Show the lists of records that a result holds, each under its name."""
    for name in fields_of(result):
        rows = value_of(result, name)
        if _is_records(rows):
            yield Heading(name.replace("_", " ").capitalize())
            yield from _table(rows, _fields_of_all(rows))


def _columns(rows: Sequence[Any], names: Sequence[str]) -> list[Column]:
    return [
        Column(name.replace("_", " ").upper(), "right" if _is_number(rows, name) else "left")
        for name in names
    ]


def _values(row: Any, names: Sequence[str]) -> list[Any]:
    return [plain(value) if _is_records(value := value_of(row, name)) else value for name in names]


def _is_number(rows: Sequence[Any], name: str) -> bool:
    values = [value for row in rows if (value := value_of(row, name)) is not None]
    return bool(values) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values
    )


def _is_records(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and bool(fields_of(value[0]))


def _scalar_fields(row: Any) -> list[str]:
    return [name for name in fields_of(row) if not _is_records(value_of(row, name))]


def _fields_of_all(rows: Sequence[Any]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in fields_of(row)))


def _require(row: Any, names: Sequence[str]) -> None:
    if not set(names) <= set(fields_of(row)):
        _refuse(names, fields_of(row))


def _refuse(names: Sequence[str], known: Sequence[str]) -> None:
    unknown = next(name for name in names if name not in known)
    raise UsageError(
        "usage.unknown_field",
        f"The result has no field '{unknown}'.",
        reason=f"Its fields are {', '.join(known)}." if known else "It has no fields at all.",
        fix=did_you_mean(unknown, known) or "Choose among them.",
        context={"fields": list(known)},
    )


def _write_json(data: Any, indent: int | None = None) -> None:
    encoded = json.dumps(data, indent=indent, ensure_ascii=not streams.is_utf8(), allow_nan=False)
    streams.write(escape_for_json(encoded) + "\n")


def _write_csv(rows: Sequence[Any], names: Sequence[str], *, header: bool) -> None:
    import csv
    import io

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    if header and names:
        writer.writerow(names)
    on_terminal = streams.is_terminal(sys.stdout)
    for row in rows:
        record = _record(row, names)
        writer.writerow([_csv_value(record[name], escaped=on_terminal) for name in names])
    streams.write(buffer.getvalue())


def _csv_value(value: Any, *, escaped: bool) -> Any:
    if value is None or isinstance(value, bool):
        return {None: "", True: "true", False: "false"}[value]
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=not streams.is_utf8())
    return escape(value) if escaped and isinstance(value, str) else value


def _write_blocks(blocks: Iterable[Block], session: Session, *, header: bool = True) -> None:
    lines = list(lay_out(blocks, _style(session)))
    for line in lines if header else lines[1:]:
        streams.write(line + "\n")


def _style(session: Session) -> Style:
    return Style(
        width=streams.width_of(sys.stdout),
        colored=streams.has_colors(sys.stdout, no_color=session.no_color),
        wide=session.output == "wide",
        utc=session.utc,
    )
