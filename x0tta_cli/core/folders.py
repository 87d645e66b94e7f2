"""A user's folders as platformdirs gives them, for completion alone: a person waits meanwhile.

XDG base directory specification 0.8. This imports os alone; a test holds it to platformdirs.
"""

# pathlib takes longer to import than all of this to run.
# ruff: noqa: PTH111, PTH117, PTH118
from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def configuration(environ: Mapping[str, str] = os.environ) -> str | None:
    """Tell where x0tta's configuration lies; None for a user who has no home folder."""
    return _folder(environ, "XDG_CONFIG_HOME", "~/.config")


def state(environ: Mapping[str, str] = os.environ) -> str | None:
    """Tell where x0tta's state lies; None for a user who has no home folder."""
    return _folder(environ, "XDG_STATE_HOME", "~/.local/state")


def state_in_force() -> str:
    """Tell where `core.state` keeps it; empty, or no absolute path, where that would refuse."""
    given = os.environ.get("X0TTA_STATE_DIR")
    if given:
        return given
    return "/var/lib/x0tta" if os.geteuid() == 0 else state() or ""


def _folder(environ: Mapping[str, str], variable: str, standard: str) -> str | None:
    given = environ.get(variable, "").strip()
    # A relative one is invalid by the specification, and would lie in the current folder.
    folder = given if os.path.isabs(given) else os.path.expanduser(standard)
    return os.path.join(folder, "x0tta") if os.path.isabs(folder) else None
