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


def asks_for(text: Callable, score: Callable = lambda bits, given: bits.mean()) -> Callable:
    """Return a `bits_per_char` that asks for the probabilities of text(train, held_out).

    score  (bits of its characters, the held-out text) -> what is returned
    """

    def answer(learn, train, held_out):
        return score(-np.log2(learn(train)(text(train, held_out))), held_out)

    return answer


def in_pieces(size: int) -> Callable:
    """Return a `bits_per_char` that asks for pieces of the text, each without what is before it."""

    def answer(learn, train, held_out):
        probabilities = learn(train)
        starts = range(0, len(held_out), size)
        p = np.concatenate([probabilities(held_out[i : i + size]) for i in starts])
        return -np.log2(p).mean()

    return answer


def mean_of_means(size: int) -> Callable:
    """Return a `bits_per_char` that takes the mean of the means of pieces."""
    return wrong(
        lambda p: -np.mean([np.log2(p[i : i + size]).mean() for i in range(0, len(p), size)])
    )


EXERCISE = Exercise(
    name="bits_per_char",
    title="learn from one text, be measured on another",
    points=2,
    difficulty=1,
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
            in_pieces(1),
        ),
        Mistake(
            "The product of many probabilities is too small for a computer's numbers: it becomes 0 "
            "and the bits infinite. Add the logarithms instead.",
            wrong(lambda p: -np.log2(np.prod(p)) / len(p)),
            also=(wrong(lambda p: -np.log2(np.prod(p) ** (1 / len(p)))),),
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
            also=(
                wrong(lambda p: -(p * np.log2(p)).mean()),
                wrong(lambda p: -(p * np.log2(p)).sum() / p.sum()),
            ),
        ),
        Mistake(
            "The bits are added up rightly and then divided by another number than N, the number "
            "of characters in `held_out`.",
            wrong(lambda p: -np.log2(p).sum() / (len(p) - 1)),
            also=(
                wrong(lambda p: -np.log2(p).sum() / (len(p) + 1)),
                lambda learn, train, held_out: (
                    bits_per_char(learn, train, held_out) * len(held_out) / len(train)
                ),
                asks_for(
                    lambda train, held_out: held_out,
                    lambda bits, held_out: bits.sum() / len(set(held_out)),
                ),
            ),
        ),
        Mistake(
            "The first character is left out. It has a probability like the others, and counts.",
            wrong(lambda p: -np.log2(p[1:]).mean()),
            also=(wrong(lambda p: -np.log2(p[1:]).sum() / len(p)),),
        ),
        Mistake(
            "The last character is left out. Each of the N characters counts.",
            wrong(lambda p: -np.log2(p[:-1]).mean()),
            also=(
                wrong(lambda p: -np.log2(p[:-1]).sum() / len(p)),
                asks_for(lambda train, held_out: held_out[:-1]),
            ),
        ),
        Mistake(
            "Small probabilities are raised, by `clip` or by a number that is added, which makes "
            "their surprise smaller. Take them as they are: none is 0.",
            wrong(lambda p: -np.log2(p + 1e-8).mean()),
            also=(
                *(
                    wrong(lambda p, least=least: -np.log2(p + least).mean())
                    for least in (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
                ),
                *(
                    wrong(lambda p, least=least: -np.log2(np.maximum(p, least)).mean())
                    for least in (1e-4, 1e-3, 1e-2)
                ),
            ),
        ),
        Mistake(
            "This is the mean of the means of pieces, and the last piece is shorter than the "
            "others. Take one mean over all characters.",
            mean_of_means(64),
            also=tuple(map(mean_of_means, (4, 5, 8, 10, 16, 20, 128))),
        ),
        Mistake(
            "The text is asked for in pieces, and each piece forgets what stands before it. Hand "
            "over all of it in one call.",
            in_pieces(100),
            also=tuple(map(in_pieces, (2, 4, 5, 8, 10, 16, 20, 32, 50, 64, 128))),
        ),
        Mistake(
            "The probabilities pass through 16 bits, which are too few: three digits, and nothing "
            "very small. Leave them in float64.",
            wrong(lambda p: -np.log2(p.astype(np.float16).astype(float)).mean()),
            also=(wrong(lambda p: -np.log2(p.astype(np.float16)).mean()),),
        ),
        Mistake(
            "Blanks of the held-out text are not measured. They are characters like the others.",
            asks_for(lambda train, held_out: held_out.strip()),
            also=(
                asks_for(
                    lambda train, held_out: held_out.strip(),
                    lambda bits, held_out: bits.sum() / len(held_out),
                ),
            ),
        ),
        Mistake(
            "This is the median. Equation 5.2 has the mean.",
            wrong(lambda p: -np.log2(np.median(p))),
            also=(wrong(lambda p: np.median(-np.log2(p))),),
        ),
        Mistake(
            "The score is that of both texts together. Measure on `held_out` alone.",
            asks_for(lambda train, held_out: train + held_out),
        ),
        Mistake(
            "The held-out text is read as if `train` went on in it, so its first character is "
            "given what it should not be. Hand over `held_out` alone.",
            asks_for(
                lambda train, held_out: train + held_out,
                lambda bits, held_out: bits[-len(held_out) :].mean(),
            ),
        ),
        Mistake(
            "Each different character is measured once. Measure the text as it stands.",
            asks_for(lambda train, held_out: "".join(sorted(set(held_out)))),
            also=(asks_for(lambda train, held_out: "".join(dict.fromkeys(held_out))),),
        ),
        Mistake(
            "Nats are multiplied by ln 2. They become bits by division: one nat is 1.443 bits.",
            wrong(lambda p: -np.log(p).mean() * math.log(2)),
        ),
        Mistake(
            "This is a probability, the geometric mean. Equation 5.2 has minus its logarithm.",
            wrong(lambda p: 2 ** np.log2(p).mean()),
        ),
        Mistake(
            "This is the surprise of one character, the largest, the smallest or the last. Take "
            "the mean of all.",
            wrong(lambda p: -np.log2(p.min())),
            also=(wrong(lambda p: -np.log2(p.max())), wrong(lambda p: -np.log2(p[-1]))),
        ),
    ),
)
