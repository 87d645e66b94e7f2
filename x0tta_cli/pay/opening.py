"""From the configuration to an open ledger and open sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from x0tta_cli.core import extras
from x0tta_cli.core.errors import ConfigurationError
from x0tta_cli.pay.settings import PaySettings

if TYPE_CHECKING:
    from x0tta_cli.pay.chains.protocol import Source
    from x0tta_cli.pay.ledger.database import Ledger
    from x0tta_cli.pay.ledger.enrolment import Limits


@contextmanager
def ledger_of(settings: PaySettings) -> Iterator[Ledger]:
    """Open the ledger for the block; raises what `open_ledger` raises."""
    extras.require("pay")
    from x0tta_cli.pay.ledger.database import open_ledger

    ledger = open_ledger(_url(settings))
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def existing_ledger_of(settings: PaySettings) -> Iterator[Ledger | None]:
    """Open the ledger where there is one: reading commands make none."""
    extras.require("pay")
    from x0tta_cli.pay.ledger.database import exists

    if not exists(_url(settings)):
        yield None
        return
    with ledger_of(settings) as ledger:
        yield ledger


@contextmanager
def sources_of(settings: PaySettings) -> Iterator[Mapping[str, Source]]:
    """Open all configured sources; raises ConfigurationError `pay.no_source` where none is."""
    if not settings.sources:
        raise ConfigurationError(
            "pay.no_source",
            "No source is configured that could tell what arrived.",
            reason="The configuration has no [pay.sources.NAME].",
            fix="x0tta config set pay.sources.trongrid.kind trongrid  # or tronscan, tonapi, …",
            context={"section": "pay"},
        )
    from x0tta_cli.pay.chains.registry import open_sources

    with open_sources(settings.sources) as sources:
        yield sources


def limits_of(settings: PaySettings) -> Limits:
    """Give the limits that are kept with each order."""
    from x0tta_cli.pay.ledger.enrolment import Limits

    return Limits(settings.quorum, settings.tolerance, settings.amount_hold)


def _url(settings: PaySettings) -> str | None:
    return settings.database_url.get_secret_value() if settings.database_url else None
