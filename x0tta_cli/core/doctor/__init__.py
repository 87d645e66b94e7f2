"""The doctor: looks at everything x0tta stands on, changes nothing, and says how to mend it.

A capability adds its own checks by naming a tuple of `Check` as `probe` in the groups' table:

    CHECKS = (Check("attach", look_at_attachments),)

Every check runs, whatever the others do, and each within its bound of time.
"""

from __future__ import annotations

from x0tta_cli.core.doctor.model import Check, Finding, Observed, Outcome, State, Surroundings
from x0tta_cli.core.doctor.running import run_checks

__all__ = ["Check", "Finding", "Observed", "Outcome", "State", "Surroundings", "run_checks"]
