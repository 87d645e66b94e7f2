"""Pages and receipts of the sources become transfers; each is stored once."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from x0tta_cli.core.errors import ConfigurationError
from x0tta_cli.pay.ledger import chain
from x0tta_cli.pay.ledger.bulk import rows_with
from x0tta_cli.pay.ledger.enrolment import to_ms
from x0tta_cli.pay.ledger.tables import ATTESTATIONS, IS_CONFIRMING, SOURCES, TRANSFERS
from x0tta_cli.pay.matching import clean_memo, key_of_transfer
from x0tta_cli.pay.model import Finality, Receipt, Transfer
from x0tta_cli.pay.orders import Wallet
from x0tta_cli.pay.states import FAILED, GONE, SETTLED

_RANK = {GONE: -1, Finality.LISTED: 0, Finality.CONFIRMING: 1, Finality.FINAL: 2}
Identity = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of rows: how many are new, and the stored ones of which more is known now."""

    new: int
    changed: frozenset[int]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a further source says of a transfer; `disputes` is empty where it agrees."""

    transfer: int
    source: str
    disputes: str


def record(connection: Connection, wallet: Wallet, transfers: Iterable[Transfer]) -> Recorded:
    """Store the transfers of a page to one wallet; those that are known gain what is new.

    Only within `writing`. A transfer that another source tells otherwise is disputed.
    """
    rows = {
        (row["tx"], row["log_index"]): row
        for row in (_row(wallet, one) for one in transfers if one.amount > 0)
    }
    known = _known(connection, rows)
    changed = _attest(connection, _told_again(known, rows))
    risen = {
        stored["number"]: (stored["finality"], rows[identity]["finality"])
        for identity, stored in known.items()
        if _rises(stored["finality"], rows[identity]["finality"])
    }
    _set_finality(connection, risen)
    fresh = [row for identity, row in rows.items() if identity not in known]
    chain.append_rows(connection, "transfers", fresh)
    return Recorded(len(fresh), frozenset(changed | set(risen)))


def record_receipts(
    connection: Connection, wallet: Wallet, receipts: Sequence[Receipt]
) -> Recorded:
    """Store what receipts say: their transfers take the place of listings.

    A listing whose transaction failed, or that the receipt does not bear out, has failed.
    """
    recorded = record(connection, wallet, (one for each in receipts for one in each.transfers))
    borne_out = {
        (one.tx, one.amount, one.sender) for receipt in receipts for one in receipt.transfers
    }
    steps = {
        row["number"]: (
            row["finality"],
            SETTLED if (row["tx"], row["amount"], row["sender"]) in borne_out else FAILED,
        )
        for row in _listings(connection, wallet, {receipt.tx for receipt in receipts})
    }
    _set_finality(connection, steps)
    if steps:
        _carry_attestations(connection, {receipt.tx for receipt in receipts})
    return Recorded(recorded.new, recorded.changed | set(steps))


def attest_receipt(
    connection: Connection, wallet: Wallet, receipt: Receipt, *, is_last_word: bool = False
) -> set[int]:
    """Let a second source's receipt agree with what is stored as final, or dispute it.

    Where it `is_last_word`, a source that has disputed a transfer and now agrees disputes it no
    more. Gives the numbers of the transfers of which more is known now; only within `writing`.
    """
    told = {(one.amount, one.sender, clean_memo(one.memo)) for one in receipt.transfers}
    words = receipt.reason or "it knows of no such transfer in this transaction"
    found = connection.execute(
        sa.select(TRANSFERS).where(
            TRANSFERS.c.tx == receipt.tx,
            TRANSFERS.c.wallet == wallet.number,
            TRANSFERS.c.finality == Finality.FINAL.value,
            sa.or_(
                TRANSFERS.c.source != receipt.source,
                TRANSFERS.c.first_finality == Finality.CONFIRMING.value,
            ),
        )
    )
    opinions = [
        Opinion(
            row["number"],
            receipt.source,
            "" if (row["amount"], row["sender"], row["memo"]) in told else words,
        )
        for row in found.mappings()
    ]
    return _attest(connection, opinions, is_last_word=is_last_word)


def drop_vanished(
    connection: Connection,
    wallet: Wallet,
    source: str,
    window: tuple[datetime, datetime],
    seen: Collection[str],
) -> set[int]:
    """Let what was not final, and is not listed in its window any more, count no longer.

    A reorganisation takes such transactions away; one that is listed again counts again. `seen`
    are the transactions that the source lists as not final now. Gives the numbers that changed.
    """
    found = connection.execute(
        sa.select(TRANSFERS.c.number, TRANSFERS.c.tx).where(
            TRANSFERS.c.wallet == wallet.number,
            TRANSFERS.c.source == source,
            IS_CONFIRMING,
            TRANSFERS.c.at.between(to_ms(window[0]), to_ms(window[1])),
        )
    )
    gone = [row.number for row in found if row.tx not in seen]
    _set_finality(connection, dict.fromkeys(gone, (Finality.CONFIRMING.value, GONE)))
    return set(gone)


def remember_source(connection: Connection, name: str, kind: str) -> None:
    """Remember of what kind a source is: two of one kind are one opinion.

    Raises ConfigurationError `pay.source_renamed` where the name stood for another kind before.
    """
    known = connection.execute(sa.select(SOURCES.c.kind).where(SOURCES.c.name == name)).scalar()
    if known is None:
        chain.append_rows(connection, "sources", [{"name": name, "kind": kind}])
    elif known != kind:
        raise ConfigurationError(
            "pay.source_renamed",
            f"The source '{name}' was of the kind {known} before, and is of {kind} now.",
            reason="What it has agreed to so far would count as another's opinion.",
            fix=f"Give [pay.sources.{name}] another name.",
            context={"source": name},
        )


def kinds_of_sources(connection: Connection) -> dict[str, str]:
    """Tell the kind of each source that was ever read."""
    return {row.name: row.kind for row in connection.execute(sa.select(SOURCES))}


def listing_index(transfer: Transfer) -> int:
    """Give a number for a row without log index: below zero, the same from every source.

    Equal rows of one transaction are one listing; its receipt tells how many they are.
    """
    text = f"{transfer.recipient}\t{transfer.asset}\t{transfer.amount}\t{transfer.sender}"
    return -1 - int.from_bytes(hashlib.sha256(text.encode()).digest()[:6])


def from_ms(milliseconds: int) -> datetime:
    """Read an instant of the ledger."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC).replace(
        microsecond=milliseconds % 1000 * 1000
    )


