"""The ledger as a file for others: CSV, JSON Lines, or a Beancount journal."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from x0tta_cli.core.errors import UsageError
from x0tta_cli.core.text import escape
from x0tta_cli.core.times import format_instant
from x0tta_cli.pay.amounts import format_amount
from x0tta_cli.pay.orders import Order, OrderState

FIELDS = (
    "order",
    "state",
    "asset",
    "wallet",
    "amount",
    "received",
    "unit",
    "decimals",
    "memo",
    "valid_from",
    "valid_until",
)
# A spreadsheet runs what begins so; memos are other people's text. OWASP, "CSV Injection".
_FORMULA_SIGNS = tuple("=+-@\t\r\n＝＋－＠")
# https://beancount.github.io/docs/beancount_language_syntax.html: currencies and account names.
_NOT_IN_CURRENCY = re.compile(r"[^A-Z0-9'._-]")
_NOT_IN_ACCOUNT = re.compile(r"[^A-Za-z0-9-]")
INCOME = "Income:Orders"
# Its money is income without a question; what is in any other state somebody has to look at.
_SETTLED_FLAG, _OPEN_FLAG = "*", "!"


def form_of(path: Path) -> Callable[[Iterable[Order]], Iterator[str]]:
    """Choose how to write by a file's suffix; raises UsageError `pay.bad_form`."""
    forms = {".csv": as_csv, ".jsonl": as_json_lines, ".beancount": as_beancount}
    if path.suffix not in forms:
        raise UsageError(
            "pay.bad_form",
            f"{path} is of no form in which x0tta pay writes.",
            reason=f"It writes {', '.join(forms)}.",
            fix="Give the file one of these suffixes.",
            context={"file": str(path)},
        )
    return forms[path.suffix]


def as_csv(orders: Iterable[Order]) -> Iterator[str]:
    """Write a row for each order, and the hashes of its evidence; money stays an integer.

    It is for spreadsheets: no memo becomes a formula, and what hides or reorders text is written
    out. JSON Lines keep each memo as it is.
    """
    yield ",".join((*FIELDS, "txs")) + "\n"
    for order in orders:
        buffer = io.StringIO()
        values = [_plain(getattr(order, name)) for name in FIELDS]
        txs = " ".join(str(one["tx"]) for one in order.evidence)
        csv.writer(buffer, lineterminator="\n").writerow([*map(_harmless, values), txs])
        yield buffer.getvalue()


def as_json_lines(orders: Iterable[Order]) -> Iterator[str]:
    """Write the object of `pay show` for each order, a line each."""
    for order in orders:
        row: dict[str, object] = {
            name: getattr(order, name) if name == "decimals" else _or_none(getattr(order, name))
            for name in FIELDS
        }
        row["evidence"] = [{**one, "at": _plain(one["at"])} for one in order.evidence]
        yield json.dumps(row, ensure_ascii=True) + "\n"


def as_beancount(orders: Iterable[Order]) -> Iterator[str]:
    """Write a transaction for each transfer that counts as received, flagged `!` unless paid.

    Where sources contradict each other nothing is booked.
    """
    opened: set[str] = set()
    for order in orders:
        if order.state is OrderState.CONFLICTING:
            continue
        for one in order.evidence:
            if not one["counted"]:
                continue
            wallet = _account_of(order)
            yield from _openings([wallet, INCOME], opened)
            yield _entry(order, one, wallet)


def _openings(accounts: Iterable[str], opened: set[str]) -> Iterator[str]:
    for account in accounts:
        if account not in opened:
            opened.add(account)
            yield f"1970-01-01 open {account}\n"


def _entry(order: Order, one: Mapping[str, object], wallet: str) -> str:
    """Write one transaction; names and hashes have no character that would need an escape."""
    flag = _SETTLED_FLAG if order.state is OrderState.PAID else _OPEN_FLAG
    amount = format_amount(int(str(one["amount"])), order.decimals)
    currency = _NOT_IN_CURRENCY.sub("-", order.unit.upper())
    return (
        f'{_plain(one["at"])[:10]} {flag} "{order.order}" "{order.state}"\n'
        f'  tx: "{one["tx"]}"\n'
        f"  {wallet}  {amount} {currency}\n"
        f"  {INCOME}  -{amount} {currency}\n"
    )


def _account_of(order: Order) -> str:
    asset = _NOT_IN_ACCOUNT.sub("-", order.asset.title())
    return f"Assets:Crypto:{asset}:W{_NOT_IN_ACCOUNT.sub('-', order.wallet)}"


def _plain(value: object) -> str:
    if value is None:
        return ""
    return format_instant(value) if hasattr(value, "tzinfo") else str(value)  # type: ignore[arg-type]


def _or_none(value: object) -> str | None:
    return None if value is None else _plain(value)


def _harmless(text: str) -> str:
    shown = escape(text)
    return f"'{shown}" if text.startswith(_FORMULA_SIGNS) else shown
