"""Groups that a flag has switched off: their commands say so and end with 8."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x0tta_cli.core.errors import OperatorError
from x0tta_cli.terminal.groups import GROUPS

if TYPE_CHECKING:
    from x0tta_cli.core.config import Configuration

SECTION = "flags"


def refuse_switched_off(path: str, configuration: Configuration, *, is_safe: bool) -> None:
    """Make sure that the group of the command `path` is on, as far as anybody can tell.

    Raises UnsupportedError `flags.switched_off`, and for a flag that can't be read what
    `flags.evaluation.require_on` raises; a command in the safe direction goes on with a warning:
    what is switched off may be what has to be undone. A file that can't be read at all is left to
    the command, which may do without it.
    """
    group = GROUPS.get(path.split(" ")[1])
    if group is None or group.flag is None or not _is_given(configuration):
        return
    from x0tta_cli.flags.evaluation import require_on

    try:
        require_on(group.flag, configuration)
    except OperatorError as error:
        if not is_safe:
            raise
        import logging

        logging.getLogger(__name__).warning(
            "goes on in spite of the flags", extra={"reason": str(error)}
        )


def switched_off(configuration: Configuration) -> set[str]:
    """Name the groups that are switched off; none where the flags can't be read."""
    if not _is_given(configuration):
        return set()
    from x0tta_cli.flags import evaluation

    try:
        off = {flag.name for flag in evaluation.switched_off(configuration)}
    except OperatorError:
        # The line of the flags themselves says so.
        return set()
    return {group.name for group in GROUPS.values() if group.flag in off}


def _is_given(configuration: Configuration) -> bool:
    """Say whether anybody says anything of flags; where nobody does, pydantic stays out."""
    try:
        return configuration.is_given(SECTION)
    except OperatorError:
        return False
