"""tonapi v2: transactions of an account, with their phases.

`/v2/blockchain/accounts/{a}/transactions` is built on, not events, which are for display only by
their own words. https://docs.tonconsole.com/tonapi/rest-api/blockchain
"""

from __future__ import annotations

from typing import Any

from x0tta_cli.pay.addresses import ton
from x0tta_cli.pay.chains.api import Api
from x0tta_cli.pay.chains.reading import (
    amount_of,
    instant_of_s,
    rows_of,
    second_of,
    transaction_of,
)
from x0tta_cli.pay.chains.ton.cells import Cell, read_boc
from x0tta_cli.pay.chains.ton.crediting import Incoming
from x0tta_cli.pay.chains.ton.source import Row
from x0tta_cli.pay.model import Finality

_NOTHING: dict[str, Any] = {}
# How the phase is written by its TL-B constructor, and in short.
_BOUNCED_BACK = frozenset({"TrPhaseBounceOk", "tr_phase_bounce_ok", "ok"})


class TonApi:
    """See `source.Dialect`. It lists what is in a block, so its rows are final."""

    kind = "tonapi"

    def head(self, api: Api) -> Any:
        """Ask for the newest block of the masterchain that is indexed; its second."""
        head = api.find("/v2/blockchain/masterchain-head")
        return None if head is None else head["gen_utime"]

    def rows(self, api: Api, account: str, before_lt: int | None, limit: int) -> list[Row]:
        """Ask for the newest rows before a logical time."""
        before = {} if before_lt is None else {"before_lt": str(before_lt)}
        path = f"/v2/blockchain/accounts/{account}/transactions"
        answer = api.get(path, {"limit": str(limit), "sort_order": "desc"} | before)
        return rows_of(answer, "transactions")

    def find(self, api: Api, tx: str) -> Row | None:
        """Ask for one transaction."""
        return api.find(f"/v2/blockchain/transactions/{tx}")

    def place(self, row: Row) -> tuple[int, int | None, int]:
        """Give logical time, that of the row before, and second."""
        previous = row.get("prev_trans_lt")
        before = None if previous is None else amount_of(previous)
        return amount_of(row["lt"]), before, second_of(row["utime"])

    def read(self, row: Row) -> Incoming:
        """Read a transaction as crediting needs it."""
        return _read(row)


def _read(row: Row) -> Incoming:
    message: dict[str, Any] = row.get("in_msg") or _NOTHING
    compute, action = row.get("compute_phase") or _NOTHING, row.get("action_phase") or _NOTHING
    source, value = message.get("source"), message.get("value")
    bounce_phase = row.get("bounce_phase")
    return Incoming(
        transaction_of(row["hash"]),
        row["lt"],
        instant_of_s(row["utime"]),
        # Whose transaction it is, is whom its message went to.
        ton.canonical((row.get("account") or message["destination"])["address"]),
        ton.canonical(source["address"]) if source else None,
        None if value is None else amount_of(value),
        message.get("bounce"),
        message.get("bounced"),
        row.get("aborted"),
        compute_ok=False if compute.get("skipped") else compute.get("success"),
        action_ok=action.get("success"),
        has_bounce_phase=bool(bounce_phase),
        bounces_back=bounce_phase in _BOUNCED_BACK,
        body=_body_of(message),
        finality=Finality.FINAL,
        block=0,
    )


def _body_of(message: dict[str, Any]) -> Cell | None:
    body = message.get("raw_body")
    if not body and message.get("op_code"):
        raise ValueError("it leaves out what a message says")
    return read_boc(bytes.fromhex(body)) if body else None
