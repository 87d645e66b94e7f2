"""`x0tta pay`: what goes on until it is told to stop."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from x0tta_cli.pay.cli.application import app, settings
from x0tta_cli.pay.cli.reconciling import Push, notifier
from x0tta_cli.pay.cli.views_of_runs import blocks_of_watched_run
from x0tta_cli.pay.orders import Unmatched
from x0tta_cli.pay.reconcile.model import Reconciliation
from x0tta_cli.terminal.command import session

if TYPE_CHECKING:
    from x0tta_cli.core.notices import Notifier
    from x0tta_cli.pay.settings import PaySettings

# Longer than a run of cron takes.
LOCK_TIMEOUT_S = 3600.0
SHORTEST_PAUSE_S = 1.0
# What a live view shows of what happened since it began.
CHANGES_SHOWN, UNMATCHED_SHOWN = 10, 5


@app.command(
    changes_world=True,
    view=blocks_of_watched_run,
    examples=[
        "x0tta pay watch  # reconciles every minute, and shows how all stands",
        "x0tta pay watch --every 5m --push -o jsonl",
    ],
)
def watch(
    every: Annotated[
        str, typer.Option("--every", metavar="DURATION", help="How often to reconcile.")
    ] = "1m",
    push: Push = False,
) -> Iterator[Reconciliation]:
    """Reconcile again and again, and show on a terminal how all stands, redrawn after each run.

    Elsewhere it shows each run that changed something or saw otherwise. A source that fails costs
    its own answers alone, and the next run goes on. Where another run holds the lock it waits.
    """
    from x0tta_cli.core.errors import UsageError
    from x0tta_cli.core.times import parse_duration
    from x0tta_cli.terminal.live import Rounds, is_wanted

    configured, notified = settings(), notifier()
    pause_s = parse_duration(every).total_seconds()
    if pause_s < SHORTEST_PAUSE_S:
        raise UsageError(
            "usage.bad_value",
            f"'{every}' is too short a pause between two runs.",
            reason="Each run asks every source at least once, and providers count requests.",
            fix="Give it a second or more, such as --every 30s.",
        )
    if session().dry_run:
        return iter(())
    runs = reconciled(configured, notified, pause_s, pushes=push)
    if is_wanted(session()):
        return Rounds([sight] for sight in sights(runs))
    return news(runs)


def reconciled(
    configured: PaySettings, notified: Notifier | None, pause_s: float, *, pushes: bool
) -> Iterator[Reconciliation]:
    """Reconcile until the service is told to stop; each run."""
    from x0tta_cli.core import service
    from x0tta_cli.core.progress import Silent
    from x0tta_cli.pay.opening import ledger_of, sources_of

    with ledger_of(configured) as ledger, sources_of(configured) as sources:
        from x0tta_cli.pay.reconcile.once import Once

        once = Once(ledger, sources, configured, notified, pushes)
        with service.running() as this:
            this.ready("reconciling")
            while True:
                result = once.run(Silent(), LOCK_TIMEOUT_S)
                this.status(f"{result.orders.get('paid', 0)} paid")
                yield result
                if not this.wait(pause_s):
                    return


def news(runs: Iterable[Reconciliation]) -> Iterator[Reconciliation]:
    """Give the runs that changed something or saw otherwise than the one before."""
    seen: object = None
    for run in runs:
        sight = [(one.name, one.state) for one in run.sources], run.unread
        if sight != seen or run.changes or run.unmatched:
            yield run
        seen = sight


def sights(runs: Iterable[Reconciliation]) -> Iterator[Reconciliation]:
    """Give each run with the latest changes of all runs so far, the newest last."""
    changes: deque[Mapping[str, str]] = deque(maxlen=CHANGES_SHOWN)
    unmatched: deque[Unmatched] = deque(maxlen=UNMATCHED_SHOWN)
    for run in runs:
        changes += run.changes
        unmatched += run.unmatched
        yield replace(run, changes=tuple(changes), unmatched=tuple(unmatched))


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
