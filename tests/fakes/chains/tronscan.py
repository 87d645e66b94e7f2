"""TronScan: https://docs.tronscan.org, `/api/token_trc20/transfers` and `/api/transaction-info`.

Without a word it gives at most 50 rows, none beyond the ten-thousandth, and a `total` that stops
there; `rangeTotal` counts on. It refuses parameters that it does not know.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from fakes.chains.server import Answer, Request, provider
from fakes.chains.tron import Move, Transaction, TronLedger

REACH = 10_000
_PARAMETERS = frozenset(
    [
        "start",
        "limit",
        "contract_address",
        "relatedAddress",
        "fromAddress",
        "toAddress",
        "start_timestamp",
        "end_timestamp",
        "direction",
        "confirm",
    ]
)


@dataclass
class Habits:
    """What this server does otherwise than its documents say.

    `list_name`: what the list is called. `turns_instants`: rows of one instant come in another
    order at each request. `repeats_first_page`: it heeds neither `start` nor `end_timestamp`.
    `ignores_start`: it heeds the window alone. `counts`: the counts that it gives.
    """

    list_name: str = "token_transfers"
    repeats_first_page: bool = False
    ignores_start: bool = False
    turns_instants: bool = False
    hides_rows: int = 0
    in_seconds: bool = False
    counts: tuple[str, ...] = ("total", "rangeTotal")


class TronScanFake:
    """Shows a ledger as TronScan does."""

    def __init__(self, ledger: TronLedger, key: str) -> None:
        self.ledger, self.key, self.habits = ledger, key, Habits()
        self._asked = 0
        self._known: tuple[tuple[object, ...], list[tuple[Transaction, Move]]] = ((), [])

    def handle(self, request: Request) -> Answer:
        if self.key and request.headers.get("tron-pro-api-key") != self.key:
            return Answer({"message": "Unauthorized", "code": 401}, 401)
        if request.path == "/api/block":
            return Answer(self._head())
        if request.path == "/api/transaction-info":
            return Answer(self._transaction(request.query.get("hash", "")))
        if request.path == "/api/token_trc20/transfers":
            return self._listing(request.query)
        return Answer({"message": "Not Found"}, 404)

    def _head(self) -> dict[str, object]:
        at_ms = int(self.ledger.now().timestamp() * 1000) // 3000 * 3000
        head = {"number": Transaction("", at_ms, ()).block, "timestamp": at_ms}
        return {"total": head["number"], "data": [head]}

    def _transaction(self, tx: str) -> dict[str, object]:
        made = self.ledger.transactions.get(tx)
        if made is None:
            return {}
        is_success = made.result == "SUCCESS"
        return {
            "block": made.block,
            "hash": made.tx,
            "timestamp": made.at_ms,
            "confirmed": self._is_solid(made),
            "contractRet": made.result,
            "revert": not is_success,
            "trc20TransferInfo": [
                {
                    "contract_address": move.contract,
                    "from_address": move.sender,
                    "to_address": move.recipient,
                    "amount_str": str(move.amount),
                    "symbol": self.ledger.tokens[move.contract].symbol,
                    "decimals": self.ledger.tokens[move.contract].decimals,
                    "type": "Transfer",
                    "status": 0,
                }
                for move in made.moves
                if is_success
            ],
        }

    def _listing(self, query: dict[str, str]) -> Answer:
        unknown = set(query) - _PARAMETERS
        if unknown:
            return Answer({"message": f"unknown {sorted(unknown)}"}, 400)
        rows = self._rows(query)
        is_first = self.habits.repeats_first_page or self.habits.ignores_start
        start = 0 if is_first else int(query.get("start", "0"))
        end = min(start + min(int(query.get("limit", "10")), 50), REACH)
        page = rows[start : end - self.habits.hides_rows]
        counts = {"total": min(len(rows), REACH), "rangeTotal": len(rows)}
        written = json.dumps({"code": 200} | {name: counts[name] for name in self.habits.counts})[
            1:
        ]
        content = b",".join(self._row(made, move) for made, move in page)
        name = f'{{"{self.habits.list_name}":['.encode()
        return Answer(name + content + b"]," + written.encode())

    def _rows(self, query: dict[str, str]) -> list[tuple[Transaction, Move]]:
        """Give the rows of a window, the newest first; they are worked out once."""
        self._asked += 1
        begin, end = query.get("start_timestamp", "0"), query.get("end_timestamp", "9" * 14)
        if self.habits.repeats_first_page:
            end = "9" * 14
        contract, recipient = query.get("contract_address"), query["toAddress"]
        truth = (self.ledger.version, self.ledger.index_until)
        asked = (*truth, begin, end, contract, recipient, query.get("confirm"))
        if self._known[0] != asked or self.habits.turns_instants:
            rows = [
                (made, move)
                for made, move in self.ledger.listed(
                    recipient, int(begin), int(end), only_solid=query.get("confirm") == "0"
                )
                if contract in {None, move.contract}
            ]
            if not self.habits.turns_instants or self._asked % 2:
                rows.reverse()
            rows.sort(key=lambda row: row[0].at_ms, reverse=True)
            self._known = (asked, rows)
        return self._known[1]

    def _row(self, made: Transaction, move: Move) -> bytes:
        token = self.ledger.tokens[move.contract]
        return json.dumps(
            {
                "transaction_id": made.tx,
                "status": 0,
                "block_ts": made.at_ms // (1000 if self.habits.in_seconds else 1),
                "from_address": move.sender,
                "to_address": move.recipient,
                "block": made.block,
                "contract_address": move.contract,
                "quant": str(move.amount),
                "confirmed": self._is_solid(made),
                "contractRet": made.result,
                "finalResult": made.result,
                "revert": made.result != "SUCCESS",
                "riskTransaction": False,
                "tokenInfo": {
                    "tokenId": move.contract,
                    "tokenAbbr": token.symbol,
                    "tokenName": token.name,
                    "tokenDecimal": token.decimals,
                    "tokenType": "trc20",
                },
            }
        ).encode()

    def _is_solid(self, made: Transaction) -> bool:
        return made.at_ms <= int(self.ledger.solid_until().timestamp() * 1000)


serve = provider(TronScanFake, Answer({"message": "too many requests"}, 429), suspended_s=30.0)
