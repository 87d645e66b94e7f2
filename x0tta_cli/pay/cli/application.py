"""The group to which the modules beside this one add their commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x0tta_cli.terminal.command import App, configuration

if TYPE_CHECKING:
    from x0tta_cli.pay.settings import PaySettings

app = App(
    "Verify and reconcile payments in USDT and TON, to the last unit.",
    commands={
        "list": "x0tta_cli.pay.cli.orders",
        "unmatched": "x0tta_cli.pay.cli.orders",
        "show": "x0tta_cli.pay.cli.orders",
        "refund": "x0tta_cli.pay.cli.orders",
        "reconcile": "x0tta_cli.pay.cli.reconciling",
        "verify": "x0tta_cli.pay.cli.reconciling",
        "audit": "x0tta_cli.pay.cli.reconciling",
        "export": "x0tta_cli.pay.cli.reporting",
        "report": "x0tta_cli.pay.cli.reporting",
        "watch": "x0tta_cli.pay.cli.serving",
        "bot": "x0tta_cli.pay.cli.serving",
        "expect": "x0tta_cli.pay.cli.orders",
        "wallets": "x0tta_cli.pay.cli.wallets",
    },
)


def settings() -> PaySettings:
    """Read the section `[pay]`."""
    from x0tta_cli.pay.settings import PaySettings

    return configuration().section("pay", PaySettings)
