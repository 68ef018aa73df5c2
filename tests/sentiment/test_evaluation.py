"""The figures by which a model is judged."""

import numpy as np
import pytest

from sentiment.evaluation import (
    binary,
    calibration_error,
    find_threshold,
    fit_calibration,
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


def test_calibration_mends_overconfidence() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 3000)
    told = np.where(rng.random(3000) < 0.7, labels, rng.integers(0, 3, 3000))
    sharp = np.full((3000, 3), 0.005, np.float32)
    sharp[np.arange(3000), told] = 0.99
    calibration = fit_calibration(sharp, labels)
    assert calibration.temperature > 1.5
    assert calibration_error(calibration.apply(sharp), labels) < calibration_error(sharp, labels) / 4


def test_calibration_mends_a_class_that_is_said_too_seldom() -> None:
    rng = np.random.default_rng(2)
    true = rng.dirichlet([1, 1, 1], 5000).astype(np.float32)
    labels = np.array([rng.choice(3, p=row / row.sum()) for row in true.astype(float)])
    seldom = true * np.array([1.6, 0.5, 1.2], np.float32)
    seldom /= seldom.sum(1, keepdims=True)
    calibration = fit_calibration(seldom, labels)
    assert calibration.temperature == pytest.approx(1, abs=0.06)
    assert calibration.biases == pytest.approx((np.log(0.5 / 1.6), 0, np.log(0.5 / 1.2)), abs=0.1)
    assert macro_f1(calibration.apply(seldom), labels) > macro_f1(seldom, labels) + 0.02


def test_calibration_of_labels_without_a_class_stays_within_bounds() -> None:
    rng = np.random.default_rng(3)
    raw = rng.dirichlet([1, 1, 1], 20).astype(np.float32)
    calibration = fit_calibration(raw, np.zeros(20, np.int64))
    assert calibration.apply(raw)[:, 0].min() > 0.5 > raw[:, 0].min()
    assert all(abs(bias) <= 3 for bias in calibration.biases) and 1 / 3 <= calibration.temperature <= 3


def test_threshold_is_the_lowest_that_keeps_the_precision() -> None:
    negative = np.linspace(0, 1, 200, dtype=np.float32)
    right = negative > 0.5
    threshold = find_threshold(negative, right, precision=0.8)
    assert np.mean(right[negative >= threshold]) >= 0.8
    assert 0.36 < threshold < 0.39
    assert find_threshold(negative, np.zeros(200, bool), precision=0.8) == 1.0
