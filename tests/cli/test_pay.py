"""`x0tta pay` from an order to its payment, as a process, against the chains' APIs."""

from __future__ import annotations

import json
from base64 import b64encode
from threading import Timer

import base58
import pytest
from fakes.pay_world import SHOP, TON_SHOP, World, world

from x0tta_cli.pay.addresses import ton as ton_addresses

pytestmark = pytest.mark.slow


@pytest.fixture
def served(tmp_path):
    with world(tmp_path) as made:
        yield made


@pytest.fixture
def pay(x0tta, served):
    def run(*arguments):
        return x0tta("pay", *arguments, "--config", str(served.config))

    ended = run("wallets", "add", "usdt-trc20", SHOP, "--name", "shop")
    assert ended.returncode == 0, ended.stderr
    for asset in ("ton", "usdt-ton"):
        friendly = ton_addresses.friendly(TON_SHOP, is_bounceable=False)
        assert run("wallets", "add", asset, friendly).returncode == 0
    return run


def answer(ended):
    return json.loads(ended.stdout)


def code_of(ended):
    return json.loads(ended.stderr.splitlines()[-1])["code"]


def expect(pay, order, amount, asset):
    ended = pay("expect", "add", order, amount, asset, "--valid-from", "-1h", "-o", "json")
    assert ended.returncode == 0, ended.stderr
    return answer(ended)


def test_each_asset_from_an_order_to_paid(pay, served: World):
    trc20 = expect(pay, "T-1", "12.5", "usdt-trc20")
    expect(pay, "N-1", "3", "ton")
    expect(pay, "J-1", "40", "usdt-ton")
    tx = served.pay_tron(int(trc20["amount"]))
    served.pay_ton(3_000_000_000, "N-1")
    served.pay_usdt(40_000_000, "J-1", forward=0)
    ended = pay("reconcile", "-o", "json")
    result = answer(ended)
    assert ended.returncode == 0, ended.stderr
    assert {(one["order"], one["from"], one["to"]) for one in result["changes"]} == {
        ("T-1", "expected", "paid"),
        ("N-1", "expected", "paid"),
        ("J-1", "expected", "paid"),
    }
    assert result["orders"] == {"paid": 3}
    assert {one["name"]: one["state"] for one in result["sources"]} == dict.fromkeys(
        ("trongrid", "tronscan", "tonapi", "toncenter"), "ok"
    )
    shown = answer(pay("show", "T-1", "-o", "json"))
    [final] = [one for one in shown["evidence"] if one["finality"] == "final"]
    assert (final["tx"], final["amount"], final["log_index"]) == (tx, trc20["amount"], 0)
    assert pay("audit", "--head", result["log_head"]).returncode == 0


def test_an_order_has_the_members_that_programs_read(pay):
    order = expect(pay, "T-1", "12.5", "usdt-trc20")
    assert list(order) == [
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
        "evidence",
    ]
    assert (order["amount"], order["received"], order["decimals"]) == ("12500000", "0", 6)


def test_verify_says_no_pending_and_paid_by_its_status(pay, served: World):
    expect(pay, "N-1", "3", "ton")
    assert pay("verify", "N-1").returncode == 3
    served.pay_ton(1_000_000_000, "N-1")
    assert answer(pay("verify", "N-1", "-o", "json"))["state"] == "underpaid"
    served.pay_ton(2_000_000_000, "N-1")
    ended = pay("verify", "N-1")
    assert (ended.returncode, ended.stdout.splitlines()[0]) == (0, "N-1 is paid.")


def test_waiting_ends_with_the_payment_or_with_what_is_known_in_time(pay, served: World):
    expect(pay, "N-1", "3", "ton")
    ended = pay("verify", "N-1", "--wait", "--timeout", "12s", "-o", "json")
    assert (ended.returncode, answer(ended)["state"]) == (3, "expected")
    later = Timer(6, lambda: served.pay_ton(3_000_000_000, "N-1"))
    later.start()
    ended = pay("verify", "N-1", "--wait", "--timeout", "50s", "-o", "json")
    later.join()
    assert (ended.returncode, answer(ended)["state"]) == (0, "paid")


def test_a_dry_run_of_verify_asks_nothing_and_knows_the_order(pay, served: World):
    expect(pay, "N-1", "3", "ton")
    plan = answer(pay("verify", "N-1", "--dry-run", "-o", "json"))
    assert {one["source"] for one in plan["reads"]} == {"tonapi", "toncenter"}
    assert pay("verify", "N-2", "--dry-run").returncode == 4
    assert not any(fake.requests for fake in served.fakes.values())


