"""From the configuration to sources that can be asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from x0tta_cli.core import extras, secrets
from x0tta_cli.pay.chains.api import Api
from x0tta_cli.pay.chains.clock import Clock, SystemClock
from x0tta_cli.pay.chains.opened import OpenedSource, Reader
from x0tta_cli.pay.chains.protocol import Source
from x0tta_cli.pay.chains.providers import PROVIDERS
from x0tta_cli.pay.chains.settings import SourceSettings
from x0tta_cli.pay.chains.turnstile import Turnstile
from x0tta_cli.pay.chains.usage import CountedHere, CountedInState, Usage
from x0tta_cli.pay.model import Network

__all__ = ["CountedHere", "CountedInState", "open_source", "open_sources"]


@contextmanager
def open_sources(
    sources: Mapping[str, SourceSettings],
    *,
    usage: Usage | None = None,
    patience_s: float = 0.0,
    clock: Clock | None = None,
) -> Iterator[dict[str, Source]]:
    """Open all configured sources for the block; nothing is sent before one is asked.

    `usage` keeps count of requests a day: in the state folder where it is not given. `patience_s`
    is how long one call may wait for a provider's block (30 s) to end; without it such a call
    raises at once, so that other sources go on. Raises what `open_source` raises.
    """
    counted = usage or CountedInState()
    with ExitStack() as stack:
        opened: dict[str, Source] = {}
        for name, settings in sources.items():
            source = open_source(name, settings, usage=counted, patience_s=patience_s, clock=clock)
            stack.callback(source.close)
            opened[name] = source
        yield opened


def open_source(
    name: str,
    settings: SourceSettings,
    *,
    usage: Usage,
    patience_s: float = 0.0,
    clock: Clock | None = None,
) -> Source:
    """Open one source; close it.

    Raises UnsupportedError `extras.missing` and UsageError `http.bad_url`.
    """
    extras.require("pay")
    provider = PROVIDERS[settings.kind]
    key = settings.key.get_secret_value() if settings.key else ""
    if key:
        secrets.register(key)
    network = Network(settings.network)
    time = clock or SystemClock()
    granted = provider.per_second_with_key if key else provider.per_second_without
    turnstile = Turnstile(
        name,
        time,
        usage,
        per_second=settings.requests_per_second or granted,
        per_day=settings.requests_per_day or (provider.per_day_with_key if key else None),
    )
    api = Api(
        name,
        settings.base_url or provider.urls[network],
        provider.headers(key),
        turnstile,
        time,
        patience_s=patience_s,
    )
    # What is beyond a provider's most is cut without a word, and a page cut short looks like the
    # last one.
    page_size = min(settings.page_size or provider.page_size, provider.page_size)
    return OpenedSource(_reader(settings, api, page_size), network)


def _reader(settings: SourceSettings, api: Api, page_size: int) -> Reader:
    stale_after_s = settings.stale_after_s
    match settings.kind:
        case "trongrid":
            from x0tta_cli.pay.chains.tron.trongrid import TronGrid

            return TronGrid(api, page_size, stale_after_s)
        case "tronscan":
            from x0tta_cli.pay.chains.tron.tronscan import TronScan

            return TronScan(api, page_size, stale_after_s)
        case "tonapi":
            from x0tta_cli.pay.chains.ton.source import TonSource
            from x0tta_cli.pay.chains.ton.tonapi import TonApi

            return TonSource(api, TonApi(), page_size, stale_after_s)
        case "toncenter":
            from x0tta_cli.pay.chains.ton.source import TonSource
            from x0tta_cli.pay.chains.ton.toncenter import TonCenter

            return TonSource(api, TonCenter(), page_size, stale_after_s)
