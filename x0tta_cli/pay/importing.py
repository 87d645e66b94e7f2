"""Orders from a file: CSV or JSON Lines, all rows or none."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO, TypeVar

from x0tta_cli.core.errors import OperatorError, UsageError
from x0tta_cli.core.files import reading_errors
from x0tta_cli.core.text import is_unicode
from x0tta_cli.core.times import parse_instant
from x0tta_cli.pay.amounts import parse_amount
from x0tta_cli.pay.assets import find_asset
from x0tta_cli.pay.orders import NewOrder

COLUMNS = ("order", "asset", "wallet", "amount", "memo", "valid_from", "valid_until")
# The wallet may be left empty where there is one of the asset alone.
NEVER_EMPTY = ("order", "asset", "amount")
LONGEST_LINE = 65_536
# Where to look for what the ledger refuses, if the error itself does not say it.
_COLUMN_OF = {
    "pay.order_exists": "order",
    "pay.unknown_wallet": "wallet",
    "pay.key_taken": "memo",
    "pay.no_free_amount": "amount",
}

Value = TypeVar("Value")


def read_orders(path: Path) -> Iterator[NewOrder]:
    """Read the orders of a file by its suffix, one by one.

    Raises UsageError `pay.bad_row`, which names the row and the column, `pay.bad_form`; `files.*`.
    """
    now = datetime.now(UTC)
    with _rows_of(path) as rows:
        for number, row in rows:
            yield _order(number, row, now)


def new_order(row: Mapping[str, Any], now: datetime) -> NewOrder:
    """Make an order of texts; raises UsageError of what can't be read, with its column."""
    asset = _column("asset", find_asset, str(row["asset"]))
    amount = _column("amount", lambda text: parse_amount(text, asset.decimals), row["amount"])
    begin, end = row.get("valid_from"), row.get("valid_until")
    return NewOrder(
        str(row["order"]),
        asset.name,
        str(row.get("wallet") or ""),
        amount,
        _column("memo", _memo, row.get("memo")),
        _column("valid_from", lambda text: parse_instant(text, now), begin) if begin else now,
        _column("valid_until", lambda text: parse_instant(text, now), end) if end else None,
    )


def located(error: OperatorError, path: Path) -> OperatorError:
    """Name the row and the column of what the ledger has refused, by reading the file once more.

    Gives the error itself where no row is to blame.
    """
    column = error.context.get("column") or _COLUMN_OF.get(error.code)
    if column is None:
        return error
    key = "wallet" if error.code == "pay.unknown_wallet" else "order"
    with _rows_of(path) as rows:
        found = [number for number, row in rows if (row.get(key) or "") == error.context.get(key)]
    if not found:
        return error
    # Of two rows with one name, the later one is too many.
    number = found[1] if error.code == "pay.order_exists" and len(found) > 1 else found[0]
    return type(error)(
        error.code,
        f"Row {number}, column '{column}': {error}",
        reason=error.reason,
        fix=error.fix,
        context={**error.context, "row": number, "column": column},
    )


@contextmanager
def _rows_of(path: Path) -> Iterator[Iterator[tuple[int, Mapping[str, Any]]]]:
    """Open a file, and give its rows with their numbers, as an editor counts lines."""
    with reading_errors(path), path.open(encoding="utf-8-sig", newline="") as file:
        if path.suffix == ".csv":
            rows = _csv_rows(file)
        elif path.suffix in {".jsonl", ".ndjson"}:
            rows = _json_rows(file)
        else:
            raise UsageError(
                "pay.bad_form",
                f"{path} is of no form in which orders are read.",
                reason="Orders are read from .csv and .jsonl.",
                fix="Give the file the suffix of what it is.",
                context={"file": str(path)},
            )
        try:
            yield rows
        except UnicodeDecodeError as error:
            raise _bad_row(0, "", f"The file is not UTF-8: {error.reason}.") from None


def _csv_rows(file: TextIO) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.reader(file, strict=True)
    try:
        titles = next(reader, [])
        for name in titles:
            if name not in COLUMNS or titles.count(name) > 1:
                raise _bad_row(1, name, f"The titles are {', '.join(COLUMNS)}, each once.")
        for fields in reader:
            if not fields:
                continue
            if len(fields) != len(titles):
                raise _bad_row(
                    reader.line_num, "", f"It has {len(fields)} fields under {len(titles)} titles."
                )
            yield reader.line_num, dict(zip(titles, fields, strict=True))
    except csv.Error as error:
        raise _bad_row(reader.line_num, "", f"It is no CSV: {error}.") from None


def _json_rows(file: TextIO) -> Iterator[tuple[int, Mapping[str, Any]]]:
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=_members)
        except (ValueError, RecursionError) as error:
            raise _bad_row(number, "", f"It is no JSON: {error}.") from None
        if not isinstance(row, dict):
            raise _bad_row(number, "", "It is no object.")
        yield number, row


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; of a member that stands twice, readers disagree which one counts."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member stands there twice")
    return members


def _order(number: int, row: Mapping[str, Any], now: datetime) -> NewOrder:
    unknown = next((name for name in row if name not in COLUMNS), None)
    if unknown is not None:
        raise _bad_row(number, str(unknown), f"There are {', '.join(COLUMNS)}.")
    for name, value in row.items():
        if value is not None and not isinstance(value, str):
            raise _bad_row(number, name, "It has to be text in quotes.")
    empty = next((name for name in NEVER_EMPTY if not row.get(name)), None)
    if empty is not None:
        raise _bad_row(number, empty, "It is missing or empty.")
    try:
        return new_order(row, now)
    except OperatorError as error:
        raise _bad_row(number, str(error.context["column"]), f"{error} {error.reason}") from None


def _column(name: str, read: Callable[[Any], Value], written: Any) -> Value:
    try:
        return read(written)
    except UsageError as error:
        error.context["column"] = name
        raise


def _memo(written: str | None) -> str | None:
    """Take a memo; half a character, as in broken JSON or a broken locale, is none."""
    if not is_unicode(written or ""):
        raise UsageError(
            "pay.bad_memo",
            "The memo is no text.",
            reason="It has half a surrogate pair, or bytes that are not UTF-8.",
            fix="Write it in UTF-8.",
        )
    return written or None


def _bad_row(number: int, column: str, reason: str) -> UsageError:
    where = f": row {number}" if number else ""
    where += f", column '{column}'" if column else ""
    return UsageError(
        "pay.bad_row",
        f"The file can't be imported{where}.",
        reason=reason,
        fix="Correct it and import the file again; nothing was added.",
        context={"row": number, "column": column},
    )
