"""The options that several commands of `x0tta alert` take."""

from __future__ import annotations

from typing import Annotated

import typer

SeverityWord = Annotated[
    str, typer.Option("--severity", metavar="WORD", help="info, warning, error or critical.")
]
Labels = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="NAME=VALUE", help="Says what it is about; repeatable."),
]
Lasting = Annotated[
    str | None,
    typer.Option(
        "--lasting", metavar="DURATION", help="How long Alertmanager holds it unrenewed (4h)."
    ),
]
