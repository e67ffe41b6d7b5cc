"""`delta_rule_step`: write the difference between what is stored and what comes, section 6.7.

S (B, V, K) is the state; q_t, k_t (B, K), v_t (B, V), beta_t (B,).
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_06 import call_with_a_state
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import normal


def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    """Return the output (B, V) and the new state: one step of gradient descent, by autograd.

    Down goes half the squared distance of S k_t from v_t, at the rate beta_t.
    Source: I. Schlag, K. Irie, J. Schmidhuber, Linear Transformers are secretly fast weight
    programmers, ICML (2021).
    """
    with torch.enable_grad():
        state = S.detach().requires_grad_()
        missed = (state @ k_t[:, :, None])[..., 0] - v_t
        (down,) = torch.autograd.grad((missed**2).sum() / 2, state)
    S = S - beta_t[:, None, None] * down
    return (S @ q_t[:, :, None])[..., 0], S


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw sequences with keys of length 1 and rates up to 2.

    In one the state is large, in another keys are of any length.
    """
    drawn: list[Case] = []
    for number, (B, T, V, K) in enumerate(((2, 5, 4, 3), (1, 6, 2, 5), (3, 3, 3, 3), (2, 4, 3, 4))):
        k = normal(rng, B, T, K)
        if number < 3:
            k /= np.linalg.norm(k, axis=2, keepdims=True)
        drawn.append(
            {
                "S": normal(rng, B, V, K),
                "q": normal(rng, B, T, K),
                "k": k,
                "v": normal(rng, B, T, V),
                "beta": (2 * rng.random((B, T))).astype(np.float32),
            }
        )
    drawn[1]["S"] *= 100
    return drawn


def wrong(
    missed: Callable = lambda S, k, v: v - looked_up(S, k),
    written: Callable = lambda S, missed, k, beta: S + beta[:, None, None] * outer(missed, k),
    output: Callable = lambda old, new, q, k: looked_up(new, q),
) -> Callable:
    """Return a `delta_rule_step` that departs from the right one in what is given."""

    def answer(S, q_t, k_t, v_t, beta_t):
        new = written(S, missed(S, k_t, v_t), k_t, beta_t)
        return output(S, new, q_t, k_t), new

    return answer


def outer(v: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
    """Return (B, V, K), the products of all values with all keys."""
    return v[:, :, None] * k[:, None, :]


def looked_up(S: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """Return (B, V), what a state says to a query."""
    return (S @ q[:, :, None])[..., 0]


def by_the_query(S, q_t, k_t, v_t, beta_t):
    new = S + beta_t[:, None, None] * outer(v_t - looked_up(S, q_t), q_t)
    return looked_up(new, q_t), new


def with_rates(of_stored: Callable, of_value: Callable) -> Callable:
    """Return a `delta_rule_step` with other rates for what goes and for what comes."""

    def answer(S, q_t, k_t, v_t, beta_t):
        beta = beta_t[:, None]
        new = S + outer(of_value(beta) * v_t - of_stored(beta) * looked_up(S, k_t), k_t)
        return looked_up(new, q_t), new

    return answer


EXERCISE = Exercise(
    name="delta_rule_step",
    title="overwrite what is stored under a key",
    points=4,
    difficulty=3,
    outputs={"outputs": "B T v", "S": "B v k", "once more": "B v"},
    cases=cases,
    drive=call_with_a_state,
    reference=delta_rule_step,
    against="one step of gradient descent by autograd",
    by_hand=frozenset({"_make_dual", "backward", "grad", "run_backward"}),
    mistakes=(
        Mistake(
            "The value is added, whatever stands under the key: that is linear attention. Write "
            "what is *missing* of the value.",
            wrong(missed=lambda S, k, v: v),
        ),
        Mistake(
            "The step goes uphill: the error grows. Its sign is wrong.",
            wrong(missed=lambda S, k, v: looked_up(S, k) - v),
        ),
        Mistake(
            "beta is not used.",
            wrong(written=lambda S, missed, k, beta: S + outer(missed, k)),
        ),
        Mistake(
            "The step is twice too long. The error is *half* a square, whose derivative has no 2.",
            wrong(
                written=lambda S, missed, k, beta: S + 2 * beta[:, None, None] * outer(missed, k)
            ),
        ),
        Mistake(
            "What is stored is looked up by the query. What the step changes is stored under the "
            "key.",
            by_the_query,
            also=(
                lambda S, q, k, v, beta: wrong(missed=lambda S, k, v: v - looked_up(S, q))(
                    S, q, k, v, beta
                ),
            ),
        ),
        Mistake(
            "beta fades the whole state. Only what stands under the key is to change.",
            wrong(
                written=lambda S, missed, k, beta: (
                    (1 - beta[:, None, None]) * S + beta[:, None, None] * outer(missed, k)
                )
            ),
            also=(
                wrong(
                    missed=lambda S, k, v: v,
                    written=lambda S, missed, k, beta: (
                        (1 - beta[:, None, None]) * S + beta[:, None, None] * outer(missed, k)
                    ),
                ),
            ),
        ),
        Mistake(
            "beta stands at the value alone: what is stored is taken away whole.",
            with_rates(lambda beta: 1, lambda beta: beta),
        ),
        Mistake(
            "beta stands at what is stored alone: the value comes in whole.",
            with_rates(lambda beta: beta, lambda beta: 1),
        ),
        Mistake(
            "Rates are held at 1 at most. Above 1 a step goes beyond what was missing, on purpose.",
            lambda S, q, k, v, beta: wrong()(S, q, k, v, beta.clamp(max=1.0)),
        ),
        Mistake(
            "The error is a mean over the values: each step is V times too short. It is a sum.",
            lambda S, q, k, v, beta: wrong()(S, q, k, v, beta / v.shape[1]),
        ),
        Mistake(
            "The error is a mean over the batch: each step is B times too short.",
            lambda S, q, k, v, beta: wrong()(S, q, k, v, beta / len(v)),
        ),
        Mistake(
            "What is written is summed over the batch. Each sequence has a state of its own.",
            wrong(
                written=lambda S, missed, k, beta: (
                    S + (beta[:, None, None] * outer(missed, k)).sum(dim=0)
                )
            ),
        ),
        Mistake(
            "The output is read before the step is made.",
            wrong(output=lambda old, new, q, k: looked_up(old, q)),
        ),
        Mistake(
            "The output is what stands under the key. It is the query that asks.",
            wrong(output=lambda old, new, q, k: looked_up(new, k)),
        ),
        Mistake(
            "The key is scaled to length 1 here. The rule takes it as it comes.",
            lambda S, q, k, v, beta: wrong()(
                S, q, torch.nn.functional.normalize(k, dim=1), v, beta
            ),
        ),
        Mistake(
            "The step is divided by the squared length of the key. That is another rule: gradient "
            "descent takes beta as it is.",
            wrong(
                written=lambda S, missed, k, beta: (
                    S + (beta / (k * k).sum(dim=1))[:, None, None] * outer(missed, k)
                )
            ),
        ),
        Mistake(
            "The state is changed where it stands, so that nobody can go on from it twice. Make a "
            "new one.",
            wrong(
                written=lambda S, missed, k, beta: S.add_(beta[:, None, None] * outer(missed, k))
            ),
        ),
        Mistake(
            "The two come back in the wrong order: the output, then the state.",
            lambda S, q, k, v, beta: delta_rule_step(S, q, k, v, beta)[::-1],
        ),
    ),
)
