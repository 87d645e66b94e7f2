"""The outbox: what is to be told, on the disk before the first try, until everybody has it."""

from __future__ import annotations
