"""`x0tta alert`: its commands, a module for each kind of work."""

from __future__ import annotations

from x0tta_cli.alert.cli import outbox, rules, running, sending, serving, silences, testing
from x0tta_cli.alert.cli.application import app

__all__ = ["app", "outbox", "rules", "running", "sending", "serving", "silences", "testing"]
