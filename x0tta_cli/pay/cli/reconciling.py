"""`x0tta pay`: what arrived is read, verified, and audited."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from x0tta_cli.pay.cli.application import app, settings
from x0tta_cli.pay.cli.orders import OrderName, WalletName
from x0tta_cli.pay.cli.views_of_runs import blocks_of_answer, blocks_of_audit, blocks_of_run
from x0tta_cli.pay.orders import Audit, Verdict, parse_head, unknown_order
from x0tta_cli.pay.reconcile.model import Plan, Reconciliation
from x0tta_cli.terminal.command import configuration, progress, session

if TYPE_CHECKING:
    from x0tta_cli.core.notices import Notifier
    from x0tta_cli.pay.settings import PaySettings

LockTimeout = Annotated[
    str,
    typer.Option("--lock-timeout", metavar="DURATION", help="Wait so long for another run to end."),
]
Push = Annotated[
    bool, typer.Option("--push", help="Tell customers of the bot whose orders are paid.")
]


@app.command(
    changes_world=True,
    view=blocks_of_run,
    examples=[
        "x0tta pay reconcile  # as cron runs it",
        "x0tta pay reconcile --dry-run  # what each source would be asked for",
        "x0tta pay reconcile --wallet shop --since -2d -o json",
    ],
)
def reconcile(
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="T", help="Read again from here; else where it ended."),
    ] = None,
    wallet: WalletName = "",
    push: Push = False,
    lock_timeout: LockTimeout = "0s",
) -> Plan | Reconciliation:
    """Read what arrived in our wallets, and let it find its orders.

    Ends with 0 when all that came is settled, 10 when some of it waits or contradicts, 7 when no
    source could be read for a wallet. A run that was ended, however, is gone on with by the next.
    """
    from x0tta_cli.core.times import parse_instant
    from x0tta_cli.pay.opening import ledger_of, sources_of

    configured, begin = settings(), parse_instant(since) if since else None
    wait_s, notified = _seconds(lock_timeout), notifier()
    if session().dry_run:
        return planned(configured, since=begin, wallet=wallet or None)
    with ledger_of(configured) as ledger, sources_of(configured) as sources:
        from x0tta_cli.pay.reconcile.once import Once

        once = Once(ledger, sources, configured, notified, push)
        return once.run(progress(), wait_s, since=begin, wallet=wallet or None)


@app.command(
    changes_world=True,
    view=blocks_of_answer,
    examples=[
        "x0tta pay verify A-1001",
        "x0tta pay verify A-1001 --wait --timeout 10m",
        "x0tta pay verify A-1001 --tx HASH  # ask for this transaction as well",
    ],
)
def verify(
    order: OrderName,
    tx: Annotated[
        str | None, typer.Option("--tx", metavar="HASH", help="What the payer says has paid it.")
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Ask until there is an answer, within --timeout.")
    ] = False,
    lock_timeout: LockTimeout = "10s",
) -> Verdict | Plan:
    """Ask the chain whether an order is paid, and record the answer.

    0 paid; 3 unpaid or wrong; 10 pending or contradicting; 7 where nobody could be asked: unknown
    is not unpaid.
    """
    from x0tta_cli.pay.opening import ledger_of, sources_of

    configured, wait_s, timeout_s = settings(), _seconds(lock_timeout), session().timeout_s
    if session().dry_run:
        return planned(configured, order=order)
    until = None if timeout_s is None else time.monotonic() + timeout_s
    with ledger_of(configured) as ledger, sources_of(configured) as sources:
        from x0tta_cli.pay import verify as verifying

        return verifying.verify(
            ledger,
            sources,
            order,
            progress(),
            tx=tx,
            overlap=configured.overlap,
            waits=wait,
            until=until,
            lock_timeout_s=wait_s,
        )


@app.command(
    view=blocks_of_audit,
    examples=[
        "x0tta pay audit",
        "x0tta pay audit --head HASH  # a head that your monitoring has kept",
    ],
)
def audit(
    head: Annotated[
        str | None, typer.Option("--head", metavar="HASH", help="A head that was kept elsewhere.")
    ] = None,
) -> Audit:
    """Derive every state again from its evidence and the log; any difference ends with 3.

    A log proves nothing by itself: who can write the ledger can write all of it anew. It is proven
    against a head that was kept elsewhere, such as by the heartbeat of an earlier run.
    """
    from x0tta_cli.pay.opening import existing_ledger_of

    anchor = parse_head(head) if head is not None else None
    with existing_ledger_of(settings()) as ledger:
        from x0tta_cli.pay.ledger.audit import audit_empty, audit_ledger

        if ledger is None:
            return audit_empty(anchor)
        with ledger.reading() as connection:
            return audit_ledger(connection, anchor)


def planned(
    configured: PaySettings,
    *,
    since: datetime | None = None,
    wallet: str | None = None,
    order: str | None = None,
) -> Plan:
    """Plan a run over all wallets, one, or the one of an order; makes no ledger.

    Raises `pay.unknown_order` and `pay.no_such_wallet`.
    """
    from x0tta_cli.pay.opening import existing_ledger_of, sources_of

    with existing_ledger_of(configured) as ledger, sources_of(configured) as sources:
        if ledger is None:
            if order is not None:
                raise unknown_order(order)
            return Plan(())
        from x0tta_cli.pay.ledger.reading import wallet_of_order
        from x0tta_cli.pay.reconcile import run

        if order is not None:
            with ledger.reading() as connection:
                wallet = wallet_of_order(connection, order).name
        return run.plan(ledger, sources, overlap=configured.overlap, since=since, wallet=wallet)


def notifier() -> Notifier | None:
    """Give who takes alerts, where the configuration names any channel."""
    from x0tta_cli.alert.notifier import OutboxNotifier
    from x0tta_cli.alert.settings import AlertSettings

    alerts = configuration().section("alert", AlertSettings)
    return OutboxNotifier(alerts) if alerts.channels else None


def _seconds(duration: str) -> float:
    from x0tta_cli.core.times import parse_duration

    return parse_duration(duration).total_seconds()
