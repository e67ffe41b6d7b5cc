"""What chapter 4 promises of its solutions, beyond random cases."""

import statistics

import numpy as np
import pytest
import torch

from helpers import data, waves
from helpers.calling.pipelines import PIPELINES
from helpers.exercises import catalogue
from helpers.exercises.chapter_04 import build_forecaster as forecaster
from helpers.exercises.chapter_04.leaking_origins import HONEST, LEAKING
from tests import chapters

(PATH,) = (p for p in chapters.SOLUTIONS if p.stem == "04_time_series_project")
SOLVED = chapters.define(chapters.read(PATH))


@pytest.mark.parametrize("first_changed", [300, 301, 450])
def test_nothing_before_a_change_of_the_future_changes(first_changed):
    _, ppm = data.co2_weekly()
    ppm = ppm[:600]

    def windows(values):
        filled = SOLVED["fill_gaps"](values)
        train, _, _ = SOLVED["split_and_scale"](filled, 300, 150)
        return filled, SOLVED["make_windows"](train, 20)

    changed = ppm.copy()
    changed[first_changed:] = np.where(np.isnan(changed[first_changed:]), 1e6, np.nan)
    (filled, (x, y)), (filled_again, (x_again, y_again)) = windows(ppm), windows(changed)
    assert np.array_equal(filled[:first_changed], filled_again[:first_changed])
    assert torch.equal(x, x_again)
    assert torch.equal(y, y_again)


# --- leaks ----------------------------------------------------------------------------------------


def carried(values):
    filled = [0.0]
    for value in values:
        filled.append(filled[-1] if np.isnan(value) else float(value))
    return np.array(filled[1:])


def by_nearest(known, ends, ahead=1):
    """Forecast by the window of `ends` that is most like the present one."""
    looks = np.lib.stride_tricks.sliding_window_view(np.pad(known, (3, 0), "edge"), 4)
    apart = np.square(looks[:, None] - looks[ends]).sum(axis=2)  # (T, n)
    return known[np.minimum(ends + ahead, len(known) - 1)][apart.argmin(axis=1)]


def after(first, forecasts):
    return np.where(np.arange(len(forecasts)) < first, np.nan, forecasts)


