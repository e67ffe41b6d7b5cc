"""`leaky_backward`: the gradients of a network of leaky units, derived by the student, section 2.4.

T time steps, H context units. Row t of `contexts` (T + 1, H) is h_t: step t makes row t + 1.

    h_t = (1 - α) h_{t-1} + α tanh([x_t, h_{t-1}] w1 + b1),  ŷ_t = tanh(h_t w2 + b2)
"""

import numpy as np
import torch

from helpers.calling.arrays import Case, call_with_numpy
from helpers.exercises.chapter_02.parts.leaks import SEVERAL_SLIPS, WRONG_SUMS
from helpers.exercises.chapter_02.parts.leaks import wrong_leaks as wrong
from helpers.exercises.chapter_02.sine_forward import sine_case, tensors
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.equality import equal_arrays


def leaky_backward(x, y, predictions, contexts, w1, b1, w2, b2, alpha):
    """Return dw1 (1 + H, H), db1 (H,), dw2 (H, 1), db2 (1,) and dalpha, a number, by autograd.

    They belong to the loss of equation 2.4. x (T,), y (T,), predictions (T,), contexts (T + 1, H),
    w1 (1 + H, H), b1 (H,), w2 (H, 1), b2 (1,), all float64; alpha is a number.
    """
    x, y = tensors(x, y)
    learned = tensors(w1, b1, w2, b2, alpha, grad=True)
    made, _ = run_in_torch(x, *learned)
    loss = (made - y).square().sum() / 2
    *arrays, dalpha = torch.autograd.grad(loss, learned)
    return *(gradient.numpy() for gradient in arrays), dalpha.item()


def run_in_torch(x, w1, b1, w2, b2, alpha) -> tuple[torch.Tensor, torch.Tensor]:
    """Return predictions (T,) and contexts (T + 1, H), for x (T,). Gradients are kept."""
    contexts = [torch.zeros(w1.shape[1], dtype=w1.dtype)]
    u = x[:, None] * w1[0] + b1  # (T, H)
    for u_t in u:
        contexts.append(torch.lerp(contexts[-1], torch.tanh(u_t + contexts[-1] @ w1[1:]), alpha))
    made = torch.stack(contexts)
    return torch.tanh(made[1:] @ w2 + b2)[:, 0], made


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw series, targets, weights and leaks, with what the network makes of them."""
    sizes = [(20, 6), (1, 6), (5, 1), (7, 7), (2, 3)]  # T, H
    sizes += [tuple(rng.integers(2, 15, 2)) for _ in range(3)]
    return [leaky_case(rng, T, H) for T, H in sizes]


def leaky_case(rng: np.random.Generator, T: int, H: int) -> Case:
    """Return a case of T steps and H units, in the order of an answer's arguments."""
    series = sine_case(rng, T, H)
    learned = {
        "w1": series["w1"],
        "b1": rng.normal(0, 0.5, H),
        "w2": series["w2"],
        "b2": rng.normal(0, 0.5, 1),
        "alpha": float(rng.uniform(0.2, 0.8)),
    }
    made, contexts = run_in_torch(*tensors(series["x"], *learned.values()))
    given = {"predictions": made.numpy(), "contexts": contexts.numpy()}
    return {"x": series["x"], "y": series["y"]} | given | learned


def explain(got: Arrays, expected: Arrays) -> str:
    """Return where on the way back it goes wrong: the outputs stand as errors travel."""
    same = {n: equal_arrays(got[n], expected[n], EXERCISE.tolerance) for n in EXERCISE.outputs}
    if any(got[name].shape != expected[name].shape for name in same):
        return ""
    right = [f"`{name}`" for name, is_right in same.items() if is_right]
    others = [f"`{name}`" for name, is_right in same.items() if not is_right]
    told = f"{_listed(others)} {'is' if len(others) == 1 else 'are'} not the gradient"
    told += f"; {_listed(right)} {'is' if len(right) == 1 else 'are'}. " if right else ". "
    if same["dw2"] and same["db2"]:
        if same["db1"]:
            return told + "What travels back is right, then; look at the last product or sum."
        return told + "So the errors and the output are right, and the way back is not."
    if not (same["dw2"] or same["db2"]):
        return told + "Begin at the output: everything else comes through it."
    return told


