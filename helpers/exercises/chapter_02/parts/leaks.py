"""Wrong ways back through a network of leaky units: of them known mistakes are made.

T time steps, H context units.
"""

import itertools
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

from helpers.exercises.contract import Mistake


def wrong_leaks(
    error=lambda s: s.predictions - s.y,
    out_slope=lambda s: 1 - s.predictions**2,
    slope=lambda s: 1 - s.squashed**2,
    entered=lambda dh, s: s.alpha * dh,
    kept=lambda dh, da, s: (1 - s.alpha) * dh,
    through=lambda dh, da, s: s.w1[1:] @ da,
    dw1=lambda s: s.z.T @ s.da,
    db1=lambda s: s.da.sum(axis=0),
    dw2=lambda s: s.h.T @ s.do,
    db2=lambda s: s.do.sum(axis=0),
    dalpha=lambda s: np.sum(s.dh * (s.squashed - s.before)),
) -> Callable:
    """Return a `leaky_backward` that departs from the right one in what is given.

    entered  makes of dh, the gradient at a context, that behind the tanh of its step
    kept     is what dh sends back past the tanh; through what it sends back through it

    The others take a namespace: x, y and predictions (T,), h, before and squashed (T, H), z
    (T, 1 + H), w1, w2 and alpha; and then do (T, 1), dh and da (T, H), the gradients at the sum
    before the output's tanh, at the contexts, and at the sums before theirs.
    """

    def answer(x, y, predictions, contexts, w1, b1, w2, b2, alpha):
        s = SimpleNamespace(x=x, y=y, predictions=predictions, w1=w1, w2=w2, alpha=alpha)
        s.h, s.before = contexts[1:], contexts[:-1]
        s.z = np.column_stack([x, s.before])
        s.squashed = np.tanh(s.z @ w1 + b1)
        s.do = (error(s) * out_slope(s))[:, None]
        s.dh, s.da = s.do @ w2.T, np.zeros_like(s.h)
        slopes = slope(s)
        for t in reversed(range(len(x))):
            s.da[t] = entered(s.dh[t], s) * slopes[t]
            if t:
                s.dh[t - 1] += kept(s.dh[t], s.da[t], s) + through(s.dh[t], s.da[t], s)
        return dw1(s), db1(s), dw2(s), db2(s), dalpha(s)

    return answer


def own_only(s):
    """Return the gradients at the contexts without anything that comes back."""
    return s.do @ s.w2.T


