"""toncenter v3: https://toncenter.com/api/v3/index.html

Refuses limits beyond 1..1000, parameters it does not know, and a wrong key. Numbers beyond 32
bits are text, hashes base64, addresses upper case.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fakes.chains.server import Answer, Fake, Request, serving
from fakes.chains.ton import TonLedger, Transaction

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
        limit, unknown = int(query.get("limit", "10")), set(query) - _PARAMETERS
        if unknown or not 1 <= limit <= 1000 or query.get("sort", "desc") != "desc":
            return Answer({"error": f"bad request: {sorted(unknown)}, limit {limit}"}, 422)
        if "hash" in query:
            made = self.ledger.find(query["hash"])
            listed = [made] if made else []
        else:
            end = None if self.habits.repeats_first_page else query.get("end_lt")
            before = int(end) + 1 if end else None
            listed = self.ledger.listed(query["account"].lower(), before, limit)
        rows = b",".join(self._row(made) for made in listed)
        return Answer(b'{"transactions":[' + rows + b'],"address_book":{}}')

    def _row(self, made: Transaction) -> bytes:
        kind = f"toncenter {sorted(self.habits.lacks)} {self.habits.finality}"
        if kind not in made.rows:
            row = _written(made)
            if self.habits.finality is not None:
                row["finality"] = self.habits.finality
            for name in self.habits.lacks:
                for part in (row, row["in_msg"], row["description"]):
                    part.pop(name, None)
            made.rows[kind] = json.dumps(row).encode()
        return made.rows[kind]


@contextmanager
def serve(
    ledger: TonLedger,
    *,
    key: str = "",
    limit_per_second: int | None = None,
    suspended_s: float = 0.0,
) -> Iterator[Fake]:
    """Serve a ledger as toncenter does; `fake.habits` are its bad habits."""
    shown = TonCenterFake(ledger, key)
    over = Answer(RATE_LIMITED, 429)
    fake = Fake(shown.handle, over, limit_per_second, suspended_s, habits=shown.habits)
    with serving(fake):
        yield fake


def _written(made: Transaction) -> dict[str, object]:
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
