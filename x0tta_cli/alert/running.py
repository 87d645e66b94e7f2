"""Runs a command as cron does, and lets its failure be an alert and its success the end of it."""

from __future__ import annotations

import logging
import shlex
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from x0tta_cli.alert import passing, sending
from x0tta_cli.alert.direct import tell
from x0tta_cli.alert.model import Action, ChannelDelivery, Message
from x0tta_cli.alert.outbox import listing
from x0tta_cli.alert.outbox.lineup import lineup
from x0tta_cli.alert.passing import Ended, Ending
from x0tta_cli.alert.results import Plan, Ran
from x0tta_cli.alert.routing import channels_for
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core import locks
from x0tta_cli.core.errors import NotFoundError, OperatorError
from x0tta_cli.core.notices import Notice, Severity
from x0tta_cli.core.secrets import redact
from x0tta_cli.core.text import escape
from x0tta_cli.core.times import format_duration, format_instant

log = logging.getLogger(__name__)

SHOWN_LINES, SHOWN_SIGNS = 20, 300


@dataclass(frozen=True, slots=True)
class Job:
    """What is to run, and how its failure is told; `labels` are added to the machine's name."""

    name: str
    command: tuple[str, ...]
    severity: Severity
    labels: Mapping[str, str]
    at_most_s: float | None = None
    lasting_s: float | None = None

    def notice(
        self, starts_at: datetime, annotations: Mapping[str, str], runbook_url: str = ""
    ) -> Notice:
        """Word its alert; the same job on another machine is another alert."""
        return Notice(
            name=self.name,
            severity=self.severity,
            labels={"instance": socket.gethostname(), **self.labels},
            starts_at=starts_at,
            annotations=annotations,
            runbook_url=runbook_url,
        )


def plan(job: Job, settings: AlertSettings) -> Plan:
    """Tell who would be told of a failure; raises as `channels_for`."""
    notice = job.notice(datetime.now(UTC), {})
    return Plan(
        notice.key(), job.name, job.severity.value, Action.FIRE, channels_for(notice, settings)
    )


def run(job: Job, read_settings: Callable[[], AlertSettings], stdout: int = 1) -> Ran:
    """Run the command, its output to the descriptor `stdout` and to 2, and tell how it ended.

    Whatever keeps the alert from being written or told is logged, and never keeps the command from
    running: its status is the result's.
    """
    with _overlapping(job) as overlaps:
        if overlaps:
            log.warning("the run before has not ended yet", extra={"job": job.name})
        ended = passing.run(job.command, job.at_most_s, stdout=stdout)
    annotations = _annotations(job, ended, overlaps=overlaps)
    if ended.ending is not Ending.SUCCEEDED:
        log.warning(annotations["summary"])
    done = "none"
    deliveries: tuple[ChannelDelivery, ...] = ()
    try:
        settings = read_settings()
        if ended.ending is Ending.SUCCEEDED:
            done, deliveries = _resolve(job, ended, settings)
        else:
            done, deliveries = _fire(job, annotations, settings)
    except OperatorError as error:
        log.error(
            "the alert could not be told: %s",
            error,
            extra={"code": error.code, "reason": error.reason, "fix": error.fix},
        )
        done = "lost"
    return Ran(
        name=job.name,
        key=job.notice(ended.started_at, {}).key(),
        ending=ended.ending.value,
        status=ended.status,
        started_at=ended.started_at,
        duration_s=round(ended.duration_s, 3),
        output_bytes=ended.output_bytes,
        overlapped=overlaps,
        alert=done,
        deliveries=deliveries,
    )


def _fire(
    job: Job, annotations: Mapping[str, str], settings: AlertSettings
) -> tuple[str, tuple[ChannelDelivery, ...]]:
    notice = job.notice(datetime.now(UTC), annotations)
    try:
        sent = sending.send(notice, settings, lasting_s=job.lasting_s)
    except OperatorError as error:
        if not sending.is_about_the_journal(error):
            raise
        log.warning("the outbox can't be used", extra={"reason": str(error)})
        return "fired", _tell_directly(notice, settings, job.lasting_s)
    return "fired", sent.deliveries


