"""`x0tta pay`: its commands, a module for each kind of work."""

from __future__ import annotations

from x0tta_cli.pay.cli import orders, reconciling, reporting, serving, wallets
from x0tta_cli.pay.cli.application import app

__all__ = ["app", "orders", "reconciling", "reporting", "serving", "wallets"]
