"""The group to which the modules beside this one add their commands."""

from __future__ import annotations

from x0tta_cli.terminal.command import App

app = App(
    "Attach, watch and remove XDP programs on real interfaces, safely.",
    commands={
        "attach": "x0tta_cli.ebpf.cli.attaching",
        "detach": "x0tta_cli.ebpf.cli.detaching",
        "list": "x0tta_cli.ebpf.cli.detaching",
        "clean": "x0tta_cli.ebpf.cli.detaching",
        "export": "x0tta_cli.ebpf.cli.exporting",
        "record": "x0tta_cli.ebpf.cli.exporting",
        "probe": "x0tta_cli.ebpf.cli.probing",
        "programs": "x0tta_cli.ebpf.cli.trying",
        "test": "x0tta_cli.ebpf.cli.trying",
        "stats": "x0tta_cli.ebpf.cli.watching",
        "top": "x0tta_cli.ebpf.cli.watching",
        "drops": "x0tta_cli.ebpf.cli.watching",
        "block": "x0tta_cli.ebpf.cli.blocking",
    },
)
