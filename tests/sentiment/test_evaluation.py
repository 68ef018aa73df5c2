"""The figures by which a model is judged."""

import numpy as np
import pytest

from sentiment.evaluation import (
    apply_temperature,
    binary,
    calibration_error,
    find_threshold,
    fit_temperature,
    macro_f1,
    measure,
)

LABELS = np.array([0, 0, 1, 2, 2, 2])
RIGHT = np.eye(3, dtype=np.float32)[LABELS]


def test_a_perfect_answer_scores_one() -> None:
    figures = measure(RIGHT, LABELS, draws=50)
    assert figures.accuracy.value == figures.macro_f1.value == figures.binary.value == 1
    assert figures.calibration_error.value == 0


def test_macro_f1_by_hand() -> None:
    said = np.eye(3, dtype=np.float32)[[0, 1, 1, 2, 2, 0]]
    assert macro_f1(said, LABELS) == pytest.approx((0.5 + 2 / 3 + 0.8) / 3)


def test_binary_forgives_neutral_answers_and_ignores_neutral_rows() -> None:
    unsure = np.array([[0.3, 0.6, 0.1], [0.1, 0.6, 0.3], [0.9, 0.1, 0.0]], np.float32)
    assert binary(unsure, np.array([0, 2, 1])) == 1
    assert np.isnan(binary(unsure[2:], np.array([1])))


def test_calibration_error_is_the_gap_between_sure_and_right() -> None:
    sure = np.tile(np.array([[0.8, 0.1, 0.1]], np.float32), (10, 1))
    assert calibration_error(sure, np.array([0] * 5 + [1] * 5)) == pytest.approx(0.3, abs=1e-6)


def test_temperature_mends_overconfidence() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 3000)
    told = np.where(rng.random(3000) < 0.7, labels, rng.integers(0, 3, 3000))
    sharp = np.full((3000, 3), 0.005, np.float32)
    sharp[np.arange(3000), told] = 0.99
    temperature = fit_temperature(sharp, labels)
    assert temperature > 1.5
    assert calibration_error(apply_temperature(sharp, temperature), labels) < calibration_error(sharp, labels) / 4


def test_threshold_is_the_lowest_that_keeps_the_precision() -> None:
    negative = np.linspace(0, 1, 200, dtype=np.float32)
    right = negative > 0.5
    threshold = find_threshold(negative, right, precision=0.8)
    assert np.mean(right[negative >= threshold]) >= 0.8
    assert 0.36 < threshold < 0.39
    assert find_threshold(negative, np.zeros(200, bool), precision=0.8) == 1.0
