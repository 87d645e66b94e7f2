from __future__ import annotations

import numpy as np
import pytest
import torch

from x0tta_cli.core.progress import Silent
from x0tta_cli.ml import graphsage

pytestmark = pytest.mark.slow

GROUPS = ((0, 1), (2,))
CALLS = ((0, 1), (1, 2), (0, 2))


@pytest.fixture(scope="module")
def deviations():
    """Caller 0 waits for 1, and both quantities of 1 go together."""
    generator = np.random.default_rng(0)
    values = generator.normal(size=(3, 200, 3))
    values[0] = values[1] + 0.1 * generator.normal(size=(200, 3))
    values[:, :, 1] = values[:, :, 0]
    values[2, ::7, 0] = np.nan
    return values


def fitted(deviations, calls=CALLS, seed=0):
    return graphsage.fit(deviations, calls, GROUPS, seed=seed, progress=Silent())


@pytest.fixture(scope="module")
def network(deviations):
    return fitted(deviations)


def predicted(network, deviations, calls=CALLS):
    return graphsage.predict(network, np.swapaxes(deviations, 0, 1), calls, GROUPS)


def test_nothing_hidden_shows_in_its_own_prediction(network, deviations):
    before = predicted(network, deviations)
    for group in GROUPS:
        changed = deviations.copy()
        changed[0, :, list(group)] += 5.0
        after = predicted(network, changed)
        assert np.array_equal(after[:, 0, list(group)], before[:, 0, list(group)])
        others = [index for index in range(3) if index not in group]
        assert np.abs(after[:, 0, others] - before[:, 0, others]).max() > 1e-3


def test_nor_does_a_call_of_oneself_show_it(network, deviations):
    looped = predicted(network, deviations, (*CALLS, (0, 0), (2, 2)))
    assert np.array_equal(looped, predicted(network, deviations))


def test_a_caller_is_predicted_from_its_callee_and_the_other_way_round(network, deviations):
    found = predicted(network, deviations)
    for node in (0, 1):
        error = found[:, node, 0] - deviations[node, :, 0]
        assert np.sqrt((error**2).mean()) < 0.75 * deviations[node, :, 0].std()


def test_the_same_seed_gives_the_same_network_and_another_another(network, deviations):
    again, other = fitted(deviations), fitted(deviations, seed=1)
    assert np.array_equal(predicted(again, deviations), predicted(network, deviations))
    assert not np.array_equal(predicted(other, deviations), predicted(network, deviations))


def test_the_state_of_torch_stays_as_it_was(deviations):
    torch.manual_seed(5)
    threads, expected = torch.get_num_threads(), torch.rand(3)
    torch.manual_seed(5)
    fitted(deviations[:, :50])
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads


def test_a_mesh_without_calls_is_learnt_too(deviations):
    found = predicted(fitted(deviations[:, :50], ()), deviations[:, :50], ())
    assert np.isfinite(found).all()
