"""The long-running service: takes Alertmanager's notifications, delivers, renews, watches."""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Lock

from x0tta_cli.alert import rounds, webhook_in
from x0tta_cli.alert.outbox.delivery import Outbox
from x0tta_cli.alert.outbox.own import own_notice
from x0tta_cli.alert.sending import is_about_the_journal
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core import service
from x0tta_cli.core.errors import NotFoundError, OperatorError
from x0tta_cli.core.listener import Answer, Request, listen
from x0tta_cli.core.notices import Notice, Severity
from x0tta_cli.core.times import format_duration

log = logging.getLogger(__name__)

PATH = "/alertmanager"
# What comes here has fired for so long that somebody else is to hear of it, as a new alert.
ESCALATED_PATH, ESCALATED = f"{PATH}/escalated", {"escalated": "yes"}
ROUND_S = 2.0
# Bounds a round, so that the service stays answerable to its manager.
DELIVER_S = 15.0
DRAIN_S = 5.0
MAX_BODY_BYTES = 16 * 1024 * 1024


class Watchdog:
    """Knows when the alert that always fires came last; only a notification counts."""

    def __init__(self, settings: AlertSettings, now: float) -> None:
        self._name, self._within = settings.serve.watchdog, settings.serve.watchdog_within
        self._came_at = now
        # None: nobody has looked yet; a run before may have told that it is missing.
        self._is_missed: bool | None = None
        self._has_come = False

    def follow(self, settings: AlertSettings) -> None:
        """Go on under other settings; when it came last stays known."""
        self._name, self._within = settings.serve.watchdog, settings.serve.watchdog_within

    def is_it(self, notice: Notice) -> bool:
        """Whether a notice is the watchdog's."""
        return notice.name == self._name

    def came(self, now: float) -> None:
        """Note that it came."""
        self._came_at, self._has_come = now, True

    def check(self, outbox: Outbox, now: float) -> None:
        """Tell everybody but Alertmanager, from which nothing comes, when it stays away."""
        if self._within is None:
            return
        is_missed = now - self._came_at > self._within.total_seconds()
        # That a service has just begun is no sign that it comes again.
        if is_missed == self._is_missed or not (is_missed or self._has_come):
            return
        notice = own_notice(
            "WatchdogMissing",
            Severity.CRITICAL,
            {"watchdog": self._name},
            f"The alert {self._name} has not come for {format_duration(self._within)}: "
            "Prometheus, Alertmanager or the way from there to here is down, and with it every "
            "other alert that comes this way.",
            now,
        )
        with outbox.intake() as intake:
            if is_missed:
                intake.fire(notice, avoids=alertmanagers(outbox))
            else:
                with suppress(NotFoundError):
                    intake.resolve(notice.key())
        self._is_missed = is_missed


@dataclass(slots=True)
class _Notification:
    """What one request brought, and what became of it."""

    received: list[webhook_in.Received]
    is_taken: bool = False
    error: Exception | None = None