def test_a_transaction_is_named_as_explorers_write_it(pay, served: World):
    expect(pay, "N-1", "3", "ton")
    tx = served.pay_ton(3_000_000_000, "N-1")
    written = b64encode(bytes.fromhex(tx)).decode()
    assert pay("verify", "N-1", "--tx", written).returncode == 0
    ended = pay("verify", "N-1", "--tx", "N-1", "-o", "json")
    assert (ended.returncode, code_of(ended)) == (2, "pay.bad_transaction_id")
    # The payment itself is none, however it is written.
    ended = pay("refund", "N-1", "--tx", written, "--yes", "-o", "json")
    assert (ended.returncode, code_of(ended)) == (2, "pay.bad_transaction_id")
    sent_back = b64encode(bytes.fromhex("ab" * 32)).decode()
    assert answer(pay("refund", "N-1", "--tx", sent_back, "--yes", "-o", "json")) == {
        "order": "N-1",
        "state": "refunded",
        "would_change": False,
    }
    assert pay("audit").returncode == 0


def test_unknown_is_not_unpaid(pay, served: World):
    from fakes.chains.server import Trouble

    expect(pay, "N-1", "3", "ton")
    for name in ("tonapi", "toncenter"):
        served.fakes[name].trouble = Trouble(is_down=True)
    ended = pay("verify", "N-1", "-o", "json", "--timeout", "50s")
    assert ended.returncode == 7
    assert answer(ended)["unread"]


def test_a_large_payment_needs_a_second_kind_of_source(x0tta, tmp_path):
    with world(tmp_path, "tonapi") as one:
        run = lambda *words: x0tta("pay", *words, "--config", str(one.config))  # noqa: E731
        run("wallets", "add", "ton", TON_SHOP)
        run("expect", "add", "N-1", "2000", "ton", "--valid-from", "-1h")
        one.pay_ton(2_000_000_000_000, "N-1")
        ended = run("verify", "N-1")
        assert (ended.returncode, "second source" in ended.stdout) == (10, True)


def test_two_sources_that_agree_make_a_large_payment_paid(pay, served: World):
    expect(pay, "N-1", "2000", "ton")
    served.pay_ton(2_000_000_000_000, "N-1")
    ended = pay("verify", "N-1", "-o", "json")
    assert ended.returncode == 0
    assert set(answer(ended)["evidence"][0]["sources"]) == {"tonapi", "toncenter"}


def test_a_reconcile_has_the_members_that_programs_read(pay, served: World):
    expect(pay, "N-1", "3", "ton")
    served.pay_ton(3_000_000_000, "N-1")
    served.pay_ton(7, "what is this")
    result = answer(pay("reconcile", "-o", "json"))
    assert set(result) >= {"sources", "changes", "unmatched", "orders", "log_head"}
    assert set(result["sources"][0]) >= {"name", "pages", "receipts", "refused", "state"}
    assert result["changes"] == [{"order": "N-1", "from": "expected", "to": "paid"}]
    [unmatched] = result["unmatched"]
    assert (unmatched["amount"], unmatched["memo"]) == ("7", "what is this")
    [evidence] = answer(pay("show", "N-1", "-o", "json"))["evidence"]
    needed = {"chain", "tx", "log_index", "amount", "from", "at", "finality", "sources"}
    assert set(evidence) >= needed


@pytest.mark.parametrize("amount", ["1e6", "0x10", "-5", "1" + "0" * 30, "0", "1,5", "٣", "1."])
def test_what_is_no_amount_is_refused_on_the_command_line(x0tta, amount):
    ended = x0tta("pay", "expect", "add", "-o", "json", "--", "A-1", amount, "ton")
    assert (ended.returncode, code_of(ended)) == (2, "pay.bad_amount")


def test_a_second_reconcile_changes_nothing(pay, served: World):
    expect(pay, "N-1", "3", "ton")
    served.pay_ton(3_000_000_000, "N-1")
    first = answer(pay("reconcile", "-o", "json"))
    second = answer(pay("reconcile", "-o", "json"))
    assert first["changes"]
    assert (second["changes"], second["unmatched"]) == ([], [])
    assert first["log_head"] == second["log_head"]


def test_a_dry_run_prints_the_plan_and_asks_for_nothing(pay, served: World):
    expect(pay, "N-1", "3", "ton")
    ended = pay("reconcile", "--dry-run", "--exit-code", "-o", "json")
    assert ended.returncode == 3
    assert {one["source"] for one in answer(ended)["reads"]} == set(served.fakes)
    assert not any(fake.requests for fake in served.fakes.values())


def test_import_takes_all_rows_or_none_and_names_the_bad_one(pay, tmp_path):
    good = "order,asset,wallet,amount,memo,valid_from,valid_until\n"
    good += "A-1,ton,,1.5,,2026-11-01T00:00:00Z,\nA-2,usdt-trc20,shop,2,,,\n"
    file = tmp_path / "orders.csv"
    file.write_text(good + "A-3,ton,,1e6,,,\n")
    ended = pay("expect", "import", str(file), "-o", "json")
    problem = json.loads(ended.stderr.splitlines()[-1])
    assert (ended.returncode, problem["code"]) == (2, "pay.bad_row")
    assert problem["context"] == {"row": 4, "column": "amount"}
    assert answer(pay("list", "-o", "json")) == []
    file.write_text(good)
    assert answer(pay("expect", "import", str(file), "-o", "json"))["added"] == 2
    assert [one["order"] for one in answer(pay("expect", "list", "-o", "json"))] == ["A-1", "A-2"]


