"""The group to which the modules beside this one add their commands."""

from __future__ import annotations

from x0tta_cli.terminal.command import App

app = App("Attach, watch and remove XDP programs on real interfaces, safely.")