class Reception:
    """Takes notifications in: when Alertmanager gets its 200 they are on the disk.

    In a storm it sends one for each alert, all at once: those that wait while one is written are
    written together then.
    """

    def __init__(self, outbox: Outbox, watchdog: Watchdog, wake: Callable[[], None]) -> None:
        self.outbox, self.watchdog, self.wake = outbox, watchdog, wake
        self._waiting: deque[_Notification] = deque()
        self._lock = Lock()

    def follow(self, outbox: Outbox) -> Outbox:
        """Take in for another outbox from now on; gives the one before, which nobody uses then."""
        with self._lock:
            before, self.outbox = self.outbox, outbox
            self.watchdog.follow(outbox.lineup.settings)
            return before

    def answer(self, request: Request) -> Answer:
        """Answer one request; raises UsageError `alert.bad_webhook`."""
        if request.path in {"/-/healthy", "/-/ready"}:
            return Answer(body=b"OK\n")
        if request.path not in {PATH, ESCALATED_PATH}:
            return Answer(404, f"Notifications are taken at {PATH}.\n".encode())
        if request.method != "POST":
            # Looking at it must not count as a sign of life.
            return Answer(405, b"POST\n", headers={"Allow": "POST"})
        received = webhook_in.read(request.body)
        if request.path == ESCALATED_PATH:
            received = [_escalated(each) for each in received]
        notification = _Notification(received)
        self._waiting.append(notification)
        with self._lock:
            if not notification.is_taken:
                self._take_all_that_wait()
        error = notification.error
        if isinstance(error, OperatorError) and is_about_the_journal(error):
            # Any other status would let Alertmanager give it up.
            return Answer(503, f"Not taken: {error}\n".encode())
        if error is not None:
            raise error
        self.wake()
        return Answer(
            body=json.dumps({"taken": len(received)}).encode(), content_type="application/json"
        )

    def _take_all_that_wait(self) -> None:
        waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
        error = None
        try:
            self._take([each for notification in waiting for each in notification.received])
        except Exception as failure:  # noqa: BLE001 - raised again in the thread of each request
            error = failure
        for notification in waiting:
            notification.is_taken, notification.error = True, error

    def _take(self, received: list[webhook_in.Received]) -> None:
        others = [each for each in received if not self.watchdog.is_it(each.notice)]
        if any(each.is_firing for each in received if each not in others):
            self.watchdog.came(time.time())
        if not others:
            return
        # What came from Alertmanager is not sent back there.
        avoids = alertmanagers(self.outbox)
        with self.outbox.intake() as intake:
            for each in others:
                key = intake.key_as_listed(each.notice)
                if each.is_firing:
                    intake.fire(each.notice, key=key, avoids=avoids, may_echo=True)
                    continue
                try:
                    intake.resolve(key, each.notice.ends_at)
                except NotFoundError:
                    log.info("resolved before it was known", extra={"alert": each.notice.name})


def _escalated(received: webhook_in.Received) -> webhook_in.Received:
    """Make it an alert of its own, which routes tell by its label."""
    notice = received.notice
    return replace(received, notice=replace(notice, labels={**notice.labels, **ESCALATED}))


def serve(read_settings: Callable[[], AlertSettings], address: str | None = None) -> None:
    """Run until SIGTERM; a SIGHUP reads the configuration anew.

    Raises Terminated at the end, what the listener raises, and what the journal raises.
    """
    settings = read_settings()
    reception = Reception(Outbox(settings), Watchdog(settings, time.time()), lambda: None)

    def reload() -> None:
        fresh = Outbox(read_settings())
        fresh.lineup.all_lanes()
        reception.follow(fresh).close()
        log.warning("reloaded", extra={"channels": ", ".join(fresh.lineup.settings.channels)})
        now = fresh.lineup.settings.serve
        if (now.listen, now.token) != (settings.serve.listen, settings.serve.token):
            log.warning("a new address or token of alert.serve is taken at the next start")

    with service.running(reload) as this:
        reception.wake = this.wake
        reception.outbox.lineup.all_lanes()
        with listen(
            address or settings.serve.listen,
            reception.answer,
            token=settings.serve.token,
            max_body_bytes=MAX_BODY_BYTES,
        ) as listener:
            url = f"{listener.url}{PATH}"
            this.ready(f"taking notifications at {url}")
            log.warning("taking notifications", extra={"url": url})
            trouble = ""
            while this.wait(ROUND_S):
                trouble = _round(reception, this, url, trouble)
        reception.outbox.deliver(DRAIN_S)
        reception.outbox.close()


def _round(reception: Reception, this: service.Service, url: str, trouble: str) -> str:
    """Do what is due; gives the code of what kept the outbox from it, as `trouble` the time before.

    A disk that is full or can't be written is waited for: meanwhile Alertmanager hears that nothing
    is taken, and keeps it.
    """
    try:
        reception.watchdog.check(reception.outbox, time.time())
        done = rounds.turn(reception.outbox, DELIVER_S)
    except OperatorError as error:
        if not is_about_the_journal(error):
            raise
        if error.code != trouble:
            log.error(
                "the outbox can't be used: %s", error, extra={"code": error.code, "fix": error.fix}
            )
        this.status(f"waiting, for the outbox can't be used: {error}")
        return error.code
    if trouble:
        log.warning("the outbox can be used again")
    this.status(f"{done.open} alerts open, {done.queued} deliveries wait, at {url}")
    return ""


def alertmanagers(outbox: Outbox) -> list[str]:
    """Name the channels that are Alertmanagers."""
    channels = outbox.lineup.settings.channels
    return [name for name, channel in channels.items() if channel.kind == "alertmanager"]
