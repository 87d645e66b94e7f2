"""Each run tells that it was, with the head of the log: the anchor of `pay audit --head`."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.textfile import PREFIX, SUFFIX, heartbeat_file, write_textfile
from x0tta_cli.pay.reconcile.model import Reconciliation
from x0tta_cli.pay.settings import PaySettings

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

log = logging.getLogger(__name__)
NAME = "pay-reconcile"


def beat(settings: PaySettings, result: Reconciliation) -> None:
    """Tell the heartbeat's URL and the textfile collector; what fails is a warning.

    The run is done and stored: whoever watches the heartbeat sees that it is missing.
    """
    for tell in (_write, _send):
        try:
            tell(settings, result)
        except OperatorError as error:
            log.warning("no heartbeat: %s", error, extra={"code": error.code})


def _write(settings: PaySettings, result: Reconciliation) -> None:
    if settings.textfile is None:
        return
    where = Path(settings.textfile)
    path = where if where.suffix == SUFFIX else heartbeat_file(where, NAME)
    write_textfile(path, metrics_of(result, time.time()))


def metrics_of(result: Reconciliation, now_s: float) -> CollectorRegistry:
    """Put a run into metrics; the heartbeat's own are named as those of `alert heartbeat`.

    The head is a label of one metric alone: as a label of each, every run would begin all series
    anew, and an old heartbeat could not be told from a new one.
    """
    from prometheus_client import CollectorRegistry, Gauge

    registry = CollectorRegistry()

    def gauge(name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(name, meaning, labels, registry=registry)

    when = gauge(f"{PREFIX}_timestamp_seconds", "When it last ran, as Unix time.", "name")
    when.labels(NAME).set(now_s)
    status = gauge(f"{PREFIX}_exit_status", "How it ended.", "name")
    status.labels(NAME).set(result.exit_status)
    head = gauge("x0tta_pay_log_head_info", "Head of the ledger's log, for pay audit.", "head")
    head.labels(result.log_head).set(1)
    waiting = gauge("x0tta_pay_receipts_waiting", "Transfers whose receipts the next run asks for.")
    waiting.set(result.waiting)
    orders = gauge("x0tta_pay_orders", "Orders in each state.", "state")
    for state, count in result.orders.items():
        orders.labels(state).set(count)
    sources = gauge("x0tta_pay_source_up", "Whether a source served in the last run.", "source")
    for source in result.sources:
        sources.labels(source.name).set(source.state == "ok")
    return registry


def _send(settings: PaySettings, result: Reconciliation) -> None:
    if settings.heartbeat_url is None:
        return
    from x0tta_cli.core.http import Client

    parts = urlsplit(settings.heartbeat_url.get_secret_value())
    body = {
        "status": int(result.exit_status),
        "log_head": result.log_head,
        "orders": dict(result.orders),
    }
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with Client(f"{parts.scheme}://{parts.netloc}") as client:
        answer = client.request("POST", path, json=body, idempotent=True)
    if answer.status >= 300:
        log.warning("no heartbeat", extra={"status": answer.status})
