"""`simulate_paths`: many futures from a model of one step, with surprises, section 4.8.

P paths, B series, T steps in a window, K steps ahead.
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_04 import call_with_a_model
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import new_seed, normal


def simulate_paths(model, x, noise):
    """Return the paths (P, B, K) that continue windows x (B, T, 1), by `torch.func.vmap`.

    model takes windows (B, T, 1) and returns the next values (B, 1); noise (P, B, K) is what is
    added to them, step by step, and seen by the steps after.
    """
    P, B, K = noise.shape
    windows = x.repeat(P, 1, 1)  # (P B, T, 1): each path has its own
    path = noise.new_zeros(P * B, K)
    for k, surprise in enumerate(noise.reshape(P * B, K).T):
        with torch.no_grad():
            path[:, k] = model(windows)[:, 0] + surprise
        windows = torch.cat([windows[:, 1:], path[:, k].reshape(-1, 1, 1)], dim=1)
    return path.reshape(P, B, K)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw windows and noise. One is a single path of a single series, one a single step."""
    sizes = [(3, 2, 5, 4), (1, 1, 4, 3), (4, 5, 3, 1), (2, 3, 4, 6)]  # P, B, T, K
    sizes += [tuple(rng.integers(2, 7, size=4).tolist()) for _ in range(2)]
    return [
        {"x": normal(rng, B, T, 1), "noise": 0.5 * normal(rng, P, B, K), "seed": new_seed(rng)}
        for P, B, T, K in sizes
    ]


def wrong(
    seen: Callable = lambda y, surprise: y + surprise,
    said: Callable = lambda y, surprise: y + surprise,
    move: Callable = lambda window, y: torch.cat([window[:, 1:], y[..., None]], dim=1),
    noise_of: Callable = lambda noise: noise,
    finish: Callable = lambda paths: torch.stack(paths),
) -> Callable:
    """Return a `simulate_paths` that departs from the right one in what is given.

    seen    what the steps after see of a forecast y (B, 1) and its surprise (B, 1)
    said    what the path holds of them
    finish  of a list of paths, (B, K) each
    """

    def answer(model, x, noise):
        paths = []
        for surprises in noise_of(noise):  # (B, K)
            window, path = x, []
            for surprise in surprises.T:
                with torch.no_grad():
                    y = model(window)
                path.append(said(y, surprise[:, None]))
                window = move(window, seen(y, surprise[:, None]))
            paths.append(torch.cat(path, dim=1))
        return finish(paths)

    return answer


def one_window_for_all(model, x, noise):
    paths, window = noise.clone(), x
    for k in range(noise.shape[2]):
        with torch.no_grad():
            y = model(window)
        paths[:, :, k] += y[:, 0]
        window = torch.cat([window[:, 1:], paths[:, :, k].mean(dim=0)[:, None, None]], dim=1)
    return paths


def goes_on_from_the_last_path(model, x, noise):
    paths, window = [], x
    for surprises in noise:
        path = []
        for surprise in surprises.T:
            with torch.no_grad():
                path.append(model(window) + surprise[:, None])
            window = torch.cat([window[:, 1:], path[-1][..., None]], dim=1)
        paths.append(torch.cat(path, dim=1))
    return torch.stack(paths)


def summed_up_beside_the_forecast(model, x, noise):
    return simulate_paths(model, x, torch.zeros_like(noise)) + noise.cumsum(dim=2)


def copies_side_by_side(model, x, noise):
    P, B, K = noise.shape
    order = torch.arange(B).repeat_interleave(P)  # of the windows, where the noise has 0 … B - 1
    mixed = simulate_paths(model, x[order], noise.reshape(1, P * B, K))
    return mixed.reshape(P, B, K)


def noise_of_the_first_series(noise):
    return noise[:, :1].expand_as(noise)


def ends_up_in_the_argument(model, x, noise):
    paths = simulate_paths(model, x, noise)
    noise.copy_(paths)
    return noise


