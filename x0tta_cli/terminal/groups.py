"""The one table of groups: a capability becomes part of x0tta by adding itself here.

Everything is looked up by name and imported when a command line needs it.
"""

from __future__ import annotations

from dataclasses import dataclass

SUMMARY = "The operator's toolkit for self-healing mesh networks."


@dataclass(frozen=True, slots=True)
class Group:
    """What the house knows about a group before loading it.

    `module` has an `app`; `settings` names its configuration model and `probe` what the doctor
    calls, each as `package.module:attribute`; `operations` are the kinds of journal entries that it
    can resume. `example` is a shell line for the root's help.
    """

    name: str
    help: str
    module: str
    example: str
    settings: str | None = None
    probe: str | None = None
    operations: tuple[str, ...] = ()


GROUPS = {
    group.name: group
    for group in (
        Group(
            "drill",
            "Take a recorded incident from telemetry to a paged explanation, and judge it.",
            "x0tta_cli.drill.cli",
            "x0tta drill  # one incident, end to end",
            settings="x0tta_cli.drill.settings:DrillSettings",
        ),
        Group(
            "explain",
            "Say what an error code means and how to mend it.",
            "x0tta_cli.terminal.explain",
            "x0tta explain usage.unknown_option  # what a code means",
        ),
    )
}
