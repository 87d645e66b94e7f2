"""Files for others: spreadsheets, programs and journals, whatever strangers wrote into memos."""

from __future__ import annotations

import csv
import json
import re

import pytest
from fakes.till import Till

from x0tta_cli.pay.exporting import as_beancount, as_csv, as_json_lines
from x0tta_cli.pay.ledger.reading import orders_in

# https://beancount.github.io/docs/beancount_language_syntax.html
OPEN = re.compile(r"\d{4}-\d\d-\d\d open [A-Z][A-Za-z0-9-]*(:[A-Z0-9][A-Za-z0-9-]*)+")
ENTRY = re.compile(r'\d{4}-\d\d-\d\d [*!] "[^"\\\n]*" "[^"\\\n]*"')
TAG = re.compile(r'  tx: "[0-9a-f]{64}"')
POSTING = re.compile(
    r"  [A-Z][A-Za-z0-9-]*(:[A-Z0-9][A-Za-z0-9-]*)+  -?\d+(\.\d+)? [A-Z][A-Z0-9'._-]*[A-Z0-9]"
)


@pytest.fixture
def till(state):
    made = Till()
    yield made
    made.ledger.close()


def orders(till):
    with till.ledger.reading() as connection:
        return list(orders_in(connection))


@pytest.mark.parametrize(
    "memo",
    ["=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(A1)", "＝1+1", '=HYPERLINK("http://x","y")'],
)
def test_no_memo_becomes_a_formula(till, memo):
    till.expect("A-1", 1000, memo=memo)
    [row] = csv.DictReader("".join(as_csv(orders(till))).splitlines())
    assert row["memo"] == f"'{memo}"


def test_a_memo_that_reorders_or_hides_text_is_written_out_for_spreadsheets(till):
    till.expect("A-1", 1000, memo='a\u202eb\u200bc\ufeff,"d"')
    [row] = csv.DictReader("".join(as_csv(orders(till))).splitlines())
    assert row["memo"] == 'a\\u202eb\\u200bc\\ufeff,"d"'


def test_programs_get_each_memo_as_it_is(till):
    memo = '=1+1 \u202e\u2028 <b> "quoted" \\ спасибо 🙂'
    till.expect("A-1", 1000, memo=memo)
    [line] = list(as_json_lines(orders(till)))
    assert line.isascii()
    assert json.loads(line)["memo"] == memo


def test_money_is_an_integer_in_every_form(till):
    till.expect("A-1", 1)
    till.receive(till.transfer(1, "A-1"))
    [row] = csv.DictReader("".join(as_csv(orders(till))).splitlines())
    [line] = [json.loads(line) for line in as_json_lines(orders(till))]
    assert (row["amount"], row["received"], row["decimals"]) == ("1", "1", "9")
    assert (line["amount"], line["received"], line["decimals"]) == ("1", "1", 9)
    assert "  Income:Orders  -0.000000001 TON\n" in "".join(as_beancount(orders(till)))


def test_a_journal_keeps_to_the_language(till):
    till.expect("A-1", 1000, memo='"\n" ; = * !'.replace("\n", ""))
    till.expect("T-1", 2_500_000, asset="usdt-trc20")
    till.receive(till.transfer(1000, '"" ; = * !'), till.transfer(2_500_000, asset="usdt-trc20"))
    lines = "".join(as_beancount(orders(till))).splitlines()
    kinds = [next(name for name, kind in KINDS.items() if kind.fullmatch(line)) for line in lines]
    assert kinds.count("entry") == 2
    assert kinds.count("posting") == 4
    assert kinds.count("open") == 3


KINDS = {"open": OPEN, "entry": ENTRY, "tag": TAG, "posting": POSTING}


def test_a_journal_books_what_counts_and_nothing_else(till):
    till.expect("PAID", 1000)
    till.expect("PART", 1000)
    till.expect("LARGE", 5_000 * 10**9)
    till.expect("TWO-WORDS", 1000)
    told = till.transfer(1000, "TWO-WORDS")
    till.receive(
        till.transfer(1000, "PAID"),
        till.transfer(400, "PART"),
        till.transfer(5_000 * 10**9, "LARGE"),
        told,
    )
    till.receive(till.transfer(999, "TWO-WORDS", tx=told.tx, source="toncenter"))
    journal = "".join(as_beancount(orders(till)))
    assert till.state("LARGE") == "confirming"
    assert till.state("TWO-WORDS") == "conflicting"
    booked = re.findall(r'([*!]) "([^"]+)" "([^"]+)"', journal)
    assert booked == [("*", "PAID", "paid"), ("!", "PART", "underpaid")]
