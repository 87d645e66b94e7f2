"""Time: the clock against other clocks, the internet they are asked over, and time zones."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from x0tta_cli.core.doctor.model import Check, Finding, Observed, Surroundings
from x0tta_cli.core.doctor.servers import ANSWER_S, Address, http_addresses
from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.notices import Severity
from x0tta_cli.core.times import format_duration

# A Date header has whole seconds, and its answer was on its way for a while.
TOLERANCE_S = 5.0
# Alerts resolve after five minutes by default: a clock this wrong makes them vanish at once.
HARMFUL_S = 60.0
A_ZONE = "Europe/Berlin"


def look_at_clock(surroundings: Surroundings) -> Observed:
    """Compare the clock with the Date of a configured server, or else of a well-known one."""
    for address in (*http_addresses(surroundings), _internet(surroundings)):
        try:
            offset_s = offset_from(address)
        except OperatorError:
            continue
        if offset_s is None:
            continue
        if abs(offset_s) <= TOLERANCE_S:
            return Observed("clock right")
        return Observed(findings=(_off(offset_s, address.url),))
    return Observed(unknown="clock not compared: no server answers")


def look_at_internet(surroundings: Surroundings) -> Observed:
    """See whether a well-known server answers, whatever it says."""
    address = surroundings.internet_url
    try:
        ask(_internet(surroundings))
    except OperatorError as error:
        finding = Finding(
            "doctor.no_internet",
            Severity.WARNING,
            address,
            "The internet can't be reached from here.",
            f"curl -sI {address}; behind a proxy, export HTTPS_PROXY=… and HTTP_PROXY=…",
            f"{error.reason or error} What x0tta does on this machine and in its network works.",
        )
        return Observed(findings=(finding,))
    return Observed("reachable")


def look_at_zones(_surroundings: Surroundings) -> Observed:
    """See whether time zones are known, and the one that TZ names among them."""
    zone = os.environ.get("TZ", "").removeprefix(":")
    if not _is_known(A_ZONE):
        return Observed(findings=(_no_zones(),))
    # POSIX rules such as CET-1CEST have digits, and are no names.
    is_name = zone and not zone.startswith("/") and not any(sign.isdigit() for sign in zone)
    if is_name and not _is_known(zone):
        return Observed(findings=(_unknown_zone(zone),))
    return Observed(f"local time is UTC{datetime.now().astimezone():%z}")


CHECKS = (Check("clock", look_at_clock, is_remote=True), Check("zones", look_at_zones))
INTERNET = (Check("internet", look_at_internet, is_remote=True),)


def _internet(surroundings: Surroundings) -> Address:
    return Address("doctor.internet_url", surroundings.internet_url)


def ask(address: Address) -> str | None:
    """Give the Date header of a server. Raises `http.unreachable`, `http.timed_out` (7)."""
    from x0tta_cli.core.http import Client

    with Client(address.url, timeout_s=ANSWER_S, retries=0, trust=address.trust) as client:
        return client.request("HEAD", "/").headers.get("date")


def offset_from(address: Address) -> float | None:
    """Tell by how many seconds this clock is ahead; None where the server sends no date.

    Half of the way there and back is taken off (RFC 9110, section 6.6.1, has whole seconds).
    """
    before = time.time()
    written = ask(address)
    after = time.time()
    try:
        theirs = parsedate_to_datetime(written or "")
    except ValueError:
        return None
    aware = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
    # The header is cut down to the second, so half of one is missing on average.
    return (before + after) / 2 - (aware.timestamp() + 0.5)


def _is_known(zone: str) -> bool:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _off(offset_s: float, address: str) -> Finding:
    from x0tta_cli.core.secrets import redact

    distance = format_duration(timedelta(seconds=round(abs(offset_s))))
    return Finding(
        "doctor.clock_off",
        Severity.ERROR if abs(offset_s) >= HARMFUL_S else Severity.WARNING,
        "clock",
        f"The clock is {distance} {'ahead of' if offset_s > 0 else 'behind'} {redact(address)}.",
        "sudo timedatectl set-ntp true",
        "Alerts from a wrong clock begin in the future or are over when they come.",
    )


def _no_zones() -> Finding:
    from x0tta_cli.core.doctor.building import install_line

    return Finding(
        "doctor.no_zone_data",
        Severity.WARNING,
        "tzdata",
        "This machine has no time zone data.",
        install_line("tzdata") if os.geteuid() == 0 else "pip install tzdata",
        "Neither the system nor Python's package tzdata has any.",
    )


def _unknown_zone(zone: str) -> Finding:
    return Finding(
        "doctor.unknown_zone",
        Severity.WARNING,
        zone,
        f"TZ names the time zone '{zone}', which does not exist.",
        "export TZ=Europe/Berlin, or unset TZ; timedatectl list-timezones names them.",
        "Local times are shown in UTC, under a name that looks like another.",
    )
