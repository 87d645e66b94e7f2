"""The network: GraphSAGE that predicts what it does not see of a component.

Imports torch and torch-geometric: import this module only after `extras.require("ml")`.
GraphSAGE: Hamilton, Ying & Leskovec 2017, arXiv:1706.02216; layer: torch_geometric.nn.SAGEConv.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch_geometric.nn import SAGEConv

from x0tta_cli.core.progress import Progress

Array = NDArray[np.float64]

HIDDEN_CHANNELS = 32
# Enough for the loss to level off; the weights are shared by all components, so a large mesh
# needs no more than a small one.
STEPS = 150
NODE_SAMPLES_PER_STEP = 3_000
# Keeps the memory of a prediction below some 100 MB.
NODE_SAMPLES_AT_ONCE = 100_000
LEARNING_RATE = 0.01


class MaskedGraphSage(nn.Module):
    """Predicts a component's hidden features from its others and from both kinds of neighbours.

    Inputs are float[..., N, 3F]: deviations (0 where missing or hidden), what is missing, what is
    hidden; the output is float[..., N, F] deviations. Messages carry the neighbours' unhidden
    features and are passed once, so that nothing hidden comes back through a neighbour.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.encode = nn.Linear(3 * features, HIDDEN_CHANNELS)
        self.from_callees = SAGEConv(HIDDEN_CHANNELS, HIDDEN_CHANNELS)
        self.from_callers = SAGEConv(HIDDEN_CHANNELS, HIDDEN_CHANNELS)
        self.decode = nn.Linear(HIDDEN_CHANNELS, features)

    def forward(self, seen: Tensor, masked: Tensor, calls: Tensor) -> Tensor:
        """`seen` as neighbours show themselves, `masked` as the predicted; `calls` int[2, E]."""
        neighbours, own = self.encode(seen).relu(), self.encode(masked).relu()
        hidden = self.from_callees((neighbours, own), calls.flip(0)) + self.from_callers(
            (neighbours, own), calls
        )
        predicted: Tensor = self.decode(hidden.relu())
        return predicted


def fit(
    deviations: Array,
    calls: Sequence[tuple[int, int]],
    groups: Sequence[Sequence[int]],
    *,
    seed: int,
    progress: Progress,
) -> MaskedGraphSage:
    """Train on float64[N, T, F] deviations (NaN is missing) of healthy time.

    `groups` lists features that are hidden together, since one would give the other away. The same
    input in the same order and the same seed give the same network; the global random state of
    torch stays as it was. It runs on the CPU on purpose: a few thousand weights gain nothing from
    an accelerator, whose sums come in no fixed order.
    """
    with one_thread():
        draw = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = MaskedGraphSage(deviations.shape[2])
            _remove_generated_code()
        values = torch.from_numpy(np.swapaxes(deviations, 0, 1).astype(np.float32))
        edges = edge_index(calls)
        member = _membership(groups, deviations.shape[2])
        optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
        for step, batch in zip(range(STEPS), _batches(values, draw), strict=False):
            progress.update(step / STEPS, f"step {step + 1} of {STEPS}")
            shape = (len(batch), values.shape[1], len(groups))
            chosen = torch.rand(shape, generator=draw).argmax(dim=-1)
            loss = _loss(network, values[batch], member[chosen], edges)
            optimiser.zero_grad()
            torch.autograd.backward([loss])
            optimiser.step()
            schedule.step()
        return network.double().eval()


def predict(
    network: MaskedGraphSage,
    deviations: Array,
    calls: Sequence[tuple[int, int]],
    groups: Sequence[Sequence[int]],
) -> Array:
    """Predict each group of features while it is hidden: float64[T, N, F] to the same shape."""
    edges = edge_index(calls)
    predicted = np.zeros(deviations.shape)
    at_once = max(1, NODE_SAMPLES_AT_ONCE // max(1, deviations.shape[1]))
    with one_thread(), torch.no_grad():
        for first in range(0, len(deviations), at_once):
            part = slice(first, first + at_once)
            values = torch.from_numpy(np.ascontiguousarray(deviations[part]))
            seen = _inputs(values, torch.zeros_like(values, dtype=torch.bool))
            for group in groups:
                hidden = torch.zeros_like(values, dtype=torch.bool)
                hidden[..., list(group)] = True
                output = network(seen, _inputs(values, hidden), edges)
                predicted[part][..., list(group)] = output[..., list(group)].numpy()
    return predicted


def edge_index(calls: Sequence[tuple[int, int]]) -> Tensor:
    """Turn (caller, callee) pairs into torch-geometric's int64[2, E], sorted.

    Calls of a component to itself are left out: they would show it what is hidden.
    """
    pairs = sorted((caller, callee) for caller, callee in calls if caller != callee)
    return torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).t().contiguous()


@contextmanager
def one_thread() -> Iterator[None]:
    """Sum in one order, whatever the machine: several threads would round differently."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _remove_generated_code() -> None:
    """Remove what torch-geometric writes into the temporary folder, loads, and leaves there."""
    for name, module in list(sys.modules.items()):
        if name.startswith(f"{SAGEConv.__module__}_") and module.__file__:
            Path(module.__file__).unlink(missing_ok=True)


def _batches(values: Tensor, draw: torch.Generator) -> Iterator[Tensor]:
    """Draw samples without end, each as often as the others."""
    size = max(1, NODE_SAMPLES_PER_STEP // values.shape[1])
    while True:
        yield from torch.split(torch.randperm(len(values), generator=draw), size)


def _loss(network: MaskedGraphSage, values: Tensor, hidden: Tensor, edges: Tensor) -> Tensor:
    """Huber's loss on what is hidden and measured: outliers of health must not rule."""
    nothing = torch.zeros_like(hidden)
    predicted = network(_inputs(values, nothing), _inputs(values, hidden), edges)
    judged = hidden & ~values.isnan()
    target = torch.where(judged, values, 0.0)
    error = nn.functional.smooth_l1_loss(predicted * judged, target, reduction="sum")
    return error / judged.sum().clamp(min=1)


def _inputs(values: Tensor, hidden: Tensor) -> Tensor:
    missing = values.isnan()
    # The inverse hyperbolic sine keeps small deviations and tames those of an incident.
    shown = torch.where(missing | hidden, 0.0, values).asinh()
    return torch.cat([shown, (missing & ~hidden).to(values.dtype), hidden.to(values.dtype)], dim=-1)


def _membership(groups: Sequence[Sequence[int]], features: int) -> Tensor:
    member = torch.zeros((len(groups), features), dtype=torch.bool)
    for row, group in enumerate(groups):
        member[row, list(group)] = True
    return member
