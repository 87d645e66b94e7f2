"""Whose doing a burden is: what a component costs beyond health, passed on to where it comes from.

The rules stand in the functions, in the order in which they are applied. Where two explanations
can't be told apart, the likelier takes all and the other keeps a half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from x0tta_cli.ml.agreement import agreement, correlation
from x0tta_cli.ml.baseline import LEAST_RELATIVE_SCALE, Array
from x0tta_cli.ml.burden import Burden, Kind, burdens_of, own_part
from x0tta_cli.ml.calls import Calls, calls_per_second
from x0tta_cli.ml.detector import View

AMBIGUOUS = 0.5


class Rule(StrEnum):
    """Why a burden is blamed on another component than the one that shows it."""

    LOAD = "load from outside"
    SILENT = "callee that can't show it"
    FAILING = "callee that fails"


@dataclass(frozen=True, slots=True)
class Transfer:
    """A share (0 to 1) of what `giver` adds itself that is blamed on `taker`."""

    rule: Rule
    giver: int
    taker: int
    share: float


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """One kind of burden, float64[N, T] each: what a component costs, and what is its own doing.

    `cost` is the excess over health, or all of it for what health never saw; `own` is what callees
    don't explain; `blamed` what callers show and is blamed on the component. `kept` float64[N] is
    the share of `own` that is not blamed on another, `trust` how far `blamed` can be believed.
    """

    burden: Burden
    cost: Array
    own: Array
    blamed: Array
    kept: Array
    trust: Array
    transfers: tuple[Transfer, ...]

    def explains(self, noticed: Array) -> Array:
        """Score float64[N], 0 to 1: how well each accounts for the burden float64[T].

        Samples in which nobody knows the burden (NaN) are left out.
        """
        known = np.isfinite(noticed)
        own, blamed, whole = self.own[:, known], self.blamed[:, known], noticed[known]
        alone = self.kept * agreement(own, whole)
        with_blame = self.trust * agreement(own + blamed, whole)
        explained: Array = np.maximum(alone, with_blame)
        return explained


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """What the rules look at beside burdens: `anomalous` bool[N, T], `unseen` bool[N]."""

    calls: Calls
    anomalous: NDArray[np.bool_]
    unseen: NDArray[np.bool_]

    @property
    def entrances(self) -> NDArray[np.bool_]:
        """Components that nobody calls, of those that health saw."""
        entrances: NDArray[np.bool_] = (self.calls.callers == 0) & ~self.unseen
        return entrances

    @property
    def newcomers(self) -> NDArray[np.bool_]:
        """Components that health never saw and that a single component calls.

        A call that was never made before is the caller's change, whatever comes of it. What
        several begin to call at once is likelier to be the change itself.
        """
        newcomers: NDArray[np.bool_] = self.unseen & (self.calls.callers == 1)
        return newcomers


def accounts_of(view: View, mesh: Mesh) -> dict[Kind, Account]:
    """Settle all burdens that can be computed from what was measured."""
    burdens = burdens_of(view.telemetry, view.baseline.level, view.step_s)
    own = {burden.kind: _own(burden, mesh) for burden in burdens}
    overload, silent = overload_of(view, mesh.calls), silence_of(view, mesh)
    accounts = {}
    for burden in burdens:
        shown = own[burden.kind]
        transfers = blame_load(shown, overload, mesh)
        mute = mesh.anomalous & (silent | ~burden.known)
        transfers += blame_callees(Rule.SILENT, shown, mute.astype(np.float64), mesh)
        if burden.kind is Kind.WAITING and Kind.FAILURES in own:
            failing = np.where(mesh.anomalous.any(axis=1, keepdims=True), own[Kind.FAILURES], 0.0)
            transfers += blame_callees(Rule.FAILING, shown, failing, mesh)
        accounts[burden.kind] = _settled(burden, shown, transfers, mesh)
    return accounts


def _settled(burden: Burden, own: Array, transfers: Sequence[Transfer], mesh: Mesh) -> Account:
    kept, trust = np.ones(len(own)), np.zeros(len(own))
    blamed = np.zeros_like(own)
    for transfer in transfers:
        kept[transfer.giver] = min(kept[transfer.giver], 1.0 - transfer.share * (1.0 - AMBIGUOUS))
        blamed[transfer.taker] += np.maximum(own[transfer.giver], 0.0) * transfer.share
        trust[transfer.taker] = max(trust[transfer.taker], transfer.share)
    cost = _cost(burden, mesh.unseen)
    return Account(burden, cost, own, blamed, kept, trust, tuple(transfers))


def _cost(burden: Burden, unseen: NDArray[np.bool_]) -> Array:
    return np.where(unseen[:, None], burden.total, burden.excess)


def _own(burden: Burden, mesh: Mesh) -> Array:
    """Take off what callees explain.

    The excess of a component that is new is all of it, so all that its callees cost is taken off.
    """
    beyond = own_part(_cost(burden, mesh.unseen), mesh.calls, mesh.newcomers)
    in_total = own_part(burden.total, mesh.calls, mesh.newcomers)
    return np.where(mesh.unseen[:, None], in_total, beyond)


def overload_of(view: View, calls: Calls) -> Array:
    """How much of a component's calls is beyond what health saw: float64[N, T], 0 to 1.

    What health saw is what all but the stated share of false alarms stay within.
    """
    ceiling = _healthy_rate(view, 1.0 - view.detector.calibration.stated_rate)[:, None]
    beyond = np.maximum(calls.rate - ceiling * (1.0 + LEAST_RELATIVE_SCALE), 0.0)
    counts = (ceiling > 0) & (calls.rate > 0)
    return np.divide(beyond, calls.rate, out=np.zeros_like(beyond), where=counts)


def _healthy_rate(view: View, quantile: float) -> Array:
    healthy = view.healthy()
    rate = calls_per_second(healthy, view.detector.healthy.step_s or 1.0)
    found = np.zeros(len(rate))
    measured = np.isfinite(rate).any(axis=1)
    found[measured] = np.nanquantile(rate[measured], quantile, axis=1)
    return found


def blame_load(own: Array, overload: Array, mesh: Mesh) -> list[Transfer]:
    """Load from outside, beyond all that health saw, may be what slows a component down.

    As far as the load that stems from an entrance (which nobody calls) comes in step with what a
    component adds.
    """
    calls = mesh.calls
    entrances = np.flatnonzero(mesh.entrances & (overload > 0).any(axis=1))
    if not len(entrances):
        return []
    stemming = calls.stemming_from(entrances.tolist())
    transfers = []
    for column, entrance in enumerate(entrances):
        loaded = np.minimum(overload, stemming[:, column, None] * overload[entrance])
        for node in np.flatnonzero(loaded.any(axis=1) & (own > 0).any(axis=1)):
            share = float(correlation(loaded[node][None, :], own[node])[0])
            if share > 0 and node != entrance:
                transfers.append(Transfer(Rule.LOAD, int(node), int(entrance), share))
    return transfers


def silence_of(view: View, mesh: Mesh) -> NDArray[np.bool_]:
    """Find when components get no calls though health never was without: bool[N, T].

    Calls that never arrive fail at the caller alone. Where all of several callees of a caller are
    silent, it is the caller that does not call.
    """
    calls = mesh.calls
    always = _healthy_rate(view, view.detector.calibration.stated_rate) > 0
    silent: NDArray[np.bool_] = always[:, None] & (
        calls_per_second(view.telemetry, view.step_s) == 0.0
    )
    for caller in set(calls.caller.tolist()):
        callees = calls.callee[calls.caller == caller]
        if len(callees) > 1:
            silent[callees] &= ~silent[callees].all(axis=0)
    return silent


def blame_callees(rule: Rule, own: Array, trouble: Array, mesh: Mesh) -> list[Transfer]:
    """Blame what a caller adds itself on a callee in trouble that its own burden can't show.

    As far as both go in step. Silence: an anomalous callee whose burden can't be measured may be
    what the caller seems to add. Failures: who tries a failing callee again, or waits for it until
    it gives up, waits. `trouble` float64[N, T] says when which callee is in trouble.
    """
    calls = mesh.calls
    transfers = []
    for caller, callee in zip(calls.caller.tolist(), calls.callee.tolist(), strict=True):
        if trouble[callee].any() and (own[caller] > 0).any():
            share = float(correlation(trouble[callee][None, :], own[caller])[0])
            if share > 0:
                transfers.append(Transfer(rule, caller, callee, share))
    return transfers
