"""tonapi v2: https://docs.tonconsole.com/tonapi/rest-api/blockchain

Refuses limits beyond 1..1000, parameters it does not know, and a wrong key. Amounts of coins are
JSON numbers; `success` is false where a notification had no gas.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fakes.chains.server import Answer, Request, complaint, provider
from fakes.chains.ton import TonLedger, Transaction, opcode_of

_PARAMETERS = frozenset({"limit", "before_lt", "after_lt", "sort_order"})
_NOT_FOUND = {"error": "entity not found"}


@dataclass
class Habits:
    """What this server does otherwise than its documents say; `lacks` names keys left out."""

    repeats_first_page: bool = False
    in_milliseconds: bool = False
    lacks: set[str] = field(default_factory=set)


class TonApiFake:
    """Shows a ledger as tonapi does."""

    def __init__(self, ledger: TonLedger, key: str) -> None:
        self.ledger, self.key, self.habits = ledger, key, Habits()

    def handle(self, request: Request) -> Answer:
        if self.key and request.headers.get("authorization") != f"Bearer {self.key}":
            return Answer({"error": "illegal auth token"}, 401)
        parts = request.path.strip("/").split("/")
        if parts == ["v2", "blockchain", "masterchain-head"]:
            return Answer(self._head())
        if parts[:3] == ["v2", "blockchain", "transactions"]:
            made = self.ledger.find(parts[3])
            return Answer(self._row(made)) if made else Answer(_NOT_FOUND, 404)
        if parts[:3] == ["v2", "blockchain", "accounts"] and parts[4:] == ["transactions"]:
            return self._listing(parts[3], request.query)
        return Answer(_NOT_FOUND, 404)

    def _head(self) -> dict[str, object]:
        at = int(self.ledger.head().timestamp())
        return {"workchain_id": -1, "seqno": at // 3, "gen_utime": at}

    def _listing(self, account: str, query: dict[str, str]) -> Answer:
        refused = complaint(query, _PARAMETERS, most=1000, usual=100)
        if refused or query.get("sort_order", "desc") != "desc":
            return Answer({"error": refused or "bad order"}, 400)
        before = None if self.habits.repeats_first_page else query.get("before_lt")
        limit = int(query.get("limit", "100"))
        listed = self.ledger.listed(account, int(before) if before else None, limit)
        rows = b",".join(self._row(made) for made in listed)
        return Answer(b'{"transactions":[' + rows + b"]}")

    def _row(self, made: Transaction) -> bytes:
        lacks, in_milliseconds = sorted(self.habits.lacks), self.habits.in_milliseconds

        def write(made: Transaction) -> dict[str, Any]:
            scale = 1000 if in_milliseconds else 1
            return _written(made) | {"utime": made.at * scale}

        return made.row(f"tonapi {lacks} {in_milliseconds}", write, lacks, ["in_msg"])


serve = provider(TonApiFake, Answer({"error": "rate limit: too many requests"}, 429))


def _written(made: Transaction) -> dict[str, Any]:
    is_success = not made.aborted
    compute: dict[str, object] = {"skipped": made.is_skipped}
    if made.is_skipped:
        compute["skip_reason"] = "cskip_no_gas"
    else:
        compute |= {"success": is_success or made.fails_late, "exit_code": made.exit_code}
    message: dict[str, object] = {
        "msg_type": "int_msg" if made.source else "ext_in_msg",
        "value": made.value,
        "bounce": made.bounce,
        "bounced": made.bounced,
        "destination": {"address": made.account, "is_scam": False, "is_wallet": True},
    }
    if made.source:
        message["source"] = {"address": made.source, "is_scam": False, "is_wallet": True}
    if made.body is not None:
        message["raw_body"] = made.body.to_boc().hex()
        message["op_code"] = opcode_of(made.body)
    row: dict[str, Any] = {
        "hash": made.tx,
        "lt": made.lt,
        "account": {"address": made.account, "is_scam": False, "is_wallet": False},
        "success": is_success,
        "utime": made.at,
        "aborted": made.aborted,
        "in_msg": message,
        "out_msgs": [],
        "block": f"(0,8000000000000000,{made.at // 3})",
        "prev_trans_lt": made.previous_lt,
        "compute_phase": compute,
    }
    if made.fails_late:
        row["action_phase"] = {"success": False, "result_code": 37, "total_actions": 1}
    elif not made.is_skipped and is_success:
        row["action_phase"] = {"success": True, "result_code": 0, "total_actions": 1}
    if made.bounce_phase:
        row["bounce_phase"] = {"ok": "TrPhaseBounceOk", "nofunds": "TrPhaseBounceNofunds"}[
            made.bounce_phase
        ]
    return row
