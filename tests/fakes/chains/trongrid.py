"""TronGrid: https://developers.tron.network/reference/get-trc20-transaction-info-by-account-address

Refuses a limit above 200, filters it does not know, a fingerprint with other filters than its
page had, and a wrong key. Pages end where `fingerprint` is missing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime

import base58
from fakes.chains.server import Answer, Request, complaint, provider
from fakes.chains.tron import Move, Transaction, TronLedger

TRANSFER = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
SUSPENDED = {
    "Success": False,
    "Error": "The key exceeds the frequency limit(15), and the query server is suspended for 30s",
    "StatusCode": 403,
}
_FILTERS = frozenset(
    [
        "only_confirmed",
        "only_unconfirmed",
        "only_to",
        "only_from",
        "limit",
        "fingerprint",
        "contract_address",
        "order_by",
        "min_timestamp",
        "max_timestamp",
    ]
)


@dataclass
class Habits:
    """What this server does otherwise than its documents say.

    `block_id` is said of the newest block in place of its own; None: nothing is.
    """

    repeats_first_page: bool = False
    in_seconds: bool = False
    is_empty: bool = False
    ignores_contract: bool = False
    block_id: str | None = ""
    says_revert_of: str = ""


class TronGridFake:
    """Shows a ledger as TronGrid does."""

    def __init__(self, ledger: TronLedger, key: str) -> None:
        self.ledger, self.key, self.habits = ledger, key, Habits()
        # What a fingerprint leads on in: the rows of its first page's moment.
        self._open: dict[str, list[bytes]] = {}

    def handle(self, request: Request) -> Answer:
        if self.key and request.headers.get("tron-pro-api-key") != self.key:
            return Answer({"Success": False, "Error": "ApiKey not exists", "StatusCode": 401}, 401)
        if request.path == "/walletsolidity/getnowblock":
            return Answer(self._now_block())
        if request.path == "/walletsolidity/gettransactioninfobyid" and request.method == "POST":
            return self._receipt(json.loads(request.body)["value"])
        parts = request.path.split("/")
        if parts[:3] == ["", "v1", "accounts"] and parts[4:] == ["transactions", "trc20"]:
            return self._listing(parts[3], request.query)
        return Answer({"Error": "no such path"}, 404)

    def _now_block(self) -> dict[str, object]:
        at_ms = int(self.ledger.solid_until().timestamp() * 1000)
        number = Transaction("", at_ms, ()).block
        block_id = (
            number.to_bytes(8, "big").hex() + hashlib.sha256(str(number).encode()).hexdigest()[16:]
        )
        said = block_id if self.habits.block_id == "" else self.habits.block_id
        return {
            **({} if said is None else {"blockID": said}),
            "block_header": {"raw_data": {"number": number, "timestamp": at_ms, "version": 31}},
        }

    def _receipt(self, tx: str) -> Answer:
        made = self.ledger.transactions.get(tx)
        solid_ms = int(self.ledger.solid_until().timestamp() * 1000)
        if made is None or made.at_ms > solid_ms:
            return Answer({})
        if "receipt" not in made.rows:
            made.rows["receipt"] = [json.dumps(_receipt(made)).encode()]
        return Answer(made.rows["receipt"][0])

    def _listing(self, address: str, query: dict[str, str]) -> Answer:
        limit = int(query.get("limit", "20"))
        refused = complaint(query, _FILTERS, most=200, usual=20)
        if refused or not _is_address(address):
            said = refused or f"invalid address: {address}"
            return Answer({"success": False, "error": said, "statusCode": 400}, 400)
        filters = {name: value for name, value in query.items() if name != "fingerprint"}
        written = json.dumps([address, filters], sort_keys=True)
        digest = hashlib.sha256(written.encode()).hexdigest()[:16]
        bound_to, _, place = query.get("fingerprint", f"{digest}.0").partition(".")
        if bound_to != digest or ("fingerprint" in query and digest not in self._open):
            said = "the fingerprint belongs to other filters"
            return Answer({"success": False, "error": said, "statusCode": 400}, 400)
        start = int(place)
        if "fingerprint" not in query:
            self._open[digest] = self._rows(address, query)
            if query.get("order_by") != "block_timestamp,asc":
                self._open[digest].reverse()
        rows = self._open[digest]
        shown = 0 if self.habits.repeats_first_page else start
        page = rows[shown : shown + limit]
        meta: dict[str, object] = {"at": int(datetime.now(UTC).timestamp() * 1000)}
        meta["page_size"] = len(page)
        if start + limit < len(rows) or (self.habits.repeats_first_page and page):
            meta["fingerprint"] = f"{digest}.{start + limit}"
            meta["links"] = {"next": f"https://api.trongrid.io/v1/accounts/{address}/…"}
        rest = json.dumps({"success": True, "meta": meta})[1:].encode()
        return Answer(b'{"data":[' + b",".join(page) + b"]," + rest)

    def _rows(self, address: str, query: dict[str, str]) -> list[bytes]:
        if self.habits.is_empty:
            return []
        contract = "" if self.habits.ignores_contract else query.get("contract_address", "")
        listed = self.ledger.listed(
            address,
            int(query.get("min_timestamp", "0")),
            int(query.get("max_timestamp", "99999999999999")),
            only_solid=query.get("only_confirmed") == "true",
        )
        return [
            self._row(made, move)
            for made, move in listed
            if not contract or move.contract == contract
        ]

    def _row(self, made: Transaction, move: Move) -> bytes:
        kind = f"trongrid {made.moves.index(move)} {self.habits.in_seconds}"
        if kind not in made.rows:
            token = self.ledger.tokens[move.contract]
            row = {
                "transaction_id": made.tx,
                "token_info": {
                    "symbol": token.symbol,
                    "address": move.contract,
                    "decimals": token.decimals,
                    "name": token.name,
                },
                "block_timestamp": made.at_ms // (1000 if self.habits.in_seconds else 1),
                "from": move.sender,
                "to": move.recipient,
                "type": "Transfer",
                "value": str(move.amount),
            }
            made.rows[kind] = [json.dumps(row).encode()]
        return made.rows[kind][0]


serve = provider(TronGridFake, Answer(SUSPENDED, 403), suspended_s=30.0)


def _receipt(made: Transaction) -> dict[str, object]:
    is_success = made.result == "SUCCESS"
    info: dict[str, object] = {
        "id": made.tx,
        "fee": 13_844_850,
        "blockNumber": made.block,
        "blockTimeStamp": made.at_ms,
        # What USDT returns when it succeeds.
        "contractResult": ["0" * 64 if is_success else ""],
        "contract_address": _hex(made.moves[0].contract) if made.moves else "",
        "receipt": {"energy_usage_total": 64_285, "net_usage": 345, "result": made.result},
    }
    if not is_success:
        return info | {"result": "FAILED", "resMessage": made.result.encode().hex()}
    return info | {
        "log": [
            {
                "address": _hex(move.contract)[2:],
                "topics": [TRANSFER, _topic(move.sender), _topic(move.recipient)],
                "data": f"{move.amount:064x}",
            }
            for move in made.moves
        ]
    }


def _hex(address: str) -> str:
    return base58.b58decode_check(address).hex()


def _topic(address: str) -> str:
    return _hex(address)[2:].rjust(64, "0")


def _is_address(address: str) -> bool:
    try:
        return base58.b58decode_check(address)[0] == 0x41
    except ValueError:
        return False
