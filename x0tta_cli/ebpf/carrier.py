"""How long an interface was without carrier: attaching and detaching flaps some drivers."""

from __future__ import annotations

import time

from x0tta_cli.ebpf.interfaces import find_index
from x0tta_cli.ebpf.model import Interface

BACK_WITHIN_S = 10.0
POLL_S = 0.01


def lost_ms(before: Interface, started: float) -> float | None:
    """Measure from an instant of `time.monotonic`; 0 where carrier stayed, None where it had none.

    Waits up to 10 s for carrier to come back.
    """
    while True:
        now = find_index(before.index)
        if now is None or not (before.has_carrier and now.is_up):
            return None
        if now.carrier_changes == before.carrier_changes:
            return 0.0
        waited_s = time.monotonic() - started
        if now.has_carrier or waited_s > BACK_WITHIN_S:
            return round(waited_s * 1000, 1)
        time.sleep(POLL_S)