def network(values, ends):
    """Forecast by a network, trained with a seed."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x = torch.tensor(np.lib.stride_tricks.sliding_window_view(np.pad(values, (2, 0)), 3)).float()
    y = torch.tensor(values[ends + 1]).float()[:, None]
    for _ in range(5):
        optimizer.zero_grad()
        (model(x[ends]) - y).square().mean().backward()
        optimizer.step()
    return model(x).detach().double().numpy()[:, 0]


def between_neighbours(values):
    series = values.copy()
    for t in np.flatnonzero(np.isnan(values)):
        before = next((values[i] for i in range(t, -1, -1) if values[i] == values[i]), 0.0)
        behind = [values[i] for i in range(t, len(values)) if values[i] == values[i]]
        series[t] = (before + behind[0]) / 2 if behind else before
    return series


def filled_backwards(values):
    return carried(carried(values[::-1])[::-1])


def min_max(values):
    low, high = np.nanmin(values), np.nanmax(values)
    scaled = (carried(values) - low) / (high - low)
    return low + (high - low) * np.sqrt(np.clip(scaled, 0, None))


def less_the_season(values):
    filled = carried(values)
    means = np.array([filled[place::3].mean() for place in range(3)])
    place = np.arange(len(filled)) % 3
    return filled - means[place] + means[(place + 1) % 3]


def holds_its_target(values):
    filled = between_neighbours(values)
    return 0.5 * filled + 0.5 * np.append(filled[1:], filled[-1])


def in_the_middle(values):
    padded = np.pad(between_neighbours(values), 1, "edge")
    return np.convolve(padded, [0.25, 0.5, 0.25], "valid")


def any_origin(values):
    T = len(values)
    return by_nearest(carried(values), np.random.default_rng(0).permutation(T - 1)[: T // 2])


def over_the_end(first):
    return lambda values: by_nearest(carried(values), np.arange(first + 3), ahead=1)


def refits(first):
    def pipeline(values):
        known = carried(values)
        at = [by_nearest(known[: t + 1], np.arange(3, t))[t] for t in range(first, len(known))]
        return np.append(np.full(first, np.nan), at)

    return pipeline


def ridge_of(values, ends):
    A = np.column_stack([values, np.roll(values, 1)])
    return A @ np.linalg.solve(A[ends].T @ A[ends] + np.eye(2), A[ends].T @ values[ends + 1])


def scaled_by_the_training_part(first):
    def pipeline(values):
        known = carried(values)
        mean, sd = known[:first].mean(), known[:first].std()
        return mean + sd * ridge_of((known - mean) / sd, np.arange(1, first - 1))

    return pipeline


FIRST = 20
LEAKS = {
    "between two values": between_neighbours,
    "backward": filled_backwards,
    "min and max of all": min_max,
    "season of all": less_the_season,
    "window with its target": holds_its_target,
    "centred mean": in_the_middle,
    "random split": any_origin,
    "overlapping windows": over_the_end(FIRST),
}
FAIR = {
    "last value": carried,
    "a running mean": lambda values: carried(values).cumsum() / np.arange(1, len(values) + 1),
    "refits at each origin": refits(FIRST),
    "scaled by the training part": scaled_by_the_training_part(FIRST),
    "a network, seeded": lambda values: network(carried(values), np.arange(2, FIRST - 1)),
    "a median of the past": lambda values: np.array(
        [np.nanmedian(values[: t + 1]) for t in range(len(values))]
    ),
}


@pytest.fixture(scope="module")
def series():
    values = 10 + np.random.default_rng(4).normal(size=40).cumsum()
    values[[5, 6, 24, 25, 26, 33]] = np.nan
    return values


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_is_found(series, name):
    found = SOLVED["leaking_origins"](lambda v: after(FIRST, LEAKS[name](v)), series, FIRST)
    assert found
    assert set(found) <= set(range(FIRST, len(series) - 1))


@pytest.mark.parametrize("name", FAIR)
def test_an_honest_pipeline_passes_the_leak_test(series, name):
    assert SOLVED["leaking_origins"](lambda v: after(FIRST, FAIR[name](v)), series, FIRST) == []


def test_the_pipelines_of_the_check_are_what_they_are_called():
    for seed in range(5):
        for case in catalogue.find("leaking_origins").cases(np.random.default_rng(seed)):
            first, pipeline = case["first"], PIPELINES[case["pipeline"]]
            found = SOLVED["leaking_origins"](
                lambda v, p=pipeline, f=first: p(v, f), case["values"], first
            )
            leaks = case["pipeline"] >= len(HONEST) and len(case["values"]) > first + 1
            assert bool(found) == leaks, (HONEST + LEAKING)[case["pipeline"]]


# --- scores, computed once more -------------------------------------------------------------------


def test_scores_agree_with_plain_loops():
    _, ppm = data.co2_weekly()
    values = SOLVED["fill_gaps"](ppm)[-400:]
    as_a_year_ago = SOLVED["seasonal_naive"]

    def forecaster_(past, horizon):
        return as_a_year_ago(past, horizon, 52)

    said, came = SOLVED["rolling_origin"](forecaster_, values, 200, 30, 60)
    missed = []
    for i, t in enumerate(range(200, 340, 30)):
        for k in range(1, 61):
            back = t + k
            while back > t:
                back -= 52
            assert said[i, k - 1] == values[back]
            assert came[i, k - 1] == values[t + k]
            missed.append(abs(values[back] - values[t + k]))
    steps = [abs(values[t] - values[t - 52]) for t in range(52, 201)]
    expected = statistics.fmean(missed) / statistics.fmean(steps)
    assert SOLVED["mase"](said, came, values[:201], 52) == pytest.approx(expected, rel=1e-12)


def covered_by(*given):
    """Call the chapter's own function of that name."""
    (cell,) = (c for c in chapters.read(PATH).cells if c.id == "covered")
    exec(cell.source, space := {})
    return space["covered_by"](*given)


