"""What chapter 4 promises of its solutions, beyond random cases."""

import numpy as np
import pytest
import torch

from helpers import data
from helpers.exercises import catalogue, examine
from helpers.exercises.chapter_04 import build_forecaster as forecaster
from helpers.exercises.chapter_04.linear_forecast import with_ones
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


@pytest.mark.notebook
def test_the_distance_from_the_formula_tells_the_error_on_the_next_value():
    series = data.generate_time_series(4000, 51, seed=5)
    x, y = series[:, :50], series[:, 50].numpy()
    formula = {"forecast": forecaster.two_sine_forecast(x).numpy()}
    for answer in (
        SOLVED["build_forecaster"]().eval()(x).detach().numpy(),
        (with_ones(x) @ forecaster.linear_weights()).numpy(),
    ):
        estimated = forecaster.error_over_floor({"forecast": answer}, formula)
        measured = np.square(answer - y).mean() / data.NOISE_FLOOR
        assert estimated == pytest.approx(measured, abs=0.15)


@pytest.mark.notebook
def test_a_forecaster_earns_its_band():
    exercise = catalogue.find("build_forecaster")
    shares = {m.message: examine(m.answer, exercise, seed=0).share for m in exercise.mistakes}
    assert shares["This is the naive forecast, or nearly."] == 0
    assert shares["This is the linear forecast, or nearly."] == 0.25
    assert shares[forecaster.EVERY_STEP] == 0
    for seed in range(5):
        result = examine(SOLVED["build_forecaster"], exercise, seed=seed)
        assert (result.status, result.share) == ("passed", 1), result.message


def test_the_fit_of_the_true_form_is_exact_without_noise_and_near_the_floor_with_it():
    t = np.arange(51) / 50
    waves = 0.5 * np.sin(13.3 * (t - 0.2)) + 0.2 * np.sin(27.1 * (t - 0.6))
    x = torch.tensor(waves[None, :, None]).float()
    assert float(forecaster.two_sine_forecast(x[:, :50])) == pytest.approx(waves[50], abs=0.01)
    x = data.generate_time_series(600, 51, seed=4)
    error = (forecaster.two_sine_forecast(x[:, :50]) - x[:, 50]).square().mean()
    assert data.NOISE_FLOOR < error < 1.5 * data.NOISE_FLOOR
