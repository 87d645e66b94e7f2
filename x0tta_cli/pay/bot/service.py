"""The long-running bot: updates by long polling or by webhook, answers from the ledger."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from telegram import Message, MessageEntity, Update
from telegram.error import InvalidToken, TelegramError
from telegram.ext import Application, ApplicationBuilder, CommandHandler

from x0tta_cli.core import listener, secrets
from x0tta_cli.core.errors import NotPermittedError, UnavailableError
from x0tta_cli.core.service import Service
from x0tta_cli.pay.bot import words
from x0tta_cli.pay.ledger import customers
from x0tta_cli.pay.ledger.database import Ledger
from x0tta_cli.pay.settings import BotSettings

log = logging.getLogger(__name__)
PATH = "/telegram"
SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - the name of a header
LOOK_S = 0.2


def serve(ledger: Ledger, settings: BotSettings, token: str, this: Service) -> None:
    """Answer until the service is told to stop.

    Raises NotPermittedError `pay.bot_refused`, UnavailableError `pay.bot_unavailable`.
    """
    secrets.register(token)
    # httpx logs each URL, and the token is part of it.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        asyncio.run(_serve(ledger, settings, token, this))
    except InvalidToken:
        raise NotPermittedError(
            "pay.bot_refused",
            "Telegram does not know the bot's token.",
            reason="It was revoked, or is another's.",
            fix="Ask @BotFather for it, and set pay.bot.token.",
            context={"key": "pay.bot.token"},
        ) from None
    except TelegramError as error:
        raise UnavailableError(
            "pay.bot_unavailable",
            "The bot can't reach Telegram.",
            reason=f"{error}.",
            fix="See whether this machine may reach pay.bot.api_url.",
            retryable=True,
        ) from None


async def _serve(ledger: Ledger, settings: BotSettings, token: str, this: Service) -> None:
    builder = ApplicationBuilder().token(token).base_url(f"{settings.api_url}/bot")
    application = builder.build()
    _answer_to(application, ledger)
    async with application:
        await application.start()
        with _webhook(application, settings) as secret:
            if settings.webhook_url is not None and secret is not None:
                await application.bot.set_webhook(settings.webhook_url, secret_token=secret)
            elif application.updater is not None:
                await application.updater.start_polling(allowed_updates=["message"])
            this.ready(f"answering as @{application.bot.username}")
            while this.wait(0):
                await asyncio.sleep(LOOK_S)
        if application.updater is not None and application.updater.running:
            await application.updater.stop()
        await application.stop()


def _answer_to(application: Application[Any, Any, Any, Any, Any, Any], ledger: Ledger) -> None:
    async def pay(update: Update, context: Any) -> None:
        await _say(update, _pay(ledger, update, list(context.args or [])))

    async def status(update: Update, _context: Any) -> None:
        await _say(update, _status(ledger, update))

    async def help_(update: Update, _context: Any) -> None:
        await _say(update, words.help_text())

    application.add_handler(CommandHandler(["pay", "start"], pay))
    application.add_handler(CommandHandler("status", status))
    application.add_handler(CommandHandler("help", help_))


def _pay(ledger: Ledger, update: Update, given: list[str]) -> words.Said:
    chat = update.effective_chat
    if chat is None or chat.type != "private":
        return words.in_private()
    if len(given) != 1:
        return words.help_text()
    with ledger.writing() as connection:
        order = customers.take(connection, given[0], chat.id)
    return words.unknown() if order is None else words.how_to_pay(order, datetime.now(UTC))


def _status(ledger: Ledger, update: Update) -> words.Said:
    chat = update.effective_chat
    if chat is None or chat.type != "private":
        return words.in_private()
    with ledger.reading() as connection:
        return words.status_of(customers.orders_of(connection, chat.id, words.LONGEST_LIST))


async def _say(update: Update, said: words.Said) -> None:
    message: Message | None = update.effective_message
    if message is not None:
        entities = [MessageEntity("code", one.offset, one.length) for one in said.code]
        await message.reply_text(said.text, entities=entities)


@contextmanager
def _webhook(
    application: Application[Any, Any, Any, Any, Any, Any], settings: BotSettings
) -> Iterator[str | None]:
    """Take updates that bear the secret, which it gives; None where the bot asks for them."""
    if settings.webhook_url is None or settings.webhook_secret is None:
        yield None
        return
    secret = settings.webhook_secret.get_secret_value()
    secrets.register(secret)
    loop = asyncio.get_running_loop()

    def take(request: listener.Request) -> listener.Answer:
        given = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode(), secret.encode()):
            return listener.Answer(401)
        if (request.method, request.path) != ("POST", PATH):
            return listener.Answer(404)
        try:
            update = Update.de_json(json.loads(request.body), application.bot)
        except (ValueError, TypeError, KeyError):
            return listener.Answer(400)
        loop.call_soon_threadsafe(application.update_queue.put_nowait, update)
        return listener.Answer(200)

    with listener.listen(settings.listen, take) as listening:
        log.info("webhook", extra={"url": listening.url})
        yield secret
