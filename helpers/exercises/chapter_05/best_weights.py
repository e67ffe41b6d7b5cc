"""`best_weights`: mix K models of one text so that it costs the fewest bits, section 5.6.

p (K, N): what each of K models said of the N characters that came. The bits of a mixture,
-mean log2 Σ_k w_k p_k, are a convex function of the weights.
"""

import itertools
from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case, call_with_numpy
from helpers.exercises.contract import Arrays, Exercise, Mistake


def best_weights(p):
    """Return the weights (K,), at least 0 and 1 in sum: the best split between each two, in turn.

    The bits are convex, so the split of two models' weight is found by bisection: at it, what a
    little more of one saves is what it costs to take it from the other.
    """
    w = np.full(len(p), 1 / len(p))
    for _ in range(200):
        before = w.copy()
        for i, j in itertools.combinations(range(len(p)), 2):
            both, rest = w[i] + w[j], w @ p - w[i] * p[i] - w[j] * p[j]
            low, high = 0.0, both
            for _ in range(40):
                middle = (low + high) / 2
                gain = ((p[i] - p[j]) / (rest + middle * p[i] + (both - middle) * p[j])).sum()
                low, high = (middle, high) if gain > 0 else (low, middle)
            w[i], w[j] = middle, both - middle
        if np.abs(w - before).max() < 1e-9:
            break
    return w


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw what up to five models said. In each case one has a share of its own to add.

    The last of three in one case is worse than the others everywhere, and its weight is 0; the
    first case has two that are about as good, the last one alone.
    """
    settings = ((2, 60, 0.0), (2, 300, 0.6), (3, 400, 0.3), (3, 200, 0.0), (5, 500, 0.2), (1, 9, 0))
    drawn = []
    for number, (K, N, more) in enumerate(settings):
        p = rng.beta(0.6, 1.0, size=(K, N)).clip(1e-6, 1) * 0.98
        p[0] = p[0] ** (1 / (1 + more))  # the better model is the first, then
        p = p[rng.permutation(K)] if number != 3 else p
        if number == 3:
            p[2] = p[:2].min(axis=0) * 0.5
        drawn.append({"p": p})
    return drawn


def measured(case: Case, returned: Arrays) -> Arrays:
    """Return the weights, and what a little more of each model would gain; 0 if that is unknown."""
    p, w = case["p"], returned["weights"]
    fits = w.shape == (len(p),) and np.isfinite(w).all() and (w @ p > 0).all()
    gains = (p / (w @ p)).mean(axis=1) if fits else np.zeros(len(p))
    return {"weights": w, "gains": gains}


def explain(got: Arrays, expected: Arrays) -> str:
    """Return which model a little weight should still go to, if these are weights at all."""
    w, gains = got["weights"], got["gains"]
    if not gains.any() or w.min() < 0 or abs(w.sum() - 1) > 1e-3:
        return ""
    to, taken = int(gains.argmax()), int(np.where(w > 1e-3, gains, np.inf).argmin())
    return (
        "These are weights, and not yet the best. A little more of model "
        f"{to} would gain {gains[to]:.4f}, and as little less of model {taken} would cost "
        f"{gains[taken]:.4f} (in nats per character and unit of weight)."
    )


def bits(p: np.ndarray) -> np.ndarray:
    """Return the bits per character (K,) of each model alone."""
    return -np.log2(p).mean(axis=1)


def scaled(of: Callable) -> Callable:
    """Return a `best_weights` whose weights are of(p), divided by their sum."""

    def answer(p):
        w = np.asarray(of(np.asarray(p)), dtype=float)
        return w / w.sum()

    return answer


def steps(n: int) -> Callable:
    """Return a `best_weights` that stops after n rounds of the fixed point."""

    def answer(p):
        w = np.full(len(p), 1 / len(p))
        for _ in range(n):
            w = w * (p / (w @ p)).mean(axis=1)
        return w

    return answer


def the_best_alone(p):
    return (bits(p) == bits(p).min()).astype(float)


def of_logarithms(p):
    """Go down the gradient of Σ_k w_k bits_k, which a mixture does not cost."""
    w = np.full(len(p), 1 / len(p))
    for _ in range(100):
        w = w * np.exp(-0.1 * bits(p))
        w /= w.sum()
    return w


def grid_of_two(size: int) -> Callable:
    """Return a `best_weights` that tries weights on a grid, all others equal to each other."""

    def answer(p):
        K = len(p)
        tried = [
            np.where(np.arange(K) == k, x, (1 - x) / max(K - 1, 1))
            for k in range(K)
            for x in np.linspace(0, 1, size)
        ]
        with np.errstate(divide="ignore"):
            return min(tried, key=lambda w: -np.log(w @ p).mean())

    return answer


EXERCISE = Exercise(
    name="best_weights",
    title="mix models so that the text costs the fewest bits",
    points=4,
    difficulty=3,
    outputs={"weights": "K"},
    cases=cases,
    drive=call_with_numpy,
    reference=best_weights,
    against="bisection between each two of the models",
    tolerance=1e-3,
    returned=("weights",),
    measure=measured,
    explain=explain,
    mistakes=(
        Mistake(
            "All weights are equal. That is a good beginning: now let the bits decide.",
            lambda p: np.full(len(p), 1 / len(p)),
        ),
        Mistake(
            "All weight is on the model that is best alone. A mixture costs less than each of its "
            "parts where they err in different places.",
            the_best_alone,
            also=(of_logarithms,),
        ),
        Mistake(
            "This is one round from equal weights. Put what it gives in again, until nothing "
            "changes.",
            steps(1),
        ),
        Mistake(
            "This stops too early: a few more rounds would change the weights yet.",
            steps(3),
            also=tuple(map(steps, (2, 4, 5, 6, 8, 10))),
        ),
        Mistake(
            "The weights go by how often a model is the best of all. By how much it is better "
            "counts, too.",
            scaled(lambda p: (p == p.max(axis=0)).sum(axis=1)),
        ),
        Mistake(
            "The weights are made of the bits that each model costs alone. Find those for which "
            "the bits of the *mixture* are least.",
            scaled(lambda p: 1 / bits(p)),
            also=(
                scaled(lambda p: np.exp(-bits(p))),
                scaled(lambda p: 2.0 ** -bits(p)),
                scaled(lambda p: 1 / bits(p) ** 2),
            ),
        ),
        Mistake(
            "The weights are the mean probabilities, scaled. Bits are logarithms, so that small "
            "probabilities count for much.",
            scaled(lambda p: p.mean(axis=1)),
        ),
        Mistake(
            "The weights grow with the bits: the worst model gets most.",
            scaled(bits),
        ),
        Mistake(
            "The right weights stand in reversed order.",
            lambda p: best_weights(p)[::-1],
        ),
        Mistake(
            "The weights do not sum to 1, as the shares of a mixture do.",
            lambda p: best_weights(p) * len(p),
            also=(
                lambda p: best_weights(p) / best_weights(p).max(),
                lambda p: (p / p.mean(axis=0)).mean(axis=1),
            ),
        ),
        Mistake(
            "The weights are tried on a grid, one model against all others alike. With more than "
            "two models each needs a weight of its own, and to more than two digits.",
            grid_of_two(101),
            also=tuple(map(grid_of_two, (11, 21, 51, 201, 1001))),
        ),
        Mistake(
            "These are weights for each character, (K, N). One weight per model is asked for.",
            lambda p: p / p.sum(axis=0),
        ),
        Mistake(
            "This is the number of bits. Return the weights with which the mixture reaches it.",
            lambda p: -np.log2(best_weights(p) @ p).mean(),
        ),
    ),
)