def _listed(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


EXERCISE = Exercise(
    name="leaky_backward",
    title="the gradients of leaky units, derived",
    points=5,
    difficulty=3,
    outputs={  # what an answer returns, in its order
        "dw1": "row column",
        "db1": "H",
        "dw2": "row column",
        "db2": "1",
        "dalpha": "",
    },
    cases=cases,
    drive=call_with_numpy,
    reference=leaky_backward,
    against="autograd",
    tolerance=1e-10,
    explain=explain,
    by_hand=frozenset({"_make_dual", "backward", "grad", "run_backward"}),
    mistakes=(
        Mistake(
            "The slope of a context's `tanh` is taken at the context. The context is no `tanh` "
            "here, but a mixture of one and of the context before it: what is behind its `tanh`?",
            wrong(slope=lambda s: 1 - s.h**2),
            also=(wrong(slope=lambda s: 1 - s.before**2),),
        ),
        Mistake(
            "The contexts are taken for the sums before `tanh`.",
            wrong(slope=lambda s: 1 - np.tanh(s.h) ** 2),
        ),
        Mistake(
            "The slope of the contexts' `tanh` is not 1 - tanh².",
            wrong(slope=lambda s: 1 - s.squashed),
            also=(
                wrong(slope=lambda s: s.squashed * (1 - s.squashed)),
                wrong(slope=lambda s: (1 - s.squashed) ** 2),
                wrong(slope=lambda s: 1 - np.tanh(s.squashed) ** 2),
            ),
        ),
        Mistake(
            "The slope of the contexts' `tanh` is missing.",
            wrong(slope=lambda s: np.ones_like(s.h)),
        ),
        Mistake(
            "One of the ways from a context back to the one before it is missing. Draw all arrows "
            "that leave h_{t-1}, with the leak.",
            wrong(kept=lambda dh, da, s: 0.0),
        ),
        Mistake(
            "The way back through `w1` and `tanh` is missing: only the leak brings something back.",
            wrong(through=lambda dh, da, s: 0.0),
        ),
        Mistake(
            "Nothing comes back from the step after: each context has only its own error.",
            wrong(kept=lambda dh, da, s: 0.0, through=lambda dh, da, s: 0.0),
        ),
        Mistake(
            "What comes back past the `tanh` comes with the wrong factor. How much of the context "
            "before is kept?",
            wrong(kept=lambda dh, da, s: dh),
            also=(wrong(kept=lambda dh, da, s: s.alpha * dh),),
        ),
        Mistake(
            "What comes back past the `tanh` is δ, which has gone through it. Take the gradient at "
            "the context.",
            wrong(kept=lambda dh, da, s: (1 - s.alpha) * da),
        ),
        Mistake(
            "The factor α is missing on the way through `tanh`: only this share of it enters the "
            "context.",
            wrong(entered=lambda dh, s: dh),
        ),
        Mistake(
            "The share of `tanh` that enters the context is α, not 1 - α.",
            wrong(entered=lambda dh, s: (1 - s.alpha) * dh),
        ),
        Mistake(
            "α and 1 - α are exchanged.",
            wrong(entered=lambda dh, s: (1 - s.alpha) * dh, kept=lambda dh, da, s: s.alpha * dh),
        ),
        Mistake(
            "What goes back through `w1` has not gone through `tanh`. Send δ, not the gradient at "
            "the context.",
            wrong(through=lambda dh, da, s: s.w1[1:] @ dh),
            also=(wrong(through=lambda dh, da, s: s.alpha * s.w1[1:] @ dh),),
        ),
        Mistake(
            "The way back goes through w1 the wrong way. Forward it is `h @ w1[1:]`.",
            wrong(through=lambda dh, da, s: da @ s.w1[1:]),
        ),
        Mistake(
            "The wrong rows of w1 carry the gradient back: row 0 is the input's.",
            wrong(through=lambda dh, da, s: s.w1[:-1] @ da),
        ),
        Mistake(
            "The output's `tanh` is forgotten: the prediction has a slope, too.",
            wrong(out_slope=lambda s: np.ones_like(s.y)),
        ),
        Mistake(
            "The predictions are behind their `tanh` already: the slope is 1 - ŷ².",
            wrong(out_slope=lambda s: 1 - np.tanh(s.predictions) ** 2),
            also=(
                wrong(out_slope=lambda s: 1 - s.predictions),
                wrong(out_slope=lambda s: s.predictions * (1 - s.predictions)),
                wrong(out_slope=lambda s: (1 - s.predictions) ** 2),
            ),
        ),
        Mistake(
            "The output's slope is taken at the targets. It is that of the predictions.",
            wrong(out_slope=lambda s: 1 - s.y**2),
        ),
        Mistake(
            "`dw2` and `db2` have the slope of the output's `tanh`. The way back to the contexts "
            "lacks it.",
            wrong(
                out_slope=lambda s: np.ones_like(s.y),
                dw2=lambda s: s.h.T @ (s.do[:, 0] * (1 - s.predictions**2))[:, None],
                db2=lambda s: np.sum(s.do[:, 0] * (1 - s.predictions**2), keepdims=True),
            ),
        ),
        Mistake(
            "Everything is doubled: the loss has a factor ½, so its derivative has none.",
            wrong(error=lambda s: 2 * (s.predictions - s.y)),
        ),
        Mistake(
            "Everything is divided by T: the loss of equation 2.4 is a sum, not a mean.",
            wrong(error=lambda s: (s.predictions - s.y) / len(s.y)),
            also=(wrong(error=lambda s: 2 * (s.predictions - s.y) / len(s.y)),),
        ),
        Mistake(
            "The predictions are compared with x. The targets are y.",
            wrong(error=lambda s: s.predictions - s.x),
        ),
        *SEVERAL_SLIPS,
        *WRONG_SUMS,
    ),
)
