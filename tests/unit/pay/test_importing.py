"""Files of orders: all rows or none, and the bad one is named."""

from __future__ import annotations

import json

import pytest
from fakes.till import SHOP, Till

from x0tta_cli.core.errors import ConflictError, OperatorError, UsageError
from x0tta_cli.pay.importing import located, read_orders
from x0tta_cli.pay.ledger.enrolment import Limits, add_orders
from x0tta_cli.pay.ledger.reading import orders_in

TITLES = "order,asset,wallet,amount,memo,valid_from,valid_until\n"


@pytest.fixture
def till(state):
    made = Till()
    yield made
    made.ledger.close()


def refused(path):
    with pytest.raises(UsageError) as raised:
        list(read_orders(path))
    return raised.value


def import_file(till, path):
    try:
        return add_orders(till.ledger, read_orders(path), Limits())
    except OperatorError as error:
        raise located(error, path) from error


def names(till):
    with till.ledger.reading() as connection:
        return [order.order for order in orders_in(connection)]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("A-2,ton,,1e6,,,", "amount"),
        ("A-2,ton,,0x10,,,", "amount"),
        ("A-2,ton,,-1,,,", "amount"),
        ("A-2,ton,,+1,,,", "amount"),
        ("A-2,ton,,0,,,", "amount"),
        ("A-2,ton,,00.1,,,", "amount"),
        ("A-2,ton,,1_000,,,", "amount"),
        ("A-2,ton,, 1,,,", "amount"),
        ("A-2,ton,,١٢,,,", "amount"),
        ("A-2,ton,,0.0000000001,,,", "amount"),
        (f"A-2,ton,,{10**30},,,", "amount"),
        ("A-2,TON,,1,,,", "asset"),
        ("A-2,ton,,1,,yesterday,", "valid_from"),
        ("A-2,ton,,1,,,2026-02-30T00:00:00Z", "valid_until"),
        (",ton,,1,,,", "order"),
    ],
)
def test_a_bad_row_is_named_with_its_column(tmp_path, row, column):
    path = tmp_path / "orders.csv"
    path.write_text(f"{TITLES}A-1,ton,,1,,,\n{row}\n")
    error = refused(path)
    assert (error.code, error.context) == ("pay.bad_row", {"row": 3, "column": column})


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("A-1,ton,,2,,,", "order"),
        ("A-9,ton,nobody,2,,,", "wallet"),
        ("A-9,ton,,2,A-1,,", "memo"),
        ("A 9,ton,,2,,,", "order"),
        ("A-9,usdt-trc20,,2,memo,,", "memo"),
        ("A-9,ton,,2,,2026-11-02T00:00:00Z,2026-11-01T00:00:00Z", "valid_until"),
    ],
)
def test_what_the_ledger_refuses_is_named_with_row_and_column(till, tmp_path, row, column):
    path = tmp_path / "orders.csv"
    path.write_text(f"{TITLES}A-1,ton,,1,,,\nA-2,ton,,1,,,\n{row}\n")
    with pytest.raises(OperatorError) as raised:
        import_file(till, path)
    error = raised.value
    assert (error.context["row"], error.context["column"]) == (4, column)
    assert str(error).startswith(f"Row 4, column '{column}': ")
    assert names(till) == []


def test_an_order_that_there_is_already_is_a_conflict_at_its_row(till, tmp_path):
    till.expect("A-1", 1000)
    path = tmp_path / "orders.csv"
    path.write_text(f"{TITLES}A-0,ton,,1,,,\nA-1,ton,,1,,,\n")
    with pytest.raises(ConflictError) as raised:
        import_file(till, path)
    assert (raised.value.code, raised.value.context["row"]) == ("pay.order_exists", 3)
    assert names(till) == ["A-1"]


@pytest.mark.parametrize(
    "line",
    [
        '{"order": "A-1", "asset": "ton", "amount": 1}',
        '{"order": "A-1", "asset": "ton", "amount": "1", "amount": "2"}',
        '{"order": "A-1", "asset": "ton", "amount": "1", "memo": "\\ud800"}',
        '{"order": "A-1", "asset": "ton", "amount": "1", "memo": ["x"]}',
        '{"order": "A-1", "asset": "ton", "amount": NaN}',
        '{"order": "A-1", "asset": "ton", "amount": "1"',
        "[" * 5000,
        "null",
    ],
)
def test_a_line_that_is_no_order_is_named(tmp_path, line):
    path = tmp_path / "orders.jsonl"
    path.write_text("\n" + line + "\n")
    error = refused(path)
    assert (error.code, error.context["row"]) == ("pay.bad_row", 2)


def test_a_file_that_is_not_utf_8_is_refused(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_bytes(TITLES.encode() + b"A-1,ton,,1,\xff\xfe,,\n")
    assert refused(path).code == "pay.bad_row"


def test_titles_may_be_fewer_and_in_any_order(till, tmp_path):
    path = tmp_path / "orders.csv"
    path.write_bytes("\ufeffamount,asset,order\r\n1.5,ton,A-1\r\n\r\n2,usdt-trc20,A-2\r\n".encode())
    assert import_file(till, path) == ["A-1", "A-2"]
    assert till.order("A-1").amount == "1500000000"


@pytest.mark.parametrize("titles", ["order,asset,price", "order,order,asset,amount"])
def test_a_title_that_there_is_not_is_refused(tmp_path, titles):
    path = tmp_path / "orders.csv"
    path.write_text(f"{titles}\n")
    assert refused(path).context["row"] == 1


def test_both_forms_give_the_same_orders(tmp_path):
    row = {"order": "A-1", "asset": "usdt-trc20", "wallet": SHOP, "amount": "12.5", "memo": ""}
    row |= {"valid_from": "2026-11-01T00:00:00Z", "valid_until": "2026-11-02T00:00:00+02:00"}
    lines, rows = tmp_path / "orders.jsonl", tmp_path / "orders.csv"
    lines.write_text(json.dumps(row))
    rows.write_text(TITLES + ",".join(row.values()) + "\n")
    assert list(read_orders(lines)) == list(read_orders(rows))