WRONG_SUMS = (  # what travels back is right, and something else is made of it
    Mistake(
        "`dw2` lacks the slope of the output's `tanh`.",
        wrong_leaks(dw2=lambda s: s.h.T @ (s.predictions - s.y)[:, None]),
    ),
    Mistake(
        "`db2` lacks the slope of the output's `tanh`.",
        wrong_leaks(db2=lambda s: np.sum(s.predictions - s.y, keepdims=True)),
    ),
    Mistake(
        "`dw2` and `db2` lack the slope of the output's `tanh`.",
        wrong_leaks(
            dw2=lambda s: s.h.T @ (s.predictions - s.y)[:, None],
            db2=lambda s: np.sum(s.predictions - s.y, keepdims=True),
        ),
    ),
    Mistake(
        "`dw2` uses the context before the step. Prediction t is made of `contexts[t + 1]`.",
        wrong_leaks(dw2=lambda s: s.before.T @ s.do),
    ),
    Mistake(
        "`dw1` uses the context after the step. What enters w1 is the one before it.",
        wrong_leaks(dw1=lambda s: np.column_stack([s.x, s.h]).T @ s.da),
    ),
    Mistake(
        "`dw1` is made of the gradients at the contexts. It takes those before `tanh`.",
        wrong_leaks(dw1=lambda s: s.z.T @ s.dh),
        also=(wrong_leaks(dw1=lambda s: s.alpha * s.z.T @ s.dh),),
    ),
    Mistake(
        "`db1` is made of the gradients at the contexts. It takes those before `tanh`.",
        wrong_leaks(db1=lambda s: s.dh.sum(axis=0)),
        also=(wrong_leaks(db1=lambda s: s.alpha * s.dh.sum(axis=0)),),
    ),
    Mistake(
        "`dw1` and `db1` are made of the gradients at the contexts. They take those before `tanh`.",
        wrong_leaks(dw1=lambda s: s.z.T @ s.dh, db1=lambda s: s.dh.sum(axis=0)),
    ),
    Mistake(
        "`dw1` is joined in the wrong order: the input comes first.",
        wrong_leaks(dw1=lambda s: np.column_stack([s.before, s.x]).T @ s.da),
    ),
    Mistake(
        "`dw1` is made of each step's own error alone.",
        wrong_leaks(dw1=lambda s: s.z.T @ (s.alpha * own_only(s) * (1 - s.squashed**2))),
    ),
    Mistake(
        "`db1` is made of each step's own error alone.",
        wrong_leaks(db1=lambda s: np.sum(s.alpha * own_only(s) * (1 - s.squashed**2), axis=0)),
    ),
    Mistake(
        "`db1` holds the part of one step only. The bias is shared over time, as `w1` is.",
        wrong_leaks(db1=lambda s: s.da[0]),
        also=(wrong_leaks(db1=lambda s: s.da[-1]),),
    ),
    Mistake(
        "`db2` holds the part of one step only. The bias is shared over time, as `w2` is.",
        wrong_leaks(db2=lambda s: s.do[0]),
        also=(wrong_leaks(db2=lambda s: s.do[-1]),),
    ),
    Mistake(
        "`db1` and `db2` are means over time. A loss that is a sum has sums for gradients.",
        wrong_leaks(db1=lambda s: s.da.mean(axis=0), db2=lambda s: s.do.mean(axis=0)),
    ),
    Mistake(
        "The gradients hold the part of one step only. What is shared over time adds up.",
        wrong_leaks(
            dw1=lambda s: np.outer(s.z[0], s.da[0]),
            db1=lambda s: s.da[0],
            dw2=lambda s: np.outer(s.h[0], s.do[0]),
            db2=lambda s: s.do[0],
            dalpha=lambda s: np.sum(s.dh[0] * (s.squashed[0] - s.before[0])),
        ),
    ),
    Mistake(
        "`dalpha` has one of its two parts only: α stands in front of `tanh`, and 1 - α in "
        "front of the context before.",
        wrong_leaks(dalpha=lambda s: np.sum(s.dh * s.squashed)),
        also=(wrong_leaks(dalpha=lambda s: -np.sum(s.dh * s.before)),),
    ),
    Mistake(
        "The two parts of `dalpha` are added. By α the derivative of 1 - α is -1.",
        wrong_leaks(dalpha=lambda s: np.sum(s.dh * (s.squashed + s.before))),
    ),
    Mistake(
        "The sign of `dalpha` is reversed.",
        wrong_leaks(dalpha=lambda s: np.sum(s.dh * (s.before - s.squashed))),
    ),
    Mistake(
        "`dalpha` takes the new context. What α mixes is `tanh` and the context before.",
        wrong_leaks(dalpha=lambda s: np.sum(s.dh * (s.h - s.before))),
        also=(
            wrong_leaks(dalpha=lambda s: np.sum(s.dh * (s.squashed - s.h))),
            wrong_leaks(dalpha=lambda s: np.sum(s.dh * s.h)),
        ),
    ),
    Mistake(
        "`dalpha` takes δ, the gradient before `tanh`. α comes in behind it.",
        wrong_leaks(dalpha=lambda s: np.sum(s.da * (s.squashed - s.before))),
    ),
    Mistake(
        "`dalpha` takes each step's own error alone, without what comes back to it.",
        wrong_leaks(dalpha=lambda s: np.sum(own_only(s) * (s.squashed - s.before))),
    ),
    Mistake(
        "`dalpha` holds the part of one step only: α is used at every step.",
        wrong_leaks(dalpha=lambda s: np.sum(s.dh[0] * (s.squashed[0] - s.before[0]))),
        also=(wrong_leaks(dalpha=lambda s: np.sum(s.dh[-1] * (s.squashed[-1] - s.before[-1]))),),
    ),
    Mistake(
        "`dalpha` is one number for each unit. All units have the same α: add these up.",
        wrong_leaks(dalpha=lambda s: np.sum(s.dh * (s.squashed - s.before), axis=0)),
    ),
    Mistake(
        "`dalpha` is an average. α enters at every step and in every unit, so it is a sum.",
        wrong_leaks(dalpha=lambda s: np.mean(s.dh * (s.squashed - s.before))),
    ),
    Mistake("`dalpha` is 0, as if α had no part in the loss.", wrong_leaks(dalpha=lambda s: 0.0)),
    Mistake(
        "The sign is reversed: the derivative of ½ (ŷ - y)² by ŷ is ŷ - y.",
        wrong_leaks(error=lambda s: s.y - s.predictions),
    ),
    Mistake(
        "`dw2` must have the shape of w2, (H, 1).", wrong_leaks(dw2=lambda s: (s.h.T @ s.do)[:, 0])
    ),
    Mistake(
        "`db1` must have the shape of b1, (H,).",
        wrong_leaks(db1=lambda s: s.da.sum(axis=0, keepdims=True)),
        also=(wrong_leaks(db1=lambda s: s.da), wrong_leaks(db1=lambda s: s.da.sum())),
    ),
    Mistake(
        "`db2` must have the shape of b2, (1,).",
        wrong_leaks(db2=lambda s: s.do.sum()),
        also=(
            wrong_leaks(db2=lambda s: s.do.sum(axis=0, keepdims=True)),
            wrong_leaks(db2=lambda s: s.do),
        ),
    ),
    Mistake(
        "`dw1` is transposed. It must have the shape of w1, (1 + H, H).",
        wrong_leaks(dw1=lambda s: s.da.T @ s.z),
    ),
)

SLIPS: dict[
    str, dict[str, Callable]
] = {  # what is easily forgotten by whoever begins from the network without leaks
    "a context's `tanh` has its slope at what is mixed in, not at the context": {
        "slope": lambda s: 1 - s.h**2
    },
    "one way back leads past the `tanh`, along the leak": {"kept": lambda dh, da, s: 0.0},
    "only the share α of a `tanh` enters a context": {"entered": lambda dh, s: dh},
    "the output has a `tanh`, too": {"out_slope": lambda s: np.ones_like(s.y)},
}
SEVERAL_SLIPS = tuple(
    Mistake(
        f"{len(slips)} things are not as they should be: {'; '.join(slips)}.",
        wrong_leaks(**{name: part for slip in slips for name, part in SLIPS[slip].items()}),
    )
    for number in (2, 3, 4)
    for slips in itertools.combinations(SLIPS, number)
)
