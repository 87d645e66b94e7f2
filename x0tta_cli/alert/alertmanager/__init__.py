"""Alertmanager's API v2, as a sender and an operator use it."""

from __future__ import annotations
