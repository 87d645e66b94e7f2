"""Wallets and orders are added, cancelled and refunded."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from x0tta_cli.core.errors import ConflictError, NotFoundError, UsageError
from x0tta_cli.pay import addresses
from x0tta_cli.pay.assets import find_asset
from x0tta_cli.pay.chains.transactions import parse_transaction
from x0tta_cli.pay.ledger import chain
from x0tta_cli.pay.ledger.bulk import insert_rows
from x0tta_cli.pay.ledger.database import Ledger
from x0tta_cli.pay.ledger.keys import Keys, Window
from x0tta_cli.pay.ledger.pieces import pieces
from x0tta_cli.pay.ledger.tables import CLAIMS, LOG, ORDERS, STANDINGS, TRANSFERS, WALLETS
from x0tta_cli.pay.matching import LONGEST_MEMO, clean_memo, key_of_order
from x0tta_cli.pay.model import Asset, Chain
from x0tta_cli.pay.orders import (
    MatchBy,
    NewOrder,
    OrderState,
    Wallet,
    smallest_units,
    unknown_order,
)

# What a deep link carries, and what stands in a file name, a shell line and a log as it is.
ORDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
PIECE = 1000
# The last second that an instant can be written of.
LAST_INSTANT_MS = 253_402_300_799_000
TX_HASH = re.compile(r"[0-9a-f]{64}")


def add_wallet(ledger: Ledger, asset_name: str, written: str, name: str = "") -> Wallet:
    """Add one asset at one address of ours; adding it again changes nothing.

    Raises UsageError `pay.unknown_asset`, `pay.bad_address`; ConflictError `pay.wallet_name_taken`.
    """
    asset = find_asset(asset_name)
    address = addresses.parse(asset.chain, written, asset.network)
    with ledger.writing() as connection:
        for wallet in wallets_in(connection):
            if (wallet.asset, wallet.address) == (asset.name, address):
                return wallet
        number = chain.next_number(connection, WALLETS)
        wallet = Wallet(number, name or f"{asset.name}-{number}", asset.name, address)
        if any(other.name == wallet.name for other in wallets_in(connection)):
            raise ConflictError(
                "pay.wallet_name_taken",
                f"Another wallet is called '{wallet.name}'.",
                fix="Choose another --name; x0tta pay wallets list shows those in use.",
            )
        row = {"name": wallet.name, "chain": asset.chain.value, "asset": asset.name}
        connection.execute(WALLETS.insert(), {"number": number, **row, "address": address})
        chain.append(connection, "wallets", number, number)
    return wallet


def wallets_in(connection: Connection) -> list[Wallet]:
    """Give all wallets, in the order in which they were added."""
    columns = (WALLETS.c.number, WALLETS.c.name, WALLETS.c.asset, WALLETS.c.address)
    found = connection.execute(sa.select(*columns).order_by(WALLETS.c.number))
    return [Wallet(*row) for row in found]


def find_wallet(wallets: Sequence[Wallet], asset: Asset, written: str) -> Wallet:
    """Find the wallet of an asset by name or by its address in any form; "" is the only one.

    Raises UsageError `pay.unknown_wallet`.
    """
    mine = [wallet for wallet in wallets if wallet.asset == asset.name]
    if not written and len(mine) == 1:
        return mine[0]
    address = _canonical(written, asset)
    for wallet in mine:
        if (written and written == wallet.name) or address == wallet.address:
            return wallet
    raise UsageError(
        "pay.unknown_wallet",
        f"'{written}' is none of our wallets for {asset.name}.",
        reason=f"There are {', '.join(wallet.name for wallet in mine) or 'none'}.",
        fix=f"Add it: x0tta pay wallets add {asset.name} ADDRESS",
        context={"wallet": written, "asset": asset.name},
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """The configured limits, which are kept with each order; amounts in whole units, as text.

    `amount_hold` is how long an order that says no end keeps the amount that it was handed out.
    """

    quorum: str = "1000"
    tolerance: str = "0"
    amount_hold: timedelta = timedelta(days=30)


def add_orders(ledger: Ledger, orders: Iterable[NewOrder], limits: Limits) -> list[str]:
    """Add orders, all or none, and give their names; by unique amount where they have no memo.

    Raises UsageError `pay.bad_order`, `pay.unknown_wallet`; ConflictError `pay.order_exists`,
    `pay.key_taken`, `pay.no_free_amount`.
    """
    with ledger.writing() as connection:
        wallets = wallets_in(connection)
        first = chain.next_number(connection, ORDERS)
        names: list[str] = []
        keys = Keys(connection)
        for piece in pieces(orders, PIECE):
            names += _insert(connection, piece, wallets, keys, limits)
        if names:
            last = first + len(names) - 1
            _begin_standings(connection, first, last)
            chain.append(connection, "orders", first, last)
    return names


def cancel(ledger: Ledger, order: str) -> OrderState:
    """Cancel an order for which nothing has come, or one that sources contradict each other about.

    Of the latter nothing counts any more, and its transfers belong to nobody. Raises NotFoundError
    `pay.unknown_order` and ConflictError `pay.has_evidence`.
    """
    with ledger.writing() as connection:
        number, state, _ = _standing(connection, order)
        if state == OrderState.CANCELLED:
            return OrderState.CANCELLED
        claimed = connection.execute(
            sa.select(CLAIMS.c.transfer).where(CLAIMS.c.order_number == number).limit(1)
        ).first()
        if claimed is not None and state != OrderState.CONFLICTING:
            raise ConflictError(
                "pay.has_evidence",
                f"{order} can't be cancelled: it is {state}.",
                reason="A transfer has come for it, which must not be lost.",
                fix=f"x0tta pay show {order} shows it; pay refund records that it was sent back.",
            )
        _mark(connection, number, "cancelled_at")
        _change(connection, number, (state, OrderState.CANCELLED), 0, "")
    return OrderState.CANCELLED


def refund(ledger: Ledger, order: str, tx: str) -> OrderState:
    """Record that a refund was made by the transaction `tx`, an id as its sender writes it.

    Raises `pay.unknown_order` (4), `pay.bad_transaction_id` (2), `pay.nothing_to_refund` (5).
    """
    with ledger.writing() as connection:
        number, state, received = _standing(connection, order)
        written = parse_transaction(_chain_of(connection, number), tx)
        _refuse_payment(connection, number, written, order)
        if state == OrderState.REFUNDED:
            return OrderState.REFUNDED
        # What sources contradict each other about may have come all the same.
        if received == 0 and state != OrderState.CONFLICTING:
            raise ConflictError(
                "pay.nothing_to_refund",
                f"Nothing has been received for {order}: it is {state}.",
                fix=f"See x0tta pay show {order}.",
            )
        _mark(connection, number, "refunded_at")
        _change(connection, number, (state, OrderState.REFUNDED), received, written)
    return OrderState.REFUNDED


def _refuse_payment(connection: Connection, order_number: int, tx: str, order: str) -> None:
    paid = (
        sa.select(TRANSFERS.c.number)
        .join(CLAIMS, CLAIMS.c.transfer == TRANSFERS.c.number)
        .where(CLAIMS.c.order_number == order_number, TRANSFERS.c.tx == tx)
    )
    if connection.execute(paid.limit(1)).first() is not None:
        raise UsageError(
            "pay.bad_transaction_id",
            f"'{tx}' is the payment of {order}, and not its refund.",
            reason="It moved the money to us.",
            fix="Copy the hash of the transaction that sent the money back.",
            context={"transaction": tx, "order": order},
        )


def _change(
    connection: Connection, order_number: int, states: tuple[str, str], received: int, note: str
) -> None:
    """Append a change from one state to another, and let it stand."""
    was, now = states
    number = chain.next_number(connection, LOG)
    row = {"number": number, "order_number": order_number, "transfer": None}
    connection.execute(
        LOG.insert(), {**row, "was": was, "now": now, "received": received, "note": note}
    )
    connection.execute(
        STANDINGS.update()
        .where(STANDINGS.c.order_number == order_number)
        .values(state=now, received=received)
    )
    chain.append(connection, "log", number, number)


def to_ms(instant: datetime) -> int:
    """Write an aware instant in the ledger's form, rounded down."""
    return int(instant.timestamp()) * 1000 + instant.microsecond // 1000


