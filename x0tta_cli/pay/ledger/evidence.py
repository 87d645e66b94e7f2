"""What is stored about orders, as the nouns that the pure functions take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from x0tta_cli.pay.ledger.recording import from_ms, kinds_of_sources
from x0tta_cli.pay.ledger.tables import ATTESTATIONS, CLAIMS, ORDERS, TRANSFERS
from x0tta_cli.pay.model import Finality
from x0tta_cli.pay.orders import Evidence, Terms
from x0tta_cli.pay.states import SETTLED, Claimed, counts


def terms_of(row: RowMapping) -> Terms:
    """Make the terms of a row of `pay_orders`."""
    return Terms(
        row["number"],
        row["id"],
        row["amount"],
        row["valid_from"],
        row["valid_until"],
        row["quorum"],
        row["tolerance"],
        row["cancelled_at"] is not None,
        row["refunded_at"] is not None,
    )


def claimed_of(connection: Connection, orders: Iterable[int]) -> dict[int, list[Claimed]]:
    """Give for each order what it has claimed, in the order of the transfers' times."""
    kinds = kinds_of_sources(connection)
    claimed: dict[int, list[Claimed]] = {}
    for row, told in _rows(connection, orders):
        claimed.setdefault(row["order_number"], []).append(_claimed(row, told, kinds))
    return claimed


def _claimed(row: RowMapping, told: list[tuple[str, str]], kinds: Mapping[str, str]) -> Claimed:
    # A source of which no kind is known is no second opinion.
    agreeing = {kinds.get(source, "") for source in _agreeing(row, told)}
    return Claimed(
        row["amount"],
        bool(row["late"]),
        row["finality"],
        len(agreeing) or 1,
        any(_last_words(told).values()),
    )


def _agreeing(row: RowMapping, told: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Name the sources that say of a transfer that it stays, the one that told first in front.

    Who said first that it may be rolled back has to say again that it is final.
    """
    first = () if row["first_finality"] == Finality.CONFIRMING else (row["source"],)
    return *first, *(source for source, disputes in _last_words(told).items() if not disputes)


def _last_words(told: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Give what each source has said last: what it disputes, or nothing."""
    return dict(told)


def evidence_of(connection: Connection, orders: Iterable[int]) -> dict[int, list[Evidence]]:
    """Give the same for being shown, less the listings whose receipts have taken their place."""
    numbers = list(orders)
    kinds = kinds_of_sources(connection)
    found = connection.execute(sa.select(ORDERS).where(ORDERS.c.number.in_(numbers))).mappings()
    terms = {row["number"]: terms_of(row) for row in found}
    shown: dict[int, list[Evidence]] = {}
    for row, told in _rows(connection, numbers):
        if row["finality"] == SETTLED:
            continue
        last_words = _last_words(told).items()
        disputed = "; ".join(f"{source}: {words}" for source, words in last_words if words)
        shown.setdefault(row["order_number"], []).append(
            Evidence(
                row["chain"],
                row["tx"],
                row["log_index"] if row["log_index"] >= 0 else None,
                row["amount"],
                row["sender"],
                from_ms(row["at"]),
                row["finality"],
                _agreeing(row, told) or (row["source"],),
                counts(terms[row["order_number"]], _claimed(row, told, kinds)),
                disputed,
            )
        )
    return shown


def attestations_of(
    connection: Connection, transfers: Iterable[int]
) -> dict[int, list[tuple[str, str]]]:
    """Give what further sources say of transfers: (source, what it disputes)."""
    told: dict[int, list[tuple[str, str]]] = {}
    where = ATTESTATIONS.c.transfer.in_(list(transfers))
    columns = (ATTESTATIONS.c.transfer, ATTESTATIONS.c.source, ATTESTATIONS.c.disputes)
    found = sa.select(*columns).where(where).order_by(ATTESTATIONS.c.source, ATTESTATIONS.c.number)
    for transfer, source, disputes in connection.execute(found):
        told.setdefault(transfer, []).append((source, disputes))
    return told


def _rows(
    connection: Connection, orders: Iterable[int]
) -> list[tuple[RowMapping, list[tuple[str, str]]]]:
    rows = list(
        connection.execute(
            sa.select(TRANSFERS, CLAIMS.c.order_number, CLAIMS.c.late)
            .join(CLAIMS, CLAIMS.c.transfer == TRANSFERS.c.number)
            .where(CLAIMS.c.order_number.in_(list(orders)))
            .order_by(CLAIMS.c.order_number, TRANSFERS.c.at, TRANSFERS.c.number)
        ).mappings()
    )
    told = attestations_of(connection, (row["number"] for row in rows))
    return [(row, told.get(row["number"], [])) for row in rows]
