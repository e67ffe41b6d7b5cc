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
    slower, _ = data.sine_cosine_windows(0, 2, frequency=0.5)
    assert torch.allclose(slower.flatten()[::2], x[:1].flatten(), atol=1e-6)
    shifted, _ = data.sine_cosine_windows(0, 4, phase=math.pi / 2)
    assert torch.allclose(shifted, y, atol=1e-6)
    later, _ = data.sine_cosine_windows(2, 2)
    assert torch.allclose(later, x[2:], atol=1e-6)
    assert math.isclose((y**2).mean().item(), 0.5, rel_tol=1e-6)


def test_time_series_has_its_noise_floor_and_its_step():
    x = data.generate_time_series(4000, 51, seed=1)
    assert x.shape == (4000, 51, 1)
    assert x.dtype == torch.float32
    assert torch.equal(x, data.generate_time_series(4000, 51, seed=1))
    assert not torch.equal(x, data.generate_time_series(4000, 51, seed=2))
    # Second differences of a wave of angular frequency w are small where w times the step is:
    # with a thousandth of the step nothing but noise moves.
    still = data.generate_time_series(2000, 60, seed=3, step=1e-6)
    assert still.var(dim=1).mean() == pytest.approx(data.NOISE_FLOOR, rel=0.02)
    assert round(data.NOISE_FLOOR, 6) == 0.000833


def test_series_of_a_kind_share_what_the_kind_draws():
    noisy, clean = data.bent_waves(3000, 60, kind=5, seed=1)
    assert noisy.shape == clean.shape == (3000, 60, 1)
    assert torch.equal(noisy, data.bent_waves(3000, 60, kind=5, seed=1)[0])
    noise = noisy - clean
    width = float(noise.max() - noise.min())
    assert 0.06 < width < 0.14
    assert float(noise.var()) == pytest.approx(width**2 / 12, rel=0.05)
    again = torch.sub(*data.bent_waves(3000, 60, kind=5, seed=2))
    assert float(again.max() - again.min()) == pytest.approx(width, rel=0.01)
    other = torch.sub(*data.bent_waves(3000, 60, kind=6, seed=1))
    assert float(other.max() - other.min()) != pytest.approx(width, rel=0.01)


def test_minibatches_keep_pairs_and_time_and_use_every_series_once():
    x, y = torch.arange(70.0).reshape(7, 10, 1), torch.arange(7.0).unsqueeze(1)
    batches = data.minibatches(x, y, 3, seed=0, epochs=2)
    assert [len(part) for part, _ in batches] == [3, 3, 1] * 2
    for part, target in batches:
        assert torch.equal(part[:, 0], 10 * target)
        assert (part.diff(dim=1) == 1).all()
    first, second = (torch.cat([t for _, t in batches[i : i + 3]]) for i in (0, 3))
    assert torch.equal(first.sort(dim=0).values, y)
    assert not torch.equal(first, second)


def test_co2_has_its_gaps_and_stocks_their_months():
    dates, ppm = data.co2_weekly()
    assert len(dates) == len(ppm) == 2284
    assert np.isnan(ppm).sum() == 59
    assert (np.diff(dates) == np.timedelta64(7, "D")).all()
    months, prices = data.stock_prices("AAPL")
    assert len(months) == len(prices) == 390
    assert np.isfinite(prices).all()
    assert len(set(months.astype("datetime64[M]"))) == 390


GOOD = torch.ones(3, 9, 1)
NAN = torch.ones(3, 9, 1).index_fill(1, torch.tensor(4), torch.nan)
BAD_INPUT = [
    (lambda: data.generate_time_series(0, 51), ValueError, "n=0, T=51"),
    (lambda: data.generate_time_series(3, 1), ValueError, "n=3, T=1"),
    (lambda: data.bent_waves(0, 51, kind=1), ValueError, "n=0, T=51"),
    (lambda: data.stock_prices("ACME"), ValueError, "There is no 'ACME' in Stocks.csv: IBM"),
]
for takes, axes in [
    (lambda x: data.checked(x, "x", ("n", "T", 1), least=8), True),
    (lambda x: data.minibatches(x, torch.ones(3, 1), 2, seed=0), False),
    (lambda x: data.minibatches(torch.ones(3, 1), x, 2, seed=0), False),
]:
    BAD_INPUT += [
        (lambda takes=takes: takes(NAN), ValueError, "values that are NaN or infinite"),
        (
            lambda takes=takes: takes(NAN.nan_to_num(torch.inf)),
            ValueError,
            "the first at [0, 4, 0]",
        ),
        (lambda takes=takes: takes(GOOD.long()), TypeError, "holds int64"),
        (lambda takes=takes: takes(GOOD.bool().numpy()), TypeError, "bool"),
    ]
    if axes:
        BAD_INPUT += [
            (lambda takes=takes: takes(GOOD[:, :, 0]), ValueError, "(3, 9); needed is (n, T, 1)"),
            (lambda takes=takes: takes(GOOD.expand(3, 9, 2)), ValueError, "(3, 9, 2); needed"),
            (lambda takes=takes: takes(GOOD[:, :5]), ValueError, "5 time steps; at least 8"),
        ]
    else:
        BAD_INPUT += [(lambda takes=takes: takes(GOOD[:2]), ValueError, "give one to each")]
BAD_INPUT += [
    (lambda: data.minibatches(GOOD, torch.ones(3, 1), 0, seed=0), ValueError, "batch_size=0"),
]


@pytest.mark.parametrize(("call", "error", "words"), BAD_INPUT)
def test_bad_input_is_a_clear_error(call, error, words):
    with pytest.raises(error) as raised:
        call()
    assert words in str(raised.value)
