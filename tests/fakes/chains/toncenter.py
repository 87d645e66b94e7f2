"""toncenter v3: https://toncenter.com/api/v3/index.html

Refuses limits beyond 1..1000, parameters it does not know, and a wrong key. Numbers beyond 32
bits are text, hashes base64, addresses upper case.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

from fakes.chains.server import Answer, Request, complaint, provider
from fakes.chains.ton import TonLedger, Transaction, opcode_of

_PARAMETERS = frozenset(
    [
        "account",
        "hash",
        "lt",
        "start_lt",
        "end_lt",
        "start_utime",
        "end_utime",
        "mc_seqno",
        "limit",
        "offset",
        "sort",
    ]
)
RATE_LIMITED = {"ok": False, "result": "Ratelimit exceed", "code": 429}


@dataclass
class Habits:
    """What this server does otherwise than its documents say; `lacks` names keys left out."""

    repeats_first_page: bool = False
    finality: str | None = "finalized"
    lacks: set[str] = field(default_factory=set)


class TonCenterFake:
    """Shows a ledger as toncenter does."""

    def __init__(self, ledger: TonLedger, key: str) -> None:
        self.ledger, self.key, self.habits = ledger, key, Habits()

    def handle(self, request: Request) -> Answer:
        if self.key and request.headers.get("x-api-key") != self.key:
            return Answer({"ok": False, "result": "API key does not exist", "code": 401}, 401)
        if request.path == "/api/v3/masterchainInfo":
            at = int(self.ledger.head().timestamp())
            last = {"workchain": -1, "seqno": at // 3, "gen_utime": str(at)}
            return Answer({"last": last, "first": last})
        if request.path == "/api/v3/transactions":
            return self._listing(request.query)
        return Answer({"error": "not found"}, 404)

    def _listing(self, query: dict[str, str]) -> Answer:
        refused = complaint(query, _PARAMETERS, most=1000, usual=10)
        if refused or query.get("sort", "desc") != "desc":
            return Answer({"error": refused or "bad order"}, 422)
        if "hash" in query:
            made = self.ledger.find(query["hash"])
            listed = [made] if made else []
        else:
            end = None if self.habits.repeats_first_page else query.get("end_lt")
            before = int(end) + 1 if end else None
            limit = int(query.get("limit", "10"))
            listed = self.ledger.listed(query["account"].lower(), before, limit)
        rows = b",".join(self._row(made) for made in listed)
        return Answer(b'{"transactions":[' + rows + b'],"address_book":{}}')

    def _row(self, made: Transaction) -> bytes:
        lacks, finality = sorted(self.habits.lacks), self.habits.finality

        def write(made: Transaction) -> dict[str, Any]:
            return _written(made) | ({} if finality is None else {"finality": finality})

        parts = ["in_msg", "description"]
        return made.row(f"toncenter {lacks} {finality}", write, lacks, parts)


serve = provider(TonCenterFake, Answer(RATE_LIMITED, 429))


def _written(made: Transaction) -> dict[str, Any]:
    is_success = not made.aborted
    compute: dict[str, object] = {"skipped": True, "reason": "no_gas"}
    if not made.is_skipped:
        is_computed = is_success or made.fails_late
        compute = {"skipped": False, "success": is_computed, "exit_code": made.exit_code}
    description: dict[str, object] = {"type": "ord", "aborted": made.aborted, "compute_ph": compute}
    if is_success or made.fails_late:
        description["action"] = {"success": is_success, "result_code": 37 if made.fails_late else 0}
    if made.bounce_phase:
        description["bounce"] = {"type": made.bounce_phase}
    message: dict[str, object] = {
        "destination": made.account.upper(),
        "source": made.source.upper() if made.source else None,
        "value": str(made.value) if made.source else None,
        "bounce": made.bounce,
        "bounced": made.bounced,
    }
    if made.body is not None:
        message["message_content"] = {"body": b64encode(made.body.to_boc()).decode()}
        message["opcode"] = opcode_of(made.body)
    return {
        "account": made.account.upper(),
        "hash": b64encode(bytes.fromhex(made.tx)).decode(),
        "lt": str(made.lt),
        "now": made.at,
        "mc_block_seqno": made.at // 3,
        "prev_trans_lt": str(made.previous_lt),
        "description": description,
        "in_msg": message,
        "out_msgs": [],
    }