def _row(wallet: Wallet, one: Transfer) -> dict[str, Any]:
    memo, finality = clean_memo(one.memo), str(one.finality)
    return {
        "chain": str(one.chain),
        "tx": one.tx,
        "log_index": listing_index(one) if one.log_index is None else one.log_index,
        "wallet": wallet.number,
        "amount": one.amount,
        "sender": one.sender,
        "at": to_ms(one.at),
        "memo": memo,
        "match_key": key_of_transfer(memo, one.amount),
        "first_finality": finality,
        "finality": finality,
        "source": one.source,
    }


def _known(
    connection: Connection, rows: Mapping[Identity, Mapping[str, Any]]
) -> dict[Identity, RowMapping]:
    if not rows:
        return {}
    (chain_name,) = {row["chain"] for row in rows.values()}
    found = rows_with(connection, TRANSFERS, TRANSFERS.c.tx, {tx for tx, _ in rows})
    stored = {(row["tx"], row["log_index"]): row for row in found if row["chain"] == chain_name}
    return {identity: row for identity, row in stored.items() if identity in rows}


def _told_again(
    known: Mapping[Identity, RowMapping], rows: Mapping[Identity, Mapping[str, Any]]
) -> list[Opinion]:
    """Lay what a source tells over what is stored.

    One source that contradicts itself is no better than two that contradict each other. One that
    says itself that it may be rolled back does not agree that it is final.
    """
    opinions = []
    for identity, stored in known.items():
        told = rows[identity]
        disputes = _dispute(stored, told)
        is_unsure = told["finality"] == Finality.CONFIRMING
        is_new = told["source"] != stored["source"] or (
            stored["first_finality"] == Finality.CONFIRMING
        )
        if disputes or (is_new and not is_unsure):
            opinions.append(Opinion(stored["number"], told["source"], disputes))
    return opinions


def _rises(was: str, now: str) -> bool:
    rank = _RANK.get(was)
    return rank is not None and _RANK[now] > rank


