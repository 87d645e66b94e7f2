"""`x0tta ebpf`: its commands, a module for each kind of work."""

from __future__ import annotations

from x0tta_cli.ebpf.cli import attaching, blocking, exporting, probing, trying, watching
from x0tta_cli.ebpf.cli.application import app

__all__ = ["app", "attaching", "blocking", "exporting", "probing", "trying", "watching"]
