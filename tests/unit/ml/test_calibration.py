from __future__ import annotations

import numpy as np
import pytest

from x0tta_cli.ml.calibration import calibrate, design_effect, rate_interval, split_by_time


@pytest.mark.parametrize("samples", [5, 49, 50, 51, 589, 5000])
def test_the_parts_are_whole_blocks_and_share_nothing(samples):
    split = split_by_time(samples)
    parts = [split.train, split.calibrate, split.measure]
    assert sorted(np.concatenate(parts)) == list(range(samples))
    blocks = [set(split.block[part].tolist()) for part in parts]
    assert sum(map(len, blocks)) == len(set().union(*blocks))
    assert len(split.train) > len(split.calibrate) > 0
    assert len(split.measure) > 0


def test_each_part_sees_the_whole_recording():
    split = split_by_time(1000)
    for part in (split.train, split.calibrate, split.measure):
        assert part.min() < 100
        assert part.max() >= 900


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
def test_the_measured_rate_is_the_stated_one_for_noise(rate):
    scores = np.random.default_rng(0).exponential(size=(40, 2000))
    calibration = calibrate(scores, split_by_time(2000), rate)
    low, high = calibration.measured_interval
    assert low <= rate <= high
    assert calibration.measured_rate == pytest.approx(rate, rel=0.2)
    assert calibration.measured_samples == 40 * 400


def test_the_threshold_is_the_conformal_quantile():
    scores = np.arange(1.0, 501.0)[None, :]
    split = split_by_time(500)
    calibration = calibrate(scores, split, 0.1)
    held_back = scores[0, split.calibrate]
    # 101 × 0.9 = 90.9: the 91st of 100 values.
    assert calibration.threshold == np.sort(held_back)[90]


def test_a_rate_that_is_off_is_reported_as_it_is():
    scores = np.random.default_rng(0).exponential(size=(10, 1000))
    split = split_by_time(1000)
    scores[:, split.measure] *= 3
    calibration = calibrate(scores, split, 0.01)
    assert calibration.measured_rate > 0.1
    assert calibration.measured_interval[0] > 0.01


def test_alarms_in_bursts_widen_the_interval():
    generator = np.random.default_rng(0)
    alone = generator.random((20, 1000)) < 0.05
    in_bursts = np.repeat(generator.random((20, 50)) < 0.05, 20, axis=1)
    together = np.tile(np.arange(1000) // 20 % 10 == 3, (20, 1))
    split = split_by_time(1000)
    effects = [design_effect(a, split.measure, split.block) for a in (alone, in_bursts, together)]
    assert effects[0] < 3
    assert effects[0] < effects[1] < effects[2]


def test_no_alarm_at_all_is_no_proof_of_none():
    assert design_effect(np.zeros((2, 100), dtype=bool), np.arange(100), np.arange(100)) is None
    low, high = rate_interval(0.0, 100)
    assert low == 0
    assert 0.02 < high < 0.06
