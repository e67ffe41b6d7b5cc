"""`free_run`: the sine network, fed with its predictions, section 2.7."""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case, call_with_numpy
from helpers.exercises.chapter_02.parts.sines import network, squashed_by
from helpers.exercises.chapter_02.sine_forward import (
    run_in_torch,
    sine_case,
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


in_numpy = network()


def wrong(
    feed=lambda values, x: values[-1],
    context=lambda h, contexts: h,
    start=lambda contexts: contexts[-1],
    join=np.append,
    squash=np.tanh,
    out=lambda value: value,
    forward=in_numpy,
) -> Callable:
    """Return a `free_run` that departs from the right one in what is given.

    contexts: those of the series; values: all predictions so far
    """

    def answer(x, w1, w2, steps):
        predictions, contexts = forward(x, w1, w2)
        h, values = start(contexts), [out(predictions[-1])]
        for _ in range(steps - 1):
            h = squash(join(feed(values, x), context(h, contexts)) @ w1)
            values.append(out((h @ w2)[0]))
        return np.array(values)

    return answer


def with_series(change: Callable) -> Callable:
    """Return a `free_run` after change(x)."""
    return lambda x, w1, w2, steps: wrong()(change(x), w1, w2, steps)


def with_steps(change: Callable) -> Callable:
    """Return a `free_run` of change(steps, T) steps."""
    return lambda x, w1, w2, steps: wrong()(x, w1, w2, change(steps, len(x)))


def over_all(choose: Callable) -> Callable:
    """Return choose(what a `free_run` predicts on the series and after it, the series, steps)."""

    def answer(x, w1, w2, steps):
        predictions, _ = in_numpy(x, w1, w2)
        return choose(np.append(predictions, wrong()(x, w1, w2, steps)[1:]), x, steps)

    return answer


def by_a_window(x, w1, w2, steps):
    values = x
    for _ in range(steps):
        values = np.append(values, in_numpy(values[-len(x) :], w1, w2)[0][-1])
    return values[len(x) :]


EXERCISE = Exercise(
    name="free_run",
    title="predictions fed back",
    points=2,
    difficulty=2,
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
            wrong(feed=lambda values, x: x[(len(values) - 1) % len(x)]),
        ),
        Mistake(
            "The same last value is fed again and again. Feed each new prediction.",
            wrong(feed=lambda values, x: x[-1]),
        ),
        Mistake(
            "The first prediction is fed back every time. Feed each new one.",
            wrong(feed=lambda values, x: values[0]),
        ),
        Mistake(
            "What is fed back is a step late: feed the newest prediction, not the value before it.",
            wrong(feed=lambda values, x: [x[-1], *values][-2]),
        ),
        Mistake(
            "The context is reset to zeros. It must run on, also into the first free step.",
            wrong(context=lambda h, contexts: 0 * h),
            also=(wrong(start=lambda contexts: 0 * contexts[-1]),),
        ),
        Mistake(
            "The context is frozen: each free step starts from the same one. Hand on the new one.",
            wrong(context=lambda h, contexts: contexts[-1]),
        ),
        Mistake(
            "The free run goes on from the last context but one. Begin with `contexts[-1]`.",
            wrong(start=lambda contexts: contexts[-2]),
        ),
        Mistake(
            "For each value the network is run anew, from zeros, over a window of the last T "
            "values. The context of the whole past must run on.",
            by_a_window,
        ),
        Mistake(
            "The predictions are clipped to [-1, 1]. Feed back, and return, what the network says.",
            wrong(out=lambda value: np.clip(value, -1, 1)),
        ),
        Mistake(
            "The predictions go through `tanh`. Equation 2.3 is linear.",
            wrong(out=np.tanh),
        ),
        Mistake(
            "The context is not squashed. Equation 2.2 has a `tanh`.",
            wrong(squash=lambda a: a),
            also=(wrong(squash=lambda a: a, forward=squashed_by(lambda a: a)),),
        ),
        Mistake(
            "Input and context are joined in the wrong order: row 0 of w1 is for the input.",
            wrong(join=lambda value, h: np.append(h, value)),
            also=(
                wrong(
                    join=lambda value, h: np.append(h, value),
                    forward=network(step=lambda x_t, hs, w1: np.tanh(np.append(hs[-1], x_t) @ w1)),
                ),
            ),
        ),
        Mistake(
            "The first value is the last input. Begin with the prediction made from it.",
            over_all(lambda all_, x, n: np.append(x[-1], all_[len(x) - 1 :])[:n]),
        ),
        Mistake(
            "The network is not run over the series first, so it starts without a context.",
            with_series(lambda x: x[-1:]),
            also=(with_series(lambda x: x[:1]),),
        ),
        Mistake(
            "The last value of the series is not seen: in its place goes the network's prediction "
            "of it. Run over all of x.",
            lambda x, w1, w2, n: wrong()(x[:-1], w1, w2, n + 1)[1:],
        ),
        Mistake(
            "The series ends too early, before its last value. Run over all of x.",
            with_series(lambda x: x[:-1]),
        ),
        Mistake(
            "The first value of the series is left out. Run over all of x.",
            with_series(lambda x: x[1:]),
        ),
        Mistake(
            "Only the first twenty values of the series are seen. Run over all of x.",
            with_series(lambda x: x[:20]),
        ),
        Mistake(
            "Off by one: the first prediction is missing, which is made from the last true value.",
            lambda *args: with_steps(lambda n, T: n + 1)(*args)[1:],
        ),
        Mistake(
            "It returns T values, as many as x has. Return `steps`.",
            with_steps(lambda n, T: T),
        ),
        Mistake(
            "Only the last value comes back. Return all `steps` of them.",
            lambda *args: wrong()(*args)[-1],
            also=(lambda *args: wrong()(*args)[-1:],),
        ),
        Mistake(
            "Return the free steps only, not the predictions on the series before them.",
            lambda *args: np.append(in_numpy(*args[:3])[0], wrong()(*args)),
            also=(over_all(lambda all_, x, n: all_),),
        ),
        Mistake(
            "The series itself comes back, too. Run over all of it, and return only the `steps` "
            "values that follow.",
            lambda x, *rest: np.append(x, wrong()(x, *rest)),
            also=(lambda x, *rest: np.append(x, wrong()(x[-1:], *rest)),),
        ),
        Mistake(
            "These predictions begin at the first step of the series. Begin with the one from its "
            "last value, and return `steps` of them.",
            over_all(lambda all_, x, n: all_[:n]),
            also=(over_all(lambda all_, x, n: all_[: len(x)]),),
        ),
        Mistake(
            "These are the last predictions on the series. The free run begins with the last of "
            "them.",
            over_all(lambda all_, x, n: all_[: len(x)][-n:]),
        ),
        Mistake(
            "The last value of the series goes in twice. The prediction that was made from it is "
            "the first of the free run, and the next input.",
            with_series(lambda x: np.append(x, x[-1])),
        ),
    ),
)
