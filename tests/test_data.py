"""The generators: shapes, reproducibility, and the limits they claim."""

import math

import numpy as np
import pytest
import torch

from helpers import data


@pytest.mark.parametrize("make", [data.leaky_sums, data.first_tokens])
def test_same_seed_same_data(make):
    for a, b in zip(make(4, 6, seed=3), make(4, 6, seed=3), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(make(4, 6, seed=3)[0], make(4, 6, seed=4)[0])


def test_leaky_sums_follow_the_recursion():
    x, y = data.leaky_sums(5, 12, decay=0.7, seed=1)
    assert x.shape == (5, 12, 1)
    assert y.shape == (5, 1)
    s = torch.zeros(5)
    for t in range(12):
        s = 0.7 * s + x[:, t, 0]
    assert torch.allclose(y[:, 0], s, atol=1e-5)


def test_leaky_sum_floor_is_what_the_best_window_reaches():
    x, y = data.leaky_sums(200_000, 20, seed=0)
    weights = torch.linalg.lstsq(x[:, -10:, 0], y).solution
    error = torch.mean((x[:, -10:, 0] @ weights - y) ** 2).item()
    assert math.isclose(error, data.leaky_sum_floor(10, 20), rel_tol=0.02)


def test_first_tokens_are_one_hot_and_name_the_first():
    x, y = data.first_tokens(50, 7, classes=3, seed=0)
    assert x.shape == (50, 7, 3)
    assert torch.equal(x.sum(dim=2), torch.ones(50, 7))
    assert torch.equal(x[:, 0].argmax(dim=1), y)


def test_sine_points_are_one_step_apart_and_linear_in_two():
    times, x, y = data.sine_points(12)
    assert times.shape == (13,)
    assert x.shape == y.shape == (12,)
    assert np.array_equal(x[1:], y[:-1])
    delta = times[1] - times[0]
    assert np.allclose(y[1:], 2 * np.cos(delta) * x[1:] - x[:-1])


def test_sine_cosine_windows_are_consecutive_half_periods():
    x, y = data.sine_cosine_windows(0, 4)
    assert x.shape == y.shape == (4, 1, 10, 1)
    angles = torch.arange(40) * math.pi / 10
    assert torch.allclose(x.flatten(), angles.sin(), atol=1e-6)
    assert torch.allclose(y.flatten(), angles.cos(), atol=1e-6)
    later, _ = data.sine_cosine_windows(2, 2)
    assert torch.allclose(later, x[2:], atol=1e-6)
    assert math.isclose((y**2).mean().item(), 0.5, rel_tol=1e-6)
