"""One simulated mesh, and the detector that learnt it."""

from __future__ import annotations

import pytest
from fakes.simulated_mesh import Simulation, simulate

from x0tta_cli.ml.detector import Detector, train


@pytest.fixture(scope="session")
def simulation() -> Simulation:
    return simulate(3, services=14)


@pytest.fixture(scope="session")
def detector(simulation) -> Detector:
    return train(simulation.healthy, seed=1)