def wallets_named(connection: Connection, written: str) -> list[Wallet]:
    """Find a wallet by its name, or all assets at an address, which may be in any form.

    Raises NotFoundError `pay.no_such_wallet`.
    """
    wallets = wallets_in(connection)
    found = [one for one in wallets if one.name == written] or [
        one for one in wallets if _canonical(written, find_asset(one.asset)) == one.address
    ]
    if found:
        return found
    raise NotFoundError(
        "pay.no_such_wallet",
        f"None of our wallets is called '{written}'.",
        fix="x0tta pay wallets list shows them.",
        context={"wallet": written},
    )


def _insert(
    connection: Connection,
    orders: Sequence[NewOrder],
    wallets: Sequence[Wallet],
    keys: Keys,
    limits: Limits,
) -> list[str]:
    """Insert some orders, and give their names."""
    number = chain.next_number(connection, ORDERS)
    names = [order.order for order in orders]
    _refuse_known(connection, names)
    keys.forget()
    prepared = [_prepared(order, wallets, limits.amount_hold) for order in orders]
    for wallet in {one.wallet for one in prepared}:
        keys.load(wallet, (one.key for one in prepared if one.wallet == wallet and one.key))
    rows = [_row(one, number + offset, keys, limits) for offset, one in enumerate(prepared)]
    insert_rows(connection, ORDERS, rows)
    return names


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An order that has been checked by itself; `key` is empty until an amount is handed out."""

    order: NewOrder
    wallet: int
    memo: str | None
    window: Window
    key: str


def _prepared(order: NewOrder, wallets: Sequence[Wallet], amount_hold: timedelta) -> _Prepared:
    asset = find_asset(order.asset)
    wallet = find_wallet(wallets, asset, order.wallet).number
    by, memo = _way(order, asset)
    start = to_ms(order.valid_from)
    end = None if order.valid_until is None else to_ms(order.valid_until)
    if end is not None and end <= start:
        raise _bad(order.order, "valid_until", "It is not after valid_from.")
    if end is None and by is MatchBy.AMOUNT:
        # There are few amounts that are about as much: none may be held for ever.
        begun = max(start, to_ms(datetime.now(UTC)))
        end = min(begun + amount_hold // timedelta(milliseconds=1), LAST_INSTANT_MS)
    key = "" if by is MatchBy.AMOUNT else key_of_order(by, memo, order.amount)
    return _Prepared(order, wallet, memo, (start, end), key)


def _row(one: _Prepared, number: int, keys: Keys, limits: Limits) -> dict[str, Any]:
    order, amount, asset = one.order, one.order.amount, find_asset(one.order.asset)
    if not one.key:
        amount = keys.free_amount(one.wallet, amount, one.window, order.order)
    key = one.key or key_of_order(MatchBy.AMOUNT, None, amount)
    keys.take(one.wallet, key, one.window, order.order)
    return {
        "number": number,
        "id": order.order,
        "wallet": one.wallet,
        "amount": amount,
        "memo": one.memo,
        "match_key": key,
        "valid_from": one.window[0],
        "valid_until": one.window[1],
        "quorum": smallest_units(limits.quorum, asset),
        "tolerance": smallest_units(limits.tolerance, asset),
    }


def _way(order: NewOrder, asset: Asset) -> tuple[MatchBy, str | None]:
    if not ORDER_NAME.fullmatch(order.order) or TX_HASH.fullmatch(order.order.lower()):
        raise _bad(
            order.order, "order", "A name is up to 64 letters, digits, '.', '_' and '-', no hash."
        )
    memo = order.memo or None
    if asset.chain is Chain.TRON and memo is not None:
        raise _bad(order.order, "memo", "A TRC-20 transfer carries none; leave it empty.")
    if memo is not None and (clean_memo(memo) != memo or len(memo) > LONGEST_MEMO):
        raise _bad(order.order, "memo", "It has control characters, or more than 120 signs.")
    by = order.by or (MatchBy.AMOUNT if asset.chain is Chain.TRON else MatchBy.MEMO)
    if by is MatchBy.MEMO and memo is None:
        memo = order.order
    if by is not MatchBy.MEMO and memo is not None:
        raise _bad(order.order, "memo", f"It goes by {by.value}, so it has none.")
    return by, memo


def _refuse_known(connection: Connection, names: Sequence[str]) -> None:
    known = connection.execute(sa.select(ORDERS.c.id).where(ORDERS.c.id.in_(names))).scalar()
    seen: set[str] = set()
    double = next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]
    if known or double:
        raise ConflictError(
            "pay.order_exists",
            f"There is an order '{known or double}' already.",
            reason="A name stands for one order for ever; nothing was added.",
            fix="Leave it out, or give the new one another name.",
            context={"order": known or double},
        )


def _begin_standings(connection: Connection, first: int, last: int) -> None:
    connection.execute(
        sa.text(
            "INSERT INTO pay_standings (order_number, state, received) "
            "SELECT number, 'expected', 0 FROM pay_orders WHERE number BETWEEN :first AND :last"
        ),
        {"first": first, "last": last},
    )


def _standing(connection: Connection, order: str) -> tuple[int, str, int]:
    row = connection.execute(
        sa.select(ORDERS.c.number, STANDINGS.c.state, STANDINGS.c.received)
        .join(STANDINGS, STANDINGS.c.order_number == ORDERS.c.number)
        .where(ORDERS.c.id == order)
    ).first()
    if row is None:
        raise unknown_order(order)
    return row[0], row[1], row[2]


def _chain_of(connection: Connection, order_number: int) -> Chain:
    wallet = sa.select(ORDERS.c.wallet).where(ORDERS.c.number == order_number).scalar_subquery()
    found = connection.execute(sa.select(WALLETS.c.chain).where(WALLETS.c.number == wallet))
    return Chain(found.scalar_one())


def _mark(connection: Connection, number: int, column: str) -> None:
    now_ms = time.time_ns() // 1_000_000
    connection.execute(ORDERS.update().where(ORDERS.c.number == number).values({column: now_ms}))


def _canonical(written: str, asset: Asset) -> str | None:
    try:
        return addresses.parse(asset.chain, written, asset.network)
    except UsageError:
        return None


def _bad(order: str, column: str, reason: str) -> UsageError:
    return UsageError(
        "pay.bad_order",
        f"'{order[:80]}' can't be taken as an order: {column}.",
        reason=reason,
        fix="Correct it and add it again; nothing was added.",
        context={"order": order[:80], "column": column},
    )
