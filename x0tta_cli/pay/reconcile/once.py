"""One run with all that follows from it: a heartbeat, notices, and customers who are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from x0tta_cli.core.notices import Notifier
from x0tta_cli.core.progress import Progress
from x0tta_cli.pay.bot.push import push_paid
from x0tta_cli.pay.chains.protocol import Source
from x0tta_cli.pay.ledger.cursors import mark, set_mark
from x0tta_cli.pay.ledger.database import Ledger
from x0tta_cli.pay.ledger.reading import agreed_since, orders_in
from x0tta_cli.pay.orders import OrderState
from x0tta_cli.pay.reconcile import notices
from x0tta_cli.pay.reconcile.freshness import Reading, readings
from x0tta_cli.pay.reconcile.heartbeat import beat
from x0tta_cli.pay.reconcile.model import Reconciliation
from x0tta_cli.pay.reconcile.run import reconcile
from x0tta_cli.pay.settings import PaySettings

# The last line of the log of which notices were told.
TOLD = "told_log"


@dataclass(frozen=True, slots=True)
class Once:
    """What every run of one process needs; `notified` is None where nobody takes alerts."""

    ledger: Ledger
    sources: Mapping[str, Source]
    settings: PaySettings
    notified: Notifier | None
    pushes: bool

    def run(
        self,
        progress: Progress,
        lock_timeout_s: float,
        *,
        since: datetime | None = None,
        wallet: str | None = None,
    ) -> Reconciliation:
        """Reconcile under the lock, then tell; raises `locks.held` and `pay.locked` (5)."""
        with self.ledger.alone(lock_timeout_s):
            before = readings(self.ledger, self.settings)
            result = reconcile(
                self.ledger,
                self.sources,
                progress,
                overlap=self.settings.overlap,
                since=since,
                wallet=wallet,
            )
        beat(self.settings, result)
        if self.notified is not None:
            self._notify(self.notified, before)
        if self.pushes:
            push_paid(self.ledger, self.settings.bot)
        return result

    def _notify(self, notified: Notifier, before: Sequence[Reading]) -> None:
        with self.ledger.reading() as connection:
            conflicts = list(orders_in(connection, states=[OrderState.CONFLICTING]))
            # Also by commands since the run before, such as verify and refund.
            agreed, reached = agreed_since(connection, mark(connection, TOLD))
        after = readings(self.ledger, self.settings)
        notices.tell(notified, conflicts, agreed, before, after)
        with self.ledger.writing() as connection:
            set_mark(connection, TOLD, reached)