def _resolve(
    job: Job, ended: Ended, settings: AlertSettings
) -> tuple[str, tuple[ChannelDelivery, ...]]:
    key = job.notice(ended.started_at, {}).key()
    try:
        if all(incident.key != key for incident in listing.incidents()):
            return "none", ()
    except OperatorError as error:
        log.warning("the outbox can't be read", extra={"reason": str(error)})
    now = format_instant(datetime.now(UTC))
    recovered = {"recovered": f"It succeeded after {_duration(ended)}, at {now}."}
    try:
        return "resolved", sending.resolve(key, settings, annotations=recovered).deliveries
    except NotFoundError:
        return "none", ()


def _tell_directly(
    notice: Notice, settings: AlertSettings, lasting_s: float | None
) -> tuple[ChannelDelivery, ...]:
    """Tell at once and once, where nothing can be written down."""
    lease_s = lasting_s or settings.lasting.total_seconds()
    with lineup(settings) as opened:
        channels = {}
        for name in channels_for(notice, settings):
            try:
                channels[name] = opened.channel(name)
            except OperatorError as error:
                log.warning("a channel can't be used", extra={"reason": str(error)})
        message = Message(0, notice.key(), Action.FIRE, notice, lasting_s=lease_s)
        return tuple(tell(channels, message))


@contextmanager
def _overlapping(job: Job) -> Iterator[bool]:
    """Say for the block whether another run of the job is still going."""
    lock = locks.hold(f"alert run {job.name}")
    try:
        lock.__enter__()
    except OperatorError as error:
        if error.code != "locks.held":
            log.warning("overlapping runs can't be seen", extra={"reason": str(error)})
        yield error.code == "locks.held"
        return
    try:
        yield False
    finally:
        lock.__exit__(None, None, None)


def _annotations(job: Job, ended: Ended, *, overlaps: bool) -> dict[str, str]:
    annotations = {
        "summary": f"{job.name} {_how(job, ended)} after {_duration(ended)}.",
        "command": redact(shlex.join(job.command)),
        "started_at": format_instant(ended.started_at),
        "duration": _duration(ended),
        "status": str(ended.status),
        "output": redact(_end_of(ended)),
    }
    if overlaps:
        annotations["overlap"] = "The run before had not ended when this one began."
    return {name: text for name, text in annotations.items() if text}


def _how(job: Job, ended: Ended) -> str:
    match ended.ending:
        case Ending.TIMED_OUT if job.at_most_s is not None:
            limit = format_duration(timedelta(seconds=job.at_most_s))
            return f"was not done within {limit} and was ended"
        case Ending.TIMED_OUT:
            return "was not done in time and was ended"
        case Ending.KILLED:
            return f"was killed by {ended.reason}"
        case Ending.NOT_STARTED:
            return f"could not be started ({ended.reason})"
        case _:
            return f"ended with status {ended.status}"


def _end_of(ended: Ended) -> str:
    """Give the last lines, as a terminal would show them, each made safe and cut."""
    lines = ended.tail.decode("utf-8", "replace").rstrip().split("\n")
    # A line that a progress bar has written over and over counts once.
    shown = [escape(line.rstrip("\r").rpartition("\r")[2]) for line in lines[-SHOWN_LINES:]]
    cut = [line if len(line) <= SHOWN_SIGNS else f"{line[:SHOWN_SIGNS]}…" for line in shown]
    left_out = len(lines) - len(cut)
    first = [f"… ({left_out} lines before)"] if left_out else []
    return "\n".join([*first, *cut])


def _duration(ended: Ended) -> str:
    return format_duration(timedelta(milliseconds=round(ended.duration_s * 1000)))