def _dispute(stored: RowMapping, told: Mapping[str, Any]) -> str:
    names = ("wallet", "amount", "sender", "memo")
    return ", ".join(
        f"{name} {told[name]} and not {stored[name]}"
        for name in names
        if told[name] != stored[name]
    )


def _attest(
    connection: Connection, opinions: Iterable[Opinion], *, is_last_word: bool = False
) -> set[int]:
    """Store what sources say of transfers, where it is not what they have said last.

    A dispute stands until its source takes it back, as its last word and once: who has said both
    before is believed no more. Gives the numbers of the transfers that gained something.
    """
    asked = {(one.transfer, one.source): one for one in opinions}
    if not asked:
        return set()
    said = _said_before(connection, asked)
    fresh = []
    for key, one in sorted(asked.items()):
        before = said.get(key, [])
        if not before:
            fresh.append(asdict(one))
        elif one.disputes and not before[-1]:
            words = f"{one.disputes}, again" if one.disputes in before else one.disputes
            fresh.append(asdict(replace(one, disputes=words)))
        elif is_last_word and not one.disputes and "" not in before:
            fresh.append(asdict(one))
    chain.append_rows(connection, "attestations", fresh)
    return {row["transfer"] for row in fresh}


def _said_before(
    connection: Connection, keys: Collection[tuple[int, str]]
) -> dict[tuple[int, str], list[str]]:
    """Give what sources have said of transfers so far, in the order in which they did."""
    transfers, sources = ({key[place] for key in keys} for place in (0, 1))
    found = connection.execute(
        sa.select(ATTESTATIONS.c.transfer, ATTESTATIONS.c.source, ATTESTATIONS.c.disputes)
        .where(ATTESTATIONS.c.transfer.in_(transfers), ATTESTATIONS.c.source.in_(sources))
        .order_by(ATTESTATIONS.c.number)
    )
    said: dict[tuple[int, str], list[str]] = {}
    for transfer, source, disputes in found:
        said.setdefault((transfer, source), []).append(disputes)
    return said


def _carry_attestations(connection: Connection, txs: Collection[str]) -> None:
    """Let what sources said of listings count for the transfers that took their place."""
    rows = connection.execute(sa.select(TRANSFERS).where(TRANSFERS.c.tx.in_(txs))).mappings().all()
    listed = {row["number"]: row for row in rows if row["finality"] == SETTLED}
    sources = {number: {row["source"]} for number, row in listed.items()}
    agreeing = sa.select(ATTESTATIONS.c.transfer, ATTESTATIONS.c.source).where(
        ATTESTATIONS.c.transfer.in_(listed), ATTESTATIONS.c.disputes == ""
    )
    for transfer, source in connection.execute(agreeing):
        sources[transfer].add(source)
    told = {_payment(row): sources[number] for number, row in listed.items()}
    _attest(
        connection,
        [
            Opinion(row["number"], source, "")
            for row in rows
            if row["finality"] == Finality.FINAL
            for source in told.get(_payment(row), ())
            if source != row["source"]
        ],
    )


def _payment(row: RowMapping) -> tuple[object, ...]:
    return row["tx"], row["wallet"], row["amount"], row["sender"]


def _listings(connection: Connection, wallet: Wallet, txs: Collection[str]) -> list[RowMapping]:
    return list(
        connection.execute(
            sa.select(TRANSFERS).where(
                TRANSFERS.c.tx.in_(txs),
                TRANSFERS.c.wallet == wallet.number,
                TRANSFERS.c.log_index < 0,
                TRANSFERS.c.finality == Finality.LISTED.value,
            )
        ).mappings()
    )


def _set_finality(connection: Connection, steps: Mapping[int, tuple[str, str]]) -> None:
    """Take each transfer from one finality to the next, and log it."""
    if not steps:
        return
    connection.execute(
        TRANSFERS.update()
        .where(TRANSFERS.c.number == sa.bindparam("transfer"))
        .values(finality=sa.bindparam("now")),
        [{"transfer": number, "now": now} for number, (_, now) in steps.items()],
    )
    unchanging = {"order_number": None, "received": 0, "note": ""}
    chain.append_rows(
        connection,
        "log",
        [
            {"transfer": number, "was": was, "now": now, **unchanging}
            for number, (was, now) in sorted(steps.items())
        ],
    )
