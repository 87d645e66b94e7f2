"""Up to when a source knows what is final, remembered for some seconds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from x0tta_cli.pay.chains.api import Api

REMEMBERED_S = 10.0


class Horizon:
    """Asks a source how far its index is, seldom, and refuses one that lags behind.

    `ask` gives None where the server has no such answer, as a gateway that passes on little.
    """

    def __init__(self, api: Api, ask: Callable[[], datetime | None], stale_after_s: float) -> None:
        self._api, self._ask, self._stale_after_s = api, ask, stale_after_s
        self._instant: datetime | None = None
        self._asked_at = 0.0

    def read(self) -> datetime:
        """Tell the instant; raises NotYetKnownError `pay.index_stale` (10)."""
        now = self._api.clock.monotonic()
        if self._instant is None or now - self._asked_at > REMEMBERED_S:
            self._instant, self._asked_at = self._ask() or self._api.go_without_head(), now
        return self._api.require_fresh(self._instant, self._stale_after_s)
