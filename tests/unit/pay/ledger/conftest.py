"""A ledger of the test's own."""

from __future__ import annotations

import pytest
from fakes.till import Till


@pytest.fixture
def till(state):
    opened = Till()
    yield opened
    opened.ledger.close()
