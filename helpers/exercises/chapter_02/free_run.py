"""`free_run`: the sine network, fed with its predictions, section 2.6."""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case, call_with_numpy
from helpers.exercises.chapter_02.sine_forward import (
    run_in_torch,
    sine_case,
    sine_forward,
    tensors,
    without_targets,
)
from helpers.exercises.contract import Exercise, Mistake


def free_run(x, w1, w2, steps):
    """Return predictions (steps,) after the series x, each fed back as the next input, by `nn.RNN`.

    x (T,), w1 (1 + H, H), w2 (H, 1), all float64. The first is the prediction from the last x.
    """
    x, w1, w2 = tensors(x[None], w1, w2)
    predictions, contexts, _ = run_in_torch(x, w1, w2)  # (1, T), (1, T, H)
    values = [predictions[:, -1:]]  # (1, 1) each
    for _ in range(steps - 1):
        value, contexts, _ = run_in_torch(values[-1], w1, w2, contexts[:, -1])
        values.append(value)
    return torch.cat(values, dim=1)[0].numpy()


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw series, weights and numbers of steps. Large weights let wrong runs differ visibly."""
    sizes = [(20, 6, 12), (5, 3, 4), (8, 2, 1), (31, 3, 5)]  # T, H, steps
    sizes += [tuple(rng.integers(2, 10, 3)) for _ in range(4)]
    return [
        without_targets(sine_case(rng, T, H, scale=1.0)) | {"steps": int(steps)}
        for T, H, steps in sizes
    ]


def wrong(feed=lambda value, x, i: value, context=lambda h, warm: h) -> Callable:
    """Return a `free_run` that departs from the right one in what is given.

    warm: the context after the series
    """

    def answer(x, w1, w2, steps):
        predictions, contexts = sine_forward(x, w1, w2)
        h, values = contexts[-1], [predictions[-1]]
        for i in range(steps - 1):
            z = np.append(feed(values[-1], x, i), context(h, contexts[-1]))
            h = np.tanh(z @ w1)
            values.append((h @ w2)[0])
        return np.array(values)

    return answer


def without_warm_up(x, w1, w2, steps):
    values, value, h = [], x[-1], np.zeros(w1.shape[1])
    for _ in range(steps):
        h = np.tanh(np.append(value, h) @ w1)
        value = (h @ w2)[0]
        values.append(value)
    return np.array(values)


def reset_once(x, w1, w2, steps):
    first = sine_forward(x, w1, w2)[0][-1:]
    return np.append(first, without_warm_up(first, w1, w2, steps - 1))


def last_value_twice(x, w1, w2, steps):
    return free_run(np.append(x, x[-1]), w1, w2, steps)


EXERCISE = Exercise(
    name="free_run",
    title="predictions fed back",
    points=2,
    outputs={"predictions": "steps"},
    cases=cases,
    drive=call_with_numpy,
    reference=free_run,
    against="the same run in PyTorch",
    tolerance=1e-10,
    mistakes=(
        Mistake(
            "This keeps feeding values of the series. After the last of them, feed the network's "
            "own predictions.",
            wrong(feed=lambda value, x, i: x[i % len(x)]),
        ),
        Mistake(
            "The same last value is fed again and again. Feed each new prediction.",
            wrong(feed=lambda value, x, i: x[-1]),
        ),
        Mistake(
            "The context is reset to zeros. It must run on, also into the first free step.",
            wrong(context=lambda h, warm: 0 * h),
            also=(reset_once,),
        ),
        Mistake(
            "The context is frozen: each free step starts from the same one. Hand on the new one.",
            wrong(context=lambda h, warm: warm),
        ),
        Mistake(
            "The first value is the last input. Begin with the prediction made from it.",
            lambda x, w1, w2, n: np.append(x[-1], free_run(x, w1, w2, n))[:n],
        ),
        Mistake(
            "The network is not run over the series first, so it starts without a context.",
            without_warm_up,
        ),
        Mistake(
            "Off by one: the first value is the prediction made from the last true value.",
            lambda x, w1, w2, n: free_run(x, w1, w2, n + 1)[1:],
        ),
        Mistake(
            "Return the free steps only, not the predictions on the series before them.",
            lambda x, w1, w2, n: np.append(sine_forward(x, w1, w2)[0], free_run(x, w1, w2, n)),
        ),
        Mistake(
            "The last value of the series goes in twice. The prediction that was made from it is "
            "the first of the free run, and the next input.",
            last_value_twice,
        ),
    ),
)
