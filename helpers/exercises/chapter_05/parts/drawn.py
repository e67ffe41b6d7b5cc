"""What can be told of the characters that a `sample_next` has drawn: the kinds of mistakes.

V characters; counts, logits and probabilities p are (rows, V).
"""

import math

import numpy as np

from helpers.calling.arrays import Case
from helpers.exercises.contract import Arrays
from helpers.exercises.equality import equal_counts

ABOUT_RNG = {
    "the same seed draws the same": "The same seed draws differently: hand `rng` to what draws, "
    "`generator=rng`.",
    "a second draw differs": "A second draw with the same `rng` gives the same characters. Let "
    "`rng` move on: do not set its seed.",
}


def measure(case: Case, returned: Arrays) -> Arrays:
    """Return how often each row gave each character, and what the seed did to that.

    Beside what is compared: whether a row always gave one character within a call, what short calls
    gave (calls, rows), and of the case what `explain` needs.
    """
    first, second, again, calls = returned.values()
    facts = np.array_equal(first, again), not np.array_equal(first, second)
    rows, V = case["logits"].shape
    of_rows = np.concatenate([first, second]).reshape(-1, rows).T  # (rows, draws)
    return {
        "counts": np.concatenate([np.bincount(drawn, minlength=V) for drawn in of_rows]),
        **{name: np.array(float(fact)) for name, fact in zip(ABOUT_RNG, facts, strict=True)},
        "one for all": np.array([(d == d[0]).all() for d in of_rows.reshape(2 * rows, -1)]),
        "calls": calls,
        "logits": case["logits"].astype(float),
        "temperature": np.array(case["temperature"]),
        "top_k": np.array(case["top_k"] or V),
    }


def explain(got: Arrays, expected: Arrays) -> str:
    """Return what is wrong with the use of `rng`, or what was drawn and which count is off."""
    compared = ("counts", *ABOUT_RNG)
    name = next(n for n in compared if not equal_counts(got[n], expected[n], 0.0))
    if name in ABOUT_RNG:
        return ABOUT_RNG[name]
    mine, right = got[name], expected[name]
    worst = int(np.argmax(np.abs(mine - right)))
    row, number = divmod(worst, len(right) // 2)
    return (
        f"{what_was_drawn(got)}\n"
        f"Of {right.sum() // 2} draws from row {row}, number {number} came {mine[worst]} times; "
        f"expected about {right[worst]}."
    ).strip()


ONE_FOR_ALL = "One draw serves all rows. Each row is a text of its own."
LIKELIEST = "This always takes the likeliest character. Draw."
RANKS = (
    "This returns the rank among the top k, not the number in the vocabulary. `topk` gives the "
    "numbers, too: `indices`."
)
ALL_EQUAL = "All allowed characters are equally likely. Draw with the softmax's probabilities."
NOT_EVERY_ROW = (
    "The limit that `top_k` sets is not each row's own: the k-th largest logit of one row, or of "
    "all, cuts the others. Take it row by row, `dim=1`."
)
ROWS_EXCHANGED = (
    "A row is drawn from by the probabilities of another. Each row is a text of its own."
)


def what_was_drawn(got: Arrays) -> str:
    """Return a sentence about the characters that came, or about the distribution they fit."""
    logits, T, k = got["logits"], float(got["temperature"]), int(got["top_k"])
    rows, V = logits.shape
    counts = got["counts"].reshape(rows, V)
    ranks = (-logits).argsort(axis=1).argsort(axis=1)  # 0 is the likeliest
    came = counts > 0
    if got["one for all"].all() and (got["calls"] != got["calls"][0]).any():
        return ONE_FOR_ALL
    if (came.sum(axis=1) == 1).all() and (ranks[came] == 0).all():
        return LIKELIEST
    reach = np.where(came, ranks + 1, 0).max(axis=1)  # how far down the likeliest go
    whole = (came.sum(axis=1) == reach).all()
    if (reach > k).all() and not came[:, k:].any() and k < V:
        return RANKS
    if k < V and whole and (reach == reach[0]).all() and reach[0] != k:
        return f"Of each row the {reach[0]} likeliest come; `top_k` is {k}."
    if k < V and (reach != k).any() and (reach == k).any():
        return NOT_EVERY_ROW
    allowed = ranks < (k if (reach <= k).all() else V)
    right = _softmax(logits / T, allowed)
    for shift in (1, -1):
        if _fits(counts, np.roll(right, shift, axis=1)):
            return "Every number is one too " + ("large." if shift == 1 else "small.")
    if _fits(counts, right[::-1]) or any(_fits(counts, right[[b] * rows]) for b in range(rows)):
        return ROWS_EXCHANGED
    never = ~came.any(axis=0) & (right * counts.sum(axis=1, keepdims=True) > 20).any(axis=0)
    if never.sum() == 1 and _fits(counts, _softmax(logits / T, allowed & ~never)):
        return f"Number {int(never.argmax())} is never drawn; the numbers run from 0 to {V - 1}."
    slope = _slope(counts, logits, allowed)
    if not _fits(counts, _softmax(slope * logits, allowed)):
        return ""
    if abs(slope) < 0.02:
        return "All allowed characters come equally often."
    if slope < 0:
        return "The less likely a character is, the more often it comes: a sign is wrong."
    if abs(1 - slope * T) < 0.03:  # as far as such draws can tell
        return ""
    return f"The draws are those of a temperature of {1 / slope:.2g}; {T:g} is asked for."


def _softmax(z: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Return the probabilities of the characters that are allowed, in each row."""
    z = np.where(allowed, z, -math.inf)
    weights = np.exp(z - z.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def _slope(counts: np.ndarray, logits: np.ndarray, allowed: np.ndarray) -> float:
    """Return the likeliest s if characters are drawn with softmax(s logits), by Newton's method."""
    n, s = counts.sum(axis=1, keepdims=True), 0.0
    for _ in range(30):
        p = _softmax(s * logits, allowed)
        mean = (p * logits).sum(axis=1, keepdims=True)
        spread = float((n * p * (logits - mean) ** 2).sum())
        step = float(((counts - n * p) * logits).sum()) / max(spread, 1e-9)
        s += float(np.clip(step, -0.5, 0.5))
    return s


def _fits(counts: np.ndarray, p: np.ndarray) -> bool:
    """Return whether counts are those of draws with probabilities p, as far as can be told."""
    drawn = counts.sum(axis=1, keepdims=True) * p
    distance = float((np.square(counts - drawn) / np.maximum(drawn, 0.5)).sum())
    return distance < counts.size + 6 * math.sqrt(2 * counts.size)