@pytest.mark.parametrize(
    "line",
    [
        '{"order": "A-1", "asset": "ton", "wallet": "", "amount": 1.5}',
        '{"order": "A-1", "asset": "ton", "wallet": "", "amount": "0x10"}',
        '{"order": "A-1", "asset": "ton", "wallet": "", "amount": "-1"}',
        '{"order": "A-1", "asset": "ton", "wallet": "", "amount": "1000000000000000000000000000"}',
        '{"order": "A-1", "asset": "USDT", "wallet": "", "amount": "1"}',
        '{"order": "A-1", "asset": "ton", "wallet": "", "amount": "1", "price": "2"}',
        '{"order": "A-1", "asset": "ton", "wallet": "", "amount": "1"',
        "[1]",
    ],
)
def test_lines_that_are_no_orders_are_refused(pay, tmp_path, line):
    file = tmp_path / "orders.jsonl"
    file.write_text(line + "\n")
    ended = pay("expect", "import", str(file), "-o", "json")
    assert (ended.returncode, code_of(ended)) == (2, "pay.bad_row")


def test_transfers_that_belong_to_nobody_are_listed_with_their_links(pay, served: World):
    served.pay_ton(5, "\x1b[2Jwhat is this \u202e")
    served.pay_ton(6, "N-1 ")
    assert pay("reconcile").returncode == 0
    ended = pay("unmatched")
    assert "'N-1 '" in ended.stdout
    assert "https://tonviewer.com/transaction/" in ended.stdout
    assert "\x1b" not in ended.stdout
    assert "\u202e" not in ended.stdout


def test_exports_hold_the_orders_and_run_no_formula(pay, served: World, tmp_path):
    pay("expect", "add", "N-1", "3", "ton", "--memo", "=1+1", "--valid-from", "-1h")
    served.pay_ton(3_000_000_000, "=1+1")
    pay("reconcile")
    rows, lines, journal = (tmp_path / f"out.{end}" for end in ("csv", "jsonl", "beancount"))
    for file in (rows, lines, journal):
        assert pay("export", str(file)).returncode == 0
    assert ",'=1+1," in rows.read_text()
    assert json.loads(lines.read_text())["evidence"][0]["amount"] == "3000000000"
    assert "  Income:Orders  -3 TON\n" in journal.read_text()
    ended = pay("export", str(tmp_path / "out.xls"), "-o", "json")
    assert (ended.returncode, code_of(ended)) == (2, "pay.bad_form")


def test_a_wallet_that_was_not_read_in_time_is_a_no(pay):
    assert pay("wallets", "check").returncode == 3
    assert pay("reconcile").returncode == 0
    ended = pay("wallets", "check", "-o", "json")
    assert ended.returncode == 0, ended.stdout


def test_reading_commands_make_no_ledger(x0tta, tmp_path):
    assert answer(x0tta("pay", "list", "-o", "json")) == []
    ended = x0tta("pay", "unmatched")
    assert (ended.stdout, ended.stderr) == ("", "Nothing found.\n")
    assert x0tta("pay", "show", "A-1").returncode == 4
    assert not (tmp_path / "state" / "pay.sqlite").exists()


def test_without_a_source_nothing_is_said_about_money(x0tta):
    ended = x0tta("pay", "reconcile", "-o", "json")
    assert (ended.returncode, code_of(ended)) == (9, "pay.no_source")


def test_read_only_refuses_what_changes_something(pay):
    for words in (["reconcile"], ["expect", "cancel", "A-1"], ["verify", "A-1"]):
        ended = pay(*words, "--read-only", "-o", "json")
        assert (ended.returncode, code_of(ended)) == (6, "run.read_only")


def test_a_wallet_is_named_by_its_address_in_any_form_and_is_all_assets_there(pay, served: World):
    expect(pay, "N-1", "3", "ton")
    expect(pay, "J-1", "40", "usdt-ton")
    expect(pay, "T-1", "12.5", "usdt-trc20")
    served.pay_ton(3_000_000_000, "N-1")
    served.pay_usdt(40_000_000, "J-1")
    friendly = ton_addresses.friendly(TON_SHOP, is_bounceable=True)
    result = answer(pay("reconcile", "--wallet", friendly, "-o", "json"))
    assert result["orders"] == {"expected": 1, "paid": 2}
    listed = answer(pay("list", "--wallet", TON_SHOP.upper(), "-o", "json"))
    assert [one["order"] for one in listed] == ["N-1", "J-1"]
    in_hex = base58.b58decode_check(SHOP).hex()
    assert [one["order"] for one in answer(pay("list", "--wallet", in_hex, "-o", "json"))] == [
        "T-1"
    ]
    assert pay("list", "--wallet", "nobody").returncode == 4
