"""How hot a component is drawn: its score in the steps of the palette's heat scale."""

from __future__ import annotations

HEAT_STEPS = 7
# Scores below this are as good as none: the node stays uncoloured.
LEAST_HEAT = 0.02


def heat_step(score: float) -> int:
    """Sort a score from 0 to 1 into the steps of the heat scale; what is no number is cold."""
    if not score >= LEAST_HEAT:
        return 0
    return min(HEAT_STEPS - 1, 1 + int(min(score, 1.0) * (HEAT_STEPS - 1)))
