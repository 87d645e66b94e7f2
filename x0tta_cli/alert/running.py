"""Runs a command as cron does, and lets its failure be an alert and its success the end of it."""

from __future__ import annotations

import logging
import os
import shlex
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from x0tta_cli.alert import passing, sending, usable
from x0tta_cli.alert.direct import tell
from x0tta_cli.alert.model import Action, ChannelDelivery, Message
from x0tta_cli.alert.notifier import PATIENCE_S
from x0tta_cli.alert.outbox import runs
from x0tta_cli.alert.outbox.delivery import outbox
from x0tta_cli.alert.outbox.lineup import lineup
from x0tta_cli.alert.outbox.schema import TABLES
from x0tta_cli.alert.passing import Ended, Ending
from x0tta_cli.alert.results import Plan, Ran
from x0tta_cli.alert.routing import channels_for
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core import locks
from x0tta_cli.core.errors import NotFoundError, OperatorError
from x0tta_cli.core.journal.tables import transaction
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

    def notice(self, starts_at: datetime, annotations: Mapping[str, str]) -> Notice:
        """Word its alert; the same job on another machine is another alert."""
        return Notice(
            name=self.name,
            severity=self.severity,
            labels={"instance": socket.gethostname(), **self.labels},
            starts_at=starts_at,
            annotations=annotations,
        )

    def key(self) -> str:
        """Give the key of its alert."""
        return self.notice(datetime.now(UTC), {}).key()


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
    with _written_down(job) as number:
        with _overlapping(job) as overlaps:
            if overlaps:
                log.warning("the run before has not ended yet", extra={"job": job.name})
            ended = passing.run(job.command, job.at_most_s, stdout=stdout)
        annotations = _annotations(job, ended, overlaps=overlaps)
        if ended.ending is not Ending.SUCCEEDED:
            log.warning(annotations["summary"])
        settings = usable.settings_or_nobody(read_settings)
        done, deliveries = _told(job, ended, annotations, settings, number)
    return Ran(
        name=job.name,
        key=job.key(),
        ending=ended.ending.value,
        status=ended.status,
        started_at=ended.started_at,
        duration_s=round(ended.duration_s, 3),
        output_bytes=ended.output_bytes,
        overlapped=overlaps,
        alert=done,
        deliveries=deliveries,
    )


@contextmanager
def _written_down(job: Job) -> Iterator[int | None]:
    """Have on the disk for the block what is to be told should this process be killed in it.

    Gives its number; None where it can't be written.
    """
    now = datetime.now(UTC)
    told = {
        "summary": f"{job.name} ended without a word: x0tta alert run (process {os.getpid()}) was "
        "killed, or the machine went down. How its command ended is not known.",
        "command": redact(shlex.join(job.command)),
        "started_at": format_instant(now),
    }
    with ExitStack() as stack:
        number = None
        try:
            lock = stack.enter_context(runs.living())
            with closing(TABLES.open()) as connection, transaction(connection):
                number = runs.begin(connection, lock, job.notice(now, told), job.lasting_s)
        except OperatorError as error:
            log.warning("nobody would hear of it if this were killed", extra={"reason": str(error)})
        yield number


def _told(
    job: Job,
    ended: Ended,
    annotations: Mapping[str, str],
    settings: AlertSettings,
    number: int | None,
) -> tuple[str, tuple[ChannelDelivery, ...]]:
    """Tell how it ended: what became of the alert, and on which channels."""
    try:
        done, deliveries = _through_outbox(job, ended, annotations, settings, number)
    except OperatorError as error:
        log.warning("the outbox can't be used", extra={"reason": str(error)})
    else:
        if done in {"fired", "resolved"} and not settings.channels:
            usable.say_that_it_is_kept()
            return "kept", deliveries
        return done, deliveries
    try:
        if ended.ending is Ending.SUCCEEDED:
            sent = sending.resolve(job.key(), settings, annotations=_recovered(ended))
            return "resolved", sent.deliveries
        return "fired", _tell_directly(job.notice(datetime.now(UTC), annotations), settings, job)
    except NotFoundError:
        return "none", ()
    except OperatorError as error:
        log.error(
            "the alert could not be told: %s",
            error,
            extra={"code": error.code, "reason": error.reason, "fix": error.fix},
        )
        return "lost", ()


def _through_outbox(
    job: Job,
    ended: Ended,
    annotations: Mapping[str, str],
    settings: AlertSettings,
    number: int | None,
) -> tuple[str, tuple[ChannelDelivery, ...]]:
    """Write it down in one piece with the end of the run, and deliver; raises as `intake`."""
    done, message = "none", 0
    with outbox(settings) as opened:
        with opened.intake() as intake:
            if number is not None:
                runs.end(intake, number)
            written = runs.tell_of_killed(intake)
            if ended.ending is not Ending.SUCCEEDED:
                notice = job.notice(datetime.now(UTC), annotations)
                done, message = "fired", intake.fire(notice, lasting_s=job.lasting_s)
            elif intake.is_open(job.key()):
                recovered = _recovered(ended)
                done, message = "resolved", intake.resolve(job.key(), annotations=recovered)
        channels = {
            delivery.channel
            for each in (*written, message)
            for delivery in opened.outcome(each)
            if each
        }
        if channels:
            opened.deliver(PATIENCE_S, channels)
        for warning in opened.take_warnings():
            log.warning("%s", warning)
        return done, tuple(opened.outcome(message)) if message else ()


def _recovered(ended: Ended) -> dict[str, str]:
    now = format_instant(datetime.now(UTC))
    return {"recovered": f"It succeeded after {_duration(ended)}, at {now}."}


def _tell_directly(
    notice: Notice, settings: AlertSettings, job: Job
) -> tuple[ChannelDelivery, ...]:
    """Tell at once and once, where nothing can be written down; raises as `channels_for`."""
    lease_s = job.lasting_s or settings.lasting.total_seconds()
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
    # Only the hash: a file's name has no room for a long name in another script.
    lock = locks.hold(f"alert run {job.key()[-64:]}")
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
