"""The group to which the modules beside this one add their commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x0tta_cli.terminal.command import App, configuration

if TYPE_CHECKING:
    from x0tta_cli.alert.settings import AlertSettings

app = App(
    "Tell the right people, once, and lose nothing.",
    commands={
        "send": "x0tta_cli.alert.cli.sending",
        "resolve": "x0tta_cli.alert.cli.sending",
        "acknowledge": "x0tta_cli.alert.cli.sending",
        "list": "x0tta_cli.alert.cli.sending",
        "run": "x0tta_cli.alert.cli.running",
        "heartbeat": "x0tta_cli.alert.cli.running",
        "serve": "x0tta_cli.alert.cli.serving",
        "watch": "x0tta_cli.alert.cli.serving",
        "test": "x0tta_cli.alert.cli.testing",
        "outbox": "x0tta_cli.alert.cli.outbox",
        "rules": "x0tta_cli.alert.cli.rules",
        "silence": "x0tta_cli.alert.cli.silences",
    },
)


def alert_settings() -> AlertSettings:
    """Read who is told; raises as `Configuration.section`."""
    from x0tta_cli.alert.settings import AlertSettings

    return configuration().section("alert", AlertSettings)


def usable_settings() -> AlertSettings:
    """Read what of it is right, for what must not fail for a mistake; raises as there."""
    from x0tta_cli.alert import usable

    return usable.usable_settings(configuration())


def usable_or_nobody() -> AlertSettings:
    """Read what of it is right; what is to be told is kept where that is nothing."""
    from x0tta_cli.alert import usable

    return usable.settings_or_nobody(usable_settings)
