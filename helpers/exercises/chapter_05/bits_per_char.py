"""`bits_per_char`: learn from one text, be measured on another, equation 5.2.

`learn(train)` gives a function `probabilities`, and `probabilities(text)` the probability (N,) of
each character of a text, given those before it.
"""

import math
from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case
from helpers.calling.chapter_05 import call_bits_per_char
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import some_text


def bits_per_char(learn, train, held_out):
    """Return the mean of -log2 p over the characters of `held_out`, added by `math.log2`."""
    probabilities = learn(train)(held_out)
    return -sum(math.log2(p) for p in probabilities) / len(held_out)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw two texts; the second may have characters that the first has not.

    The last one is so long that the product of its probabilities becomes 0 in a computer. Some
    probabilities are tiny, and some texts begin and end in a blank.
    """
    settings = ((10, 6, 1.0), (40, 9, 1.0), (25, 30, 1e-4), (300, 12, 0.1), (50, 2000, 1.0))
    drawn = []
    for number, (n, m, added) in enumerate(settings):
        train, held_out = some_text(rng, n, "abcde"), some_text(rng, m, "abcdefg")
        if number == 1:
            held_out = f" {held_out} "
        if number == 3:
            held_out = train[-m:]  # of which each pair was seen
        drawn.append({"train": train, "held_out": held_out, "added": added})
    return drawn


def wrong(score: Callable) -> Callable:
    """Return a `bits_per_char` that returns score(p) of the probabilities p (N,)."""
    return lambda learn, train, held_out: score(np.asarray(learn(train)(held_out)))


def asks_for_each_alone(learn, train, held_out):
    probabilities = learn(train)
    return -np.log2([probabilities(c)[0] for c in held_out]).mean()


EXERCISE = Exercise(
    name="bits_per_char",
    title="learn from one text, be measured on another",
    points=2,
    outputs={"bits": ""},
    cases=cases,
    drive=call_bits_per_char,
    reference=bits_per_char,
    against="the logarithms added one by one",
    tolerance=1e-6,
    mistakes=(
        Mistake(
            "These are nats, from the natural logarithm. Bits come from `log2`.",
            wrong(lambda p: -np.log(p).mean()),
        ),
        Mistake(
            "This logarithm has base 10. Bits come from base 2.",
            wrong(lambda p: -np.log10(p).mean()),
        ),
        Mistake(
            "This is the logarithm of the mean probability. Take the logarithm of each, then the "
            "mean: a text is as probable as the product of its characters.",
            wrong(lambda p: -np.log2(p.mean())),
        ),
        Mistake(
            "This averages the exponentials, 1 / p, the perplexity of each character. Average the "
            "logarithms.",
            wrong(lambda p: (1 / p).mean()),
            also=(wrong(lambda p: np.log2((1 / p).mean())),),
        ),
        Mistake(
            "This is the perplexity, 2 to the power of the bits. Leave the mean as it is.",
            wrong(lambda p: 2 ** -np.log2(p).mean()),
            also=(wrong(lambda p: np.exp(-np.log(p).mean())),),
        ),
        Mistake(
            "The held-out text is among what is learned from, so the score is flattered.",
            lambda learn, train, held_out: bits_per_char(learn, train + held_out, held_out),
        ),
        Mistake(
            "This learns from the held-out text itself. Learn from `train` alone.",
            lambda learn, train, held_out: bits_per_char(learn, held_out, held_out),
        ),
        Mistake(
            "This is the score on the text that was learned from. Measure on `held_out`.",
            lambda learn, train, held_out: bits_per_char(learn, train, train),
        ),
        Mistake(
            "Each character is asked for alone, without those before it. Hand over the whole text: "
            "`probabilities(held_out)`.",
            asks_for_each_alone,
        ),
        Mistake(
            "The product of many probabilities is too small for a computer's numbers: it becomes 0 "
            "and the bits infinite. Add the logarithms instead.",
            wrong(lambda p: -np.log2(np.prod(p)) / len(p)),
        ),
        Mistake(
            "The sign is missing: probabilities are below 1, so their logarithms are negative.",
            wrong(lambda p: np.log2(p).mean()),
        ),
        Mistake(
            "This is the sum, the bits of the whole text. Divide by its length.",
            wrong(lambda p: -np.log2(p).sum()),
        ),
        Mistake(
            "Each logarithm is weighted by its probability, as in the formula of an entropy. Here "
            "the text does the weighting: take the plain mean.",
            wrong(lambda p: -(p * np.log2(p)).sum()),
            also=(wrong(lambda p: -(p * np.log2(p)).mean()),),
        ),
    ),
)
