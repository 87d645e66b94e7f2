"""`x0tta alert`: its commands, a module for each kind of work, loaded by who names one."""

from __future__ import annotations

from x0tta_cli.alert.cli.application import app

__all__ = ["app"]