EXERCISE = Exercise(
    name="simulate_paths",
    title="many futures from one model",
    points=3,
    difficulty=2,
    outputs={"paths": "P B K"},
    cases=cases,
    drive=call_with_a_model,
    reference=simulate_paths,
    against="all paths as one batch",
    mistakes=(
        Mistake(
            "The surprises are added at the end, to one and the same forecast: no step sees that "
            "the one before came out otherwise, so that nothing grows. Put forecast *and* surprise "
            "into the window.",
            wrong(seen=lambda y, surprise: y),
        ),
        Mistake(
            "The surprises go into the windows, and not into the paths that are returned: the last "
            "one is never seen.",
            wrong(said=lambda y, surprise: y),
        ),
        Mistake(
            "The surprises add up: each step gets all that came before once more. The window holds "
            "them already; add each once.",
            wrong(noise_of=lambda noise: noise.cumsum(dim=2)),
            also=(summed_up_beside_the_forecast,),
        ),
        Mistake(
            "Paths and series are mixed up: `repeat_interleave` puts the copies of a series side "
            "by side, where the noise has those of a path. `repeat(P, 1, 1)`, say.",
            copies_side_by_side,
        ),
        Mistake(
            "There is no surprise in the paths: all are the same recursive forecast.",
            wrong(noise_of=torch.zeros_like),
        ),
        Mistake(
            "The surprises are subtracted. Add them.",
            wrong(noise_of=torch.neg),
        ),
        Mistake(
            "Each path goes on where the one before it ended. Begin every path with `x`.",
            goes_on_from_the_last_path,
        ),
        Mistake(
            "All paths share one window, that of their mean. Each path sees its own past.",
            one_window_for_all,
        ),
        Mistake(
            "All series of a path get the surprises of the first. Each has its own, "
            "`noise[p, b, k]`.",
            wrong(noise_of=noise_of_the_first_series),
        ),
        Mistake(
            "Every path gets the surprises of the first. Each has its own, `noise[p, b, k]`.",
            wrong(noise_of=lambda noise: noise[:1].expand_as(noise)),
        ),
        Mistake(
            "Every step gets the surprise of the first. Each has its own, `noise[p, b, k]`.",
            wrong(noise_of=lambda noise: noise[..., :1].expand_as(noise)),
        ),
        Mistake(
            "The surprises come in the wrong order: step k gets `noise[p, b, k]`.",
            wrong(noise_of=lambda noise: noise.flip(2)),
        ),
        Mistake(
            "Every step is forecast from the first window. Append what came out, and drop the "
            "oldest value.",
            wrong(move=lambda window, y: window),
        ),
        Mistake(
            "The oldest value stays, so that the window grows. Keep its length: `window[:, 1:]`.",
            wrong(move=lambda window, y: torch.cat([window, y[..., None]], dim=1)),
        ),
        Mistake(
            "The newest value goes to the front of the window. It is the last: append it.",
            wrong(move=lambda window, y: torch.cat([y[..., None], window[:, :-1]], dim=1)),
            also=(wrong(move=lambda window, y: torch.cat([y[..., None], window[:, 1:]], dim=1)),),
        ),
        Mistake(
            "Only the last step is returned. Return all, (P, B, K).",
            wrong(finish=lambda paths: torch.stack(paths)[..., -1]),
        ),
        Mistake(
            "The mean over all paths is returned. Return each path: (P, B, K).",
            wrong(finish=lambda paths: torch.stack(paths).mean(dim=0)),
        ),
        Mistake(
            "The series come first, and then the paths. The order is that of `noise`: (P, B, K).",
            wrong(finish=lambda paths: torch.stack(paths, dim=1)),
        ),
        Mistake(
            "The steps come before the series. The order is that of `noise`: (P, B, K).",
            wrong(finish=lambda paths: torch.stack(paths).transpose(1, 2)),
        ),
        Mistake(
            "The paths stand below each other, (P B, K). Give them an axis: `torch.stack`.",
            wrong(finish=torch.cat),
        ),
        Mistake(
            "Your function changed its argument `noise` in place. Make a new tensor.",
            ends_up_in_the_argument,
        ),
    ),
)
