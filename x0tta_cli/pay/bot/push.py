"""Customers are told that their orders are paid, through the house's own HTTP client."""

from __future__ import annotations

import logging

from x0tta_cli.core import secrets
from x0tta_cli.core.errors import OperatorError, UnavailableError
from x0tta_cli.core.http import Client, Response
from x0tta_cli.pay.bot import words
from x0tta_cli.pay.ledger import customers
from x0tta_cli.pay.ledger.database import Ledger
from x0tta_cli.pay.settings import BotSettings

log = logging.getLogger(__name__)
# The customer has blocked the bot or is gone: https://core.telegram.org/bots/api#making-requests
GONE = (400, 403)


def push_paid(ledger: Ledger, settings: BotSettings) -> int:
    """Tell each customer once, and give how many were told; who could not be is told next time.

    A kill between the message and its record tells a customer twice, never not at all.
    """
    if settings.token is None:
        return 0
    token = settings.token.get_secret_value()
    secrets.register(token)
    with ledger.reading() as connection:
        waiting = customers.to_be_told(connection)
    count = 0
    with Client(settings.api_url) as client:
        for order, chat in waiting:
            try:
                answer = _send(client, token, chat, words.is_paid(order))
            except OperatorError as error:
                log.warning("customers not told: %s", error, extra={"code": error.code})
                break
            if _is_taken(answer) or answer.status in GONE:
                count += _is_taken(answer)
                with ledger.writing() as connection:
                    customers.told(connection, order)
            else:
                log.warning("customer not told", extra={"order": order, "status": answer.status})
                if answer.status == 429:
                    break
    return count


def _send(client: Client, token: str, chat: int, said: words.Said) -> Response:
    message = {"chat_id": chat, "text": said.text, "entities": said.entities()}
    return client.request("POST", f"/bot{token}/sendMessage", json=message)


def _is_taken(answer: Response) -> bool:
    """Whether Telegram says so itself: a log-in page in between answers with 200 as well."""
    try:
        said = answer.json()
    except UnavailableError:
        return False
    return answer.status == 200 and isinstance(said, dict) and said.get("ok") is True
