"""What flags say on the screens of `x0tta status` and `x0tta doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from x0tta_cli.core.doctor.model import Check, Finding, Observed, Surroundings
from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.notices import Severity
from x0tta_cli.core.status import StatusLine
from x0tta_cli.flags import evaluation

if TYPE_CHECKING:
    from x0tta_cli.core.config import Configuration


def status_lines(configuration: Configuration) -> Iterator[StatusLine]:
    """Name the flags that are off. Raises what reading the configuration raises."""
    off = evaluation.switched_off(configuration)
    if off:
        summary = f"off: {', '.join(flag.name for flag in off)}"
        yield StatusLine(Severity.INFO, summary, len(off), "x0tta flags list")


def look_at_flags(surroundings: Surroundings) -> Observed:
    """See which parts of x0tta were switched off."""
    configuration = surroundings.configuration
    try:
        off = evaluation.switched_off(configuration)
    except OperatorError as error:
        # The check of the configuration tells of it, with the mend.
        return Observed(unknown=str(error))
    findings = tuple(
        Finding(
            "doctor.switched_off",
            Severity.INFO,
            flag.name,
            f"{flag.name} is switched off.",
            evaluation.way_on(flag, configuration),
            f"The flag is off: {flag.source}.",
        )
        for flag in off
    )
    return Observed("" if findings else "all on", findings)


CHECKS = (Check("flags", look_at_flags),)
