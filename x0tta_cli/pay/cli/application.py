"""The group to which the modules beside this one add their commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x0tta_cli.terminal.command import App, configuration

if TYPE_CHECKING:
    from x0tta_cli.pay.settings import PaySettings

app = App("Verify and reconcile payments in USDT and TON, to the last unit.")


def settings() -> PaySettings:
    """Read the section `[pay]`."""
    from x0tta_cli.pay.settings import PaySettings

    return configuration().section("pay", PaySettings)
