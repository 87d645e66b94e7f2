"""How well one burden accounts for another, sample by sample."""

from __future__ import annotations

import numpy as np

from x0tta_cli.ml.baseline import Array


def agreement(parts: Array, whole: Array) -> Array:
    """Tell how well each series float64[N, T] accounts for the series float64[T]: 0 to 1.

    The coefficient of identity (Zegers & ten Berge 1985, doi:10.1007/BF02293975): twice the
    covariance over the sum of the variances, which is 1 for equal series alone. It is low for what
    moves at other times, and for what is too small. What is larger than the whole is scaled down
    to it first: how much of a burden arrives is not recorded.

    Series are excesses over health. As many healthy samples, which have none, are added: so an
    excess that lasts counts as the change that it is, and one that was there before counts less.
    """
    if not len(whole):
        return np.zeros(len(parts))
    x, y = _centred(parts), _centred(whole[None, :])
    of_part, of_whole = (x * x).sum(axis=1), (y * y).sum(axis=1)
    together = (x * y).sum(axis=1)
    # Scaled down to equal size, identity is correlation.
    denominator = np.where(
        of_part > of_whole, np.sqrt(of_part * of_whole), (of_part + of_whole) / 2.0
    )
    shares = np.divide(together, denominator, out=np.zeros(len(parts)), where=denominator > 0)
    agreed: Array = np.clip(shares, 0.0, 1.0)
    return agreed


def correlation(parts: Array, whole: Array) -> Array:
    """Tell how far each series float64[N, T] goes in step with float64[T], whatever its size."""
    x, y = _centred(parts), _centred(whole[None, :])
    size = np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    in_step = np.divide((x * y).sum(axis=1), size, out=np.zeros(len(parts)), where=size > 0)
    clipped: Array = np.clip(in_step, 0.0, 1.0)
    return clipped


def _centred(series: Array) -> Array:
    with_health = np.concatenate([series, np.zeros_like(series)], axis=1, dtype=float)
    centred: Array = with_health - with_health.mean(axis=1, keepdims=True)
    return centred
