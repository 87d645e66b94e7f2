"""How good a ranking is, and how sure one can be of that after so few incidents."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import fmean

from x0tta_cli.drill.model import Accuracy, Verdict

WITHIN = 3
NORMAL_QUANTILE_95 = 1.959964
RESAMPLES = 2000


def best_ranked(truths: Sequence[str], ranking: Sequence[str]) -> tuple[str | None, int | None]:
    """Tell which recorded cause a ranking has first, and its position from 1.

    The position is None where the ranking has none of them, the cause where none is recorded.
    """
    ranked = [(ranking.index(truth) + 1, truth) for truth in truths if truth in ranking]
    if ranked:
        rank, truth = min(ranked)
        return truth, rank
    return (truths[0] if truths else None), None


def verdict_on(truth: str | None, rank: int | None, *, enough: bool) -> Verdict:
    """Judge the truth's rank; without evidence or truth there is no verdict."""
    if not enough or truth is None:
        return Verdict.INCONCLUSIVE
    return Verdict.HIT if rank is not None and rank <= WITHIN else Verdict.MISS


def accuracy(ranks: Sequence[float | None]) -> Accuracy:
    """Sum up ranks (from 1; None for a truth that was not ranked); at least one is needed."""
    top = {k: fmean(_within(ranks, k)) for k in range(1, 6)}
    averages = [fmean(_within([rank], k)[0] for k in range(1, 6)) for rank in ranks]
    reciprocals = [1 / rank if rank else 0.0 for rank in ranks]
    return Accuracy(
        top_1=top[1],
        top_3=top[3],
        avg_5=fmean(top.values()),
        mrr=fmean(reciprocals),
        intervals={
            "top_1": wilson_interval(top[1], len(ranks)),
            "top_3": wilson_interval(top[3], len(ranks)),
            "avg_5": bootstrap_interval(averages),
            "mrr": bootstrap_interval(reciprocals),
        },
    )


def wilson_interval(share: float, total: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share of `total` trials."""
    z = NORMAL_QUANTILE_95
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    spread = share * (1 - share) / total + z * z / (4 * total * total)
    half = z * math.sqrt(spread) / (1 + z * z / total)
    return max(0.0, centre - half), min(1.0, centre + half)


def bootstrap_interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % percentile bootstrap interval of a mean; the same values give the same interval."""
    generator = random.Random(0)  # noqa: S311 - resampling, not secrecy
    means = sorted(fmean(generator.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1]


def frequency_ranks(truths: Sequence[str]) -> list[float | None]:
    """Rank of each truth when causes are ordered by how often the *other* incidents had them.

    The baseline that knows no telemetry, only history: each incident is left out in turn. Causes
    of equal frequency share their mean rank; a cause that no other incident had is not ranked.
    """
    return [
        _shared_rank(truth, Counter(truths[:i]) + Counter(truths[i + 1 :]))
        for i, truth in enumerate(truths)
    ]


def _shared_rank(truth: str, counts: Counter[str]) -> float | None:
    if truth not in counts:
        return None
    ahead = sum(count > counts[truth] for count in counts.values())
    equal = sum(count == counts[truth] for count in counts.values())
    return ahead + (equal + 1) / 2


def _within(ranks: Iterable[float | None], k: int) -> list[float]:
    return [float(rank is not None and rank <= k) for rank in ranks]
