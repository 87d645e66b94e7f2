"""A real Alertmanager tells `alert serve` of hundreds of alerts at once, each by itself."""

from __future__ import annotations

import pytest
from bench.alert_storm import measure

pytestmark = pytest.mark.slow


def test_a_storm_beyond_what_is_served_at_once_is_taken_whole_and_told_once(tmp_path, monkeypatch):
    # The measurement names it to its processes by the environment.
    monkeypatch.setenv("X0TTA_STATE_DIR", str(tmp_path / "state"))
    _, _, told = measure(600, tmp_path)
    assert told == {str(number): 1 for number in range(600)}
