"""`x0tta pay`: what goes on until it is told to stop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from x0tta_cli.pay.cli.application import app, settings
from x0tta_cli.pay.cli.reconciling import Push, notifier
from x0tta_cli.pay.cli.views_of_runs import blocks_of_watched_run
from x0tta_cli.pay.reconcile.model import Reconciliation
from x0tta_cli.terminal.command import session

# Longer than a run of cron takes.
LOCK_TIMEOUT_S = 3600.0


@app.command(
    changes_world=True,
    view=blocks_of_watched_run,
    examples=[
        "x0tta pay watch  # reconciles every minute, and shows what changed",
        "x0tta pay watch --every 5m --push -o jsonl",
    ],
)
def watch(
    every: Annotated[
        str, typer.Option("--every", metavar="DURATION", help="How often to reconcile.")
    ] = "1m",
    push: Push = False,
) -> Iterator[Reconciliation]:
    """Reconcile again and again, and show each run that changed something or saw otherwise.

    A source that fails costs its own answers alone, and the next run goes on. Where another run
    holds the lock it waits.
    """
    from x0tta_cli.core import service
    from x0tta_cli.core.progress import Silent
    from x0tta_cli.core.times import parse_duration
    from x0tta_cli.pay.opening import ledger_of, sources_of

    configured, notified = settings(), notifier()
    pause_s = parse_duration(every).total_seconds()
    if session().dry_run:
        return
    with ledger_of(configured) as ledger, sources_of(configured) as sources:
        from x0tta_cli.pay.reconcile.once import Once

        once = Once(ledger, sources, configured, notified, push)
        with service.running() as this:
            this.ready("reconciling")
            seen: object = None
            while True:
                result = once.run(Silent(), LOCK_TIMEOUT_S)
                this.status(f"{result.orders.get('paid', 0)} paid")
                sight = [(one.name, one.state) for one in result.sources], result.unread
                if sight != seen or result.changes or result.unmatched:
                    yield result
                seen = sight
                if not this.wait(pause_s):
                    return


@app.command(
    changes_world=True,
    examples=["x0tta pay bot  # until SIGTERM; systemd's x0tta-pay-bot.service runs it"],
)
def bot() -> None:
    """Answer customers on Telegram: /pay ORDER, /status, /help.

    An order belongs to who asks for it first, by the deep link https://t.me/BOT?start=ORDER; give
    orders names that nobody guesses. By long polling, or by webhook where pay.bot.webhook_url and
    pay.bot.webhook_secret are set.
    """
    from x0tta_cli.core import extras, service
    from x0tta_cli.core.errors import ConfigurationError
    from x0tta_cli.pay.opening import ledger_of

    configured = settings()
    if configured.bot.token is None or (
        (configured.bot.webhook_url is None) != (configured.bot.webhook_secret is None)
    ):
        raise ConfigurationError(
            "pay.bot_not_configured",
            "The bot is not configured.",
            reason="It needs pay.bot.token, and a webhook needs its URL and its secret.",
            fix='Write token = { file = "/etc/x0tta/bot-token" } below [pay.bot].',
            context={"section": "pay.bot"},
        )
    if session().dry_run:
        return
    extras.require("bot")
    with ledger_of(configured) as ledger:
        from x0tta_cli.pay.bot.service import serve

        with service.running() as this:
            serve(ledger, configured.bot, configured.bot.token.get_secret_value(), this)
