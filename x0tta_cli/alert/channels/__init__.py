"""Channels: who is told of alerts, each kind behind the one Protocol in `protocol`."""

from __future__ import annotations
