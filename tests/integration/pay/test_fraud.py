"""Every attack as a row: none of them is accepted, and no honest payment is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from fakes.chains import ton, tron
from fakes.chains.server import Answer, Fake, Trouble
from fakes.chains.tron import Move, Token
from fakes.pay_world import PAYER, SHOP, TON_PAYER, TON_SHOP, world
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC)
FAKE_USDT = tron.address_of("a contract that calls itself USDT")
FAKE_MASTER = ton.account_of("a master that calls itself USDT")
STRANGER = tron.address_of("somebody else")
PRICE = 12_500_000


def a_minute_ago() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=60)


def fake_token(world):
    world.tron.tokens[FAKE_USDT] = Token("USDT", 6, "Tether USD")
    world.pay_tron(PRICE, contract=FAKE_USDT)


def reverted(world):
    world.tron.transaction(Move(PAYER, SHOP, PRICE), result="REVERT")


def out_of_energy(world):
    world.tron.transaction(Move(PAYER, SHOP, PRICE), result="OUT_OF_ENERGY")


def failed_with_huge_amount(world):
    world.tron.transaction(Move(PAYER, SHOP, 10**15), result="REVERT")


def to_somebody_else(world):
    world.tron.transfer(PAYER, STRANGER, PRICE)


def zero_value(world):
    world.pay_tron(0)


def dust(world):
    world.pay_tron(1)


def almost_the_amount(world):
    world.pay_tron(PRICE - 1)
    world.pay_tron(PRICE + 1)


def another_orders_amount_rounded(world):
    world.pay_tron(PRICE // 1_000_000 * 1_000_000)


def before_the_order(world):
    world.pay_tron(PRICE, at=NOW - timedelta(hours=3))


def reorganised_away(world):
    world.tron.reorganise(world.pay_tron(PRICE))


TRON_ATTACKS = [
    fake_token,
    reverted,
    out_of_energy,
    failed_with_huge_amount,
    to_somebody_else,
    zero_value,
    dust,
    almost_the_amount,
    another_orders_amount_rounded,
    before_the_order,
    reorganised_away,
]


@pytest.mark.parametrize("attack", TRON_ATTACKS, ids=lambda attack: attack.__name__)
def test_on_tron_an_attack_makes_nothing_paid(shop, served, attack):
    order = shop.expect("A-1", PRICE, "usdt-trc20")
    shop.expect("A-2", PRICE, "usdt-trc20")
    attack(served)
    shop.reconcile()
    assert order.amount == str(PRICE)
    assert shop.state("A-1") in {"expected", "seen"}
    assert shop.order("A-1").received == "0"
    assert shop.differences() == ()


def wrong_memo(world):
    for memo in ("A-10", "A-", "a-1", " A-1", "A-1 ", "\u202eA-1", "A-1\u200b", "", None):
        world.pay_ton(3 * 10**9, memo)


def bounced(world):
    world.pay_ton(3 * 10**9, "A-1", bounced=True)


def bounce_phase(world):
    world.pay_ton(3 * 10**9, "A-1", aborted=True, bounce_phase="ok", exit_code=9)


def without_source(world):
    world.ton.pay_ton(None, TON_SHOP, 3 * 10**9, "A-1", at=a_minute_ago())


def too_little(world):
    world.pay_ton(1, "A-1")


def before_it_was_asked_for(world):
    world.pay_ton(3 * 10**9, "A-1", at=NOW - timedelta(hours=3))


def jettons_where_coins_are_meant(world):
    world.pay_usdt(3 * 10**9, "A-1")


TON_ATTACKS = [
    wrong_memo,
    bounced,
    bounce_phase,
    without_source,
    too_little,
    before_it_was_asked_for,
    jettons_where_coins_are_meant,
]


@pytest.mark.parametrize("attack", TON_ATTACKS, ids=lambda attack: attack.__name__)
def test_on_ton_an_attack_makes_nothing_paid(shop, served, attack):
    shop.expect("A-1", 3 * 10**9, "ton")
    attack(served)
    shop.reconcile()
    assert shop.state("A-1") in {"expected", "underpaid"}
    assert int(shop.order("A-1").received) <= 1
    assert shop.differences() == ()


def fake_master(world):
    world.pay_usdt(40_000_000, "A-1", master=FAKE_MASTER)


def refused_by_the_wallet(world):
    world.pay_usdt(40_000_000, "A-1", is_refused=True)


def into_a_wallet_that_is_not_derived(world):
    world.pay_usdt(40_000_000, "A-1", holder=ton.account_of("not our jetton wallet"))


def forged_notification(world):
    body = ton.transfer_notification(40_000_000, TON_PAYER, ton.text_comment("A-1"))
    second, forger = int(a_minute_ago().timestamp()), ton.account_of("forger")
    world.ton.add(ton.Transaction(TON_SHOP, forger, 10**7, body, second))


def coins_where_jettons_are_meant(world):
    world.pay_ton(40_000_000, "A-1")


JETTON_ATTACKS = [
    fake_master,
    refused_by_the_wallet,
    into_a_wallet_that_is_not_derived,
    forged_notification,
    coins_where_jettons_are_meant,
]


@pytest.mark.parametrize("attack", JETTON_ATTACKS, ids=lambda attack: attack.__name__)
def test_with_jettons_an_attack_makes_nothing_paid(shop, served, attack):
    shop.expect("A-1", 40_000_000, "usdt-ton")
    attack(served)
    shop.reconcile()
    assert (shop.state("A-1"), shop.order("A-1").received) == ("expected", "0")
    assert shop.differences() == ()


def all_at_once(shop, served) -> None:
    """Expect and pay twenty-four orders, in all the ways that honest payers have."""
    for number in range(8):
        order = shop.expect(f"T-{number}", PRICE, "usdt-trc20")
        served.pay_tron(int(order.amount))
        shop.expect(f"N-{number}", 10**9 + number)
        served.pay_ton(10**9 + number, f"N-{number}\n" if number % 2 else f"N-{number}")
        shop.expect(f"J-{number}", 10**6 + number, "usdt-ton")
        served.pay_usdt(10**6 + number, f"J-{number}", forward=(0, 1, 50_000_000)[number % 3])


def test_no_honest_payment_is_refused_among_all_attacks(shop, served):
    attacks = [*TRON_ATTACKS, *TON_ATTACKS, *JETTON_ATTACKS]
    # A smallest unit more is what the next order was asked for.
    attacks.remove(almost_the_amount)
    # An account's transactions come in the order of time.
    attacks.remove(before_it_was_asked_for)
    before_it_was_asked_for(served)
    all_at_once(shop, served)
    for attack in attacks:
        attack(served)
    result = shop.reconcile()
    assert result.orders == {"paid": 24}
    assert shop.differences() == ()


PAYMENTS = {
    "usdt-trc20": lambda world, order: world.pay_tron(int(order.amount)),
    "ton": lambda world, order: world.pay_ton(int(order.amount), order.order),
    "usdt-ton": lambda world, order: world.pay_usdt(int(order.amount), order.order),
}
# What makes a payment another, which nobody may take for the one that was asked for.
FLAWS = {
    "usdt-trc20": [
        lambda world, order: world.pay_tron(int(order.amount), contract=FAKE_USDT),
        lambda world, order: world.tron.transfer(PAYER, STRANGER, int(order.amount)),
        lambda world, order: world.tron.transaction(
            Move(PAYER, SHOP, int(order.amount)), result="OUT_OF_ENERGY"
        ),
        lambda world, order: world.pay_tron(int(order.amount) + 20_000),
        lambda world, order: world.pay_tron(0),
    ],
    "ton": [
        lambda world, order: world.pay_ton(int(order.amount), f"{order.order} "),
        lambda world, order: world.pay_ton(int(order.amount), order.order, bounced=True),
        lambda world, order: world.pay_ton(int(order.amount), None),
        lambda world, order: world.pay_usdt(int(order.amount), order.order),
    ],
    "usdt-ton": [
        lambda world, order: world.pay_usdt(int(order.amount), order.order, master=FAKE_MASTER),
        lambda world, order: world.pay_usdt(int(order.amount), order.order, is_refused=True),
        lambda world, order: world.pay_usdt(int(order.amount), f"\u202e{order.order}"),
        lambda world, order: world.pay_ton(int(order.amount), order.order),
    ],
}
DRAWN = st.lists(
    st.tuples(st.sampled_from(sorted(FLAWS)), st.integers(-2, 4), st.integers(1, 10**9)),
    min_size=4,
    max_size=16,
)


def test_of_any_mixture_the_honest_payments_alone_are_accepted(
    state, open_shop, tmp_path_factory, monkeypatch
):
    counts = {"attacks": 0, "accepted": 0, "payments": 0, "refused": 0}

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(DRAWN)
    def mix(drawn):
        folder = tmp_path_factory.mktemp("mixture")
        monkeypatch.setenv("X0TTA_STATE_DIR", str(folder / "state"))
        with world(folder) as served:
            served.tron.tokens[FAKE_USDT] = Token("USDT", 6, "Tether USD")
            shop, honest = open_shop(served), {}
            for number, (asset, flaw, amount) in enumerate(drawn):
                # Fifty of a cent apart at least, so that no order's amount is another's.
                order = shop.expect(f"O-{number}", amount * 50_000 + number, asset)
                way = PAYMENTS[asset] if flaw < 0 else FLAWS[asset][flaw % len(FLAWS[asset])]
                way(served, order)
                honest[order.order] = flaw < 0
            shop.reconcile()
            for name, is_honest in honest.items():
                # Above a thousand units two kinds of sources have agreed.
                is_paid = shop.state(name) == "paid"
                counts["payments" if is_honest else "attacks"] += 1
                counts["refused"] += is_honest and not is_paid
                counts["accepted"] += not is_honest and shop.order(name).received != "0"
            assert shop.differences() == ()
            shop.ledger.close()
        assert (counts["accepted"], counts["refused"]) == (0, 0), counts

    mix()
    print(
        f"accepted {counts['accepted']} of {counts['attacks']} attacks, "
        f"refused {counts['refused']} of {counts['payments']} honest payments"
    )
    assert min(counts["attacks"], counts["payments"]) > 30


def says(content: bytes) -> Callable[[Fake], None]:
    return lambda fake: setattr(fake, "trouble", Trouble(body=content))


def answers_with(status: int, content: bytes = b"{}") -> Callable[[Fake], None]:
    return lambda fake: setattr(fake, "trouble", Trouble(status=status, body=content))


def has(**habits: object) -> Callable[[Fake], None]:
    def apply(fake: Fake) -> None:
        for name, value in habits.items():
            setattr(fake.habits, name, value)

    return apply


def writes_the_amount_as(written: bytes) -> Callable[[Fake], None]:
    """An amount of PRICE, which is on the chain, is told in another way."""

    def apply(fake: Fake) -> None:
        handle = fake.handle

        def rewritten(request):
            given = handle(request)
            told = re.sub(rb'("?)%d\1' % PRICE, written, given.content())
            return Answer(told, given.status, given.headers)

        fake.handle = rewritten

    return apply


SUSPENDED = (
    b'{"Success":false,"Error":"The key exceeds the frequency limit(15), suspended for 30s"}'
)
FAULTS = {
    "cut in the middle": lambda fake: setattr(fake, "trouble", Trouble(truncates=True)),
    "a page of HTML": says(b"<html>"),
    "five megabytes": lambda fake: setattr(fake, "trouble", Trouble(pads_to=5_000_000)),
    "an error with status 200": says(b'{"Error": "class java.lang.NullPointerException"}'),
    "an empty object": says(b"{}"),
    "an empty list": says(b"[]"),
    "nothing": says(b""),
    "503": answers_with(503),
    "429": answers_with(429, b'{"ok":false,"result":"Ratelimit exceed","code":429}'),
    "suspended": answers_with(403, SUSPENDED),
    "wrong key": answers_with(401),
    "500": answers_with(500),
    "closed": lambda fake: setattr(fake, "trouble", Trouble(is_down=True)),
    "an amount with an exponent": writes_the_amount_as(b'"1.25e7"'),
    "an amount in hex": writes_the_amount_as(b'"0xbebc20"'),
    "a negative amount": writes_the_amount_as(b'"-12500000"'),
    "a float": writes_the_amount_as(b"12500000.0"),
    "more than there is": writes_the_amount_as(b'"1000000000000000000000000000000"'),
}
OF_TRON = {"seconds for milliseconds": has(in_seconds=True)}


@pytest.mark.parametrize("asset", ["usdt-trc20", "ton"])
@pytest.mark.parametrize("fault", [*FAULTS, *OF_TRON])
def test_an_answer_that_cannot_be_relied_upon_is_not_yet_known_and_costs_nothing(
    shop, served, asset, fault
):
    if asset == "ton" and fault in OF_TRON:
        fault = "cut in the middle"
    order = shop.expect("A-1", PRICE, asset)
    # Long enough ago for both sources: one knows of no block of the last two minutes.
    long_ago = datetime.now(UTC) - timedelta(minutes=5)
    if asset == "ton":
        served.pay_ton(PRICE, "A-1", at=long_ago)
    else:
        served.pay_tron(int(order.amount), at=long_ago)
    names = ("trongrid", "tronscan") if asset == "usdt-trc20" else ("tonapi", "toncenter")
    fakes = [served.fakes[name] for name in names]
    handles = [fake.handle for fake in fakes]
    for fake in fakes:
        (FAULTS | OF_TRON)[fault](fake)
    # Unknown is not unpaid.
    assert shop.verify("A-1").exit_status in {6, 7, 10}
    assert shop.order("A-1").received == "0"
    for fake, handle in zip(fakes, handles, strict=True):
        fake.trouble, fake.handle = None, handle
        has(in_seconds=False)(fake)
    assert shop.verify("A-1").exit_status == 0
    assert (shop.state("A-1"), shop.order("A-1").received) == ("paid", str(PRICE))
    assert shop.differences() == ()


def test_an_empty_page_for_a_window_that_holds_a_transfer_loses_nothing(shop, served):
    order = shop.expect("A-1", PRICE, "usdt-trc20")
    PAYMENTS["usdt-trc20"](served, order)
    served.fakes["tronscan"].trouble = Trouble(is_down=True)
    served.fakes["trongrid"].habits.is_empty = True
    assert shop.verify("A-1").state == "expected"
    served.fakes["trongrid"].habits.is_empty = False
    assert shop.verify("A-1").state == "paid"
