"""toncenter v3: transactions of an account, with their phases.

`/api/v3/transactions` is built on: `/jetton/transfers` has no recipient's wallet, and sorts by
second without a tie-break. https://toncenter.com/api/v3
"""

from __future__ import annotations

from binascii import a2b_base64
from typing import Any

from x0tta_cli.pay.addresses import ton
from x0tta_cli.pay.chains.api import Api
from x0tta_cli.pay.chains.reading import (
    amount_of,
    instant_of_s,
    part_of,
    rows_of,
    second_of,
)
from x0tta_cli.pay.chains.ton.cells import Cell, read_boc
from x0tta_cli.pay.chains.ton.crediting import Incoming
from x0tta_cli.pay.chains.ton.source import Row
from x0tta_cli.pay.model import Finality

_TRANSACTIONS = "/api/v3/transactions"
_TO_STANDARD = str.maketrans("-_", "+/")
_NOTHING: dict[str, Any] = {}


class TonCenter:
    """See `source.Dialect`."""

    kind = "toncenter"

    def head(self, api: Api) -> Any:
        """Ask for the newest block of the masterchain that is indexed; its second."""
        return part_of(api.get("/api/v3/masterchainInfo"), "last")["gen_utime"]

    def rows(self, api: Api, account: str, before_lt: int | None, limit: int) -> list[Row]:
        """Ask for the newest rows before a logical time."""
        # Both ends of a range of logical times belong to it.
        before = {} if before_lt is None else {"end_lt": str(before_lt - 1)}
        filters = {"account": account, "limit": str(limit), "sort": "desc"}
        return rows_of(api.get(_TRANSACTIONS, filters | before), "transactions")

    def find(self, api: Api, tx: str) -> Row | None:
        """Ask for one transaction."""
        rows = rows_of(api.get(_TRANSACTIONS, {"hash": tx, "limit": "1"}), "transactions")
        return rows[0] if rows else None

    def place(self, row: Row) -> tuple[int, int | None, int]:
        """Give logical time, that of the row before, and second."""
        previous = row.get("prev_trans_lt")
        before = None if previous is None else amount_of(previous)
        return amount_of(row["lt"]), before, second_of(row["now"])

    def read(self, row: Row) -> Incoming:
        """Read a transaction as crediting needs it."""
        return _read(row)


def _read(row: Row) -> Incoming:
    message: dict[str, Any] = row.get("in_msg") or _NOTHING
    description: dict[str, Any] = row.get("description") or _NOTHING
    compute = description.get("compute_ph") or _NOTHING
    action, bounce = description.get("action") or _NOTHING, description.get("bounce") or _NOTHING
    sender, value = message.get("source"), message.get("value")
    return Incoming(
        _transaction_of(row["hash"]),
        amount_of(row["lt"]),
        instant_of_s(row["now"]),
        ton.canonical(row.get("account") or message["destination"]),
        ton.canonical(sender) if sender else None,
        None if value is None else amount_of(value),
        message.get("bounce"),
        message.get("bounced"),
        description.get("aborted"),
        compute_ok=False if compute.get("skipped") else compute.get("success"),
        action_ok=action.get("success"),
        has_bounce_phase=bool(bounce),
        bounces_back=bounce.get("type") == "ok",
        body=_body_of(message),
        finality=_finality_of(row),
        block=row.get("mc_block_seqno") or 0,
    )


def _transaction_of(value: Any) -> str:
    """Read a transaction's hash, which is in base64 here, and give it in hex."""
    if isinstance(value, str) and len(value) == 44:
        written = value.translate(_TO_STANDARD) if "-" in value or "_" in value else value
        # Raises ValueError for what is no base64.
        decoded = a2b_base64(written, strict_mode=True)
        if len(decoded) == 32:
            return decoded.hex()
    raise ValueError(f"{str(value)[:80]!r} stands where a transaction's hash should")


def _body_of(message: dict[str, Any]) -> Cell | None:
    body = (message.get("message_content") or _NOTHING).get("body")
    if not body and message.get("opcode"):
        raise ValueError("it leaves out what a message says")
    return read_boc(a2b_base64(body, strict_mode=True)) if body else None


def _finality_of(row: Row) -> Finality:
    """Say whether a transaction stays; one whose block the masterchain has taken does.

    Older releases do not have the field; then the masterchain's block number says it.
    """
    said_to_be = row.get("finality")
    if said_to_be is None:
        is_final = type(row.get("mc_block_seqno")) is int
    else:
        is_final = said_to_be == "finalized"
    return Finality.FINAL if is_final else Finality.CONFIRMING