def test_pinball_loss_and_coverage_agree_with_counting():
    random = torch.Generator().manual_seed(0)
    target = torch.randn(4000, 1, generator=random, dtype=torch.float64)
    levels = [0.1, 0.5, 0.9]
    candidates = torch.linspace(-2, 2, 401, dtype=torch.float64)
    for level in levels:
        losses = [
            float(SOLVED["pinball_loss"](c.expand(4000, 1), target, [level])) for c in candidates
        ]
        by_hand = [
            statistics.fmean(level * (y - c) if y > c else (1 - level) * (c - y) for y in some)
            for some in [target[:50, 0].tolist()]
            for c in candidates[::100].tolist()
        ]
        some_losses = [
            float(SOLVED["pinball_loss"](c.expand(50, 1), target[:50], [level]))
            for c in candidates[::100]
        ]
        assert some_losses == pytest.approx(by_hand, rel=1e-6)
        best = candidates[int(np.argmin(losses))]
        assert float((target < best).double().mean()) == pytest.approx(level, abs=0.01)
    low, high, came = np.random.default_rng(0).normal([[-1], [1], [0]], size=(3, 500))
    inside = sum(a < y < b for a, b, y in zip(low, high, came, strict=True))
    share, error = covered_by(low, high, came)
    assert share == inside / 500
    expected = statistics.pstdev([1.0] * inside + [0.0] * (500 - inside)) / 500**0.5
    assert error == pytest.approx(expected)


# --- the open task --------------------------------------------------------------------------------


@pytest.mark.notebook
def test_a_forecaster_earns_its_band(judged):
    exercise = catalogue.find("build_forecaster")
    shares = {m.message: judged(exercise, m.answer).share for m in exercise.mistakes}
    assert shares["This is the naive forecast, or nearly."] == 0
    assert shares["This is the linear forecast, or nearly."] == 0.25
    assert shares[forecaster.FLAWS[1]] == 0
    better = [(0.85, 0.5), (0.6, 0.75)]
    for weight, share in better:  # between least squares and the fit of the true form

        def answer(series, w=weight):
            fit, line = forecaster.fit_of_the_bent_form, forecaster.by_least_squares(series)
            return forecaster.Fixed(lambda x: (1 - w) * fit(x) + w * line(x))

        assert judged(exercise, answer).share == share


@pytest.mark.notebook
def test_a_fit_of_another_form_does_not_pass(judged):
    exercise = catalogue.find("build_forecaster")
    for seed in range(3):
        two_sines = judged(exercise, lambda _: forecaster.Fixed(waves.two_sine_forecast), seed)
        assert two_sines.status == "wrong"


def test_an_answer_is_not_handed_what_is_to_come():
    exercise = catalogue.find("build_forecaster")
    cases = exercise.cases(np.random.default_rng(0))
    assert {"series", "x"} == set(exercise.handed(cases)[0]) < set(cases[0])


# --- the fit of the true form ---------------------------------------------------------------------


def test_the_fit_of_the_true_form_is_exact_without_noise_and_near_the_floor_with_it():
    t = np.arange(60) / 50
    clean = 0.5 * np.sin(13.3 * (t - 0.2)) + 0.2 * np.sin(27.1 * (t - 0.6))
    x = torch.tensor(clean[None, :50, None]).float()
    ahead = waves.two_sine_forecast(x, steps=10)[0].tolist()
    assert ahead == pytest.approx(clean[50:].tolist(), abs=0.02)
    series = data.generate_time_series(600, 51, seed=4)
    error = (waves.two_sine_forecast(series[:, :50]) - series[:, 50]).square().mean()
    assert data.NOISE_FLOOR < error < 1.5 * data.NOISE_FLOOR
