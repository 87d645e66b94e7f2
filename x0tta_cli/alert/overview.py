"""What `alert` says on the screens of `x0tta status` and `x0tta doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from x0tta_cli.core.doctor.model import Check, Finding, Observed, Surroundings
from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.notices import Severity
from x0tta_cli.core.status import StatusLine

if TYPE_CHECKING:
    from x0tta_cli.core.config import Configuration

ANSWER_S = 3.0


def status_lines(_configuration: Configuration) -> Iterator[StatusLine]:
    """Tell what is open, what waits, and which channel fails. Raises what the journal raises."""
    from x0tta_cli.alert.outbox import listing

    counted = listing.counts()
    if counted.dead:
        yield StatusLine(
            Severity.ERROR,
            f"{counted.dead} alerts could not be delivered",
            counted.dead,
            "x0tta alert outbox list",
        )
    for trouble in listing.troubles():
        yield StatusLine(
            Severity.WARNING,
            f"channel {trouble.channel} fails: {trouble.detail}",
            1,
            "x0tta alert test",
        )
    if counted.queued:
        yield StatusLine(
            Severity.WARNING,
            f"{counted.queued} deliveries wait in the outbox",
            counted.queued,
            "x0tta alert outbox run",
        )
    if counted.open:
        yield StatusLine(
            Severity.INFO, f"{counted.open} alerts are open", counted.open, "x0tta alert list"
        )


def look_at_channels(surroundings: Surroundings) -> Observed:
    """See whether each peer of each configured channel is there; tells nobody anything."""
    from x0tta_cli.alert.outbox.lineup import lineup
    from x0tta_cli.alert.settings import AlertSettings

    settings = surroundings.configuration.section("alert", AlertSettings)
    if not settings.channels:
        return Observed("no channel is configured")
    reached, findings = [], []
    with lineup(settings, ANSWER_S) as opened:
        for name in settings.channels:
            try:
                channel = opened.channel(name)
                reached += [f"{name}: {said}" for said in map(channel.reach, channel.peers())]
            except OperatorError as error:
                findings.append(
                    Finding(
                        "alert.channel_unreachable",
                        Severity.ERROR,
                        f"alert.channels.{name}",
                        f"The channel {name} can't be used: {error}",
                        error.fix or f"x0tta alert test --channel {name}",
                        error.reason,
                    )
                )
    return Observed(", ".join(reached), tuple(findings))


CHECKS = (Check("channels", look_at_channels, is_remote=True),)
