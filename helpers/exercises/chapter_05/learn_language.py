"""`learn_language`: learn a language that was invented a moment ago, section 5.10.

B beginnings, V characters. What comes after each beginning with which probability is known exactly,
since the language has a grammar; that stays here.
"""

from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case
from helpers.calling.chapter_05 import call_language
from helpers.exercises.bands import Bands
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.shared import new_seed
from helpers.grammars import Grammar, agreement, invented
from helpers.ngrams import KneserNey

LENGTH, BEGINNINGS, WIDTH = 40_000, 500, 100
ORDER, FEW = 8, 3  # of the counting that an answer is measured by, and of a poor one
FLAWS = (
    "",
    "`predict` must return probabilities (B, V), one row for each beginning and one column for "
    "each character of the text, sorted.",
    "The probabilities of a row must be at least 0 and sum to 1. Are these logits?",
    "With a single beginning `predict` loses an axis: (1, V) is asked for.",
)
BANDS = Bands(
    to_pass=0.35,  # of what that counting costs beyond the entropy
    poor="with two characters",
    parts={
        "no better than counting with two characters before": (np.inf, 0.0),
        f"better than counting of order {FEW}, not than that of order {ORDER}": (np.inf, 0.25),
        f"better than counting of order {ORDER}": (0.97, 0.5),
        "a good part of the way to the entropy": (0.65, 0.75),
    },
    flaws=FLAWS,
    found=f"Of the bits that counting of order {ORDER} costs beyond the entropy, {{left}} are left "
    f"after {BEGINNINGS} beginnings: {{band}}. {{bar}} passes.",
)


def learn_language(text):
    """Return what whoever knows the form of the sentences says, once their words are found."""
    sentences = [line[:-1].split() for line in text.split("\n")[:-1]]
    nouns, verbs, adjectives, again = set(), set(), set(), []
    for words in sentences:
        near = [i for i, word in enumerate(words) if word == "near"]
        before, first = words[1 : (near or [len(words) - 1])[0]], words[-1].removesuffix("s")
        verbs.add(first)
        adjectives.update(before[:-1])
        nouns.update(word.removesuffix("s") for word in (before[-1], *(words[i + 2] for i in near)))
        again += [1] * (len(before) - 1 + len(near)) + [0, 0]
    language = agreement(*map(tuple, (nouns, verbs, adjectives)), again=float(np.mean(again)))
    return lambda beginnings: exactly(language, beginnings)


def exactly(language: Grammar, beginnings: list[str]) -> np.ndarray:
    """Return the exact probabilities (B, V) of what comes after beginnings of a language's text.

    Each has the end of a sentence in it; what stands before the last is not needed.
    """
    return np.array([language.distribution(text[text.rindex("\n") + 1 :]) for text in beginnings])


def cases(rng: np.random.Generator) -> list[Case]:
    """Invent a language; draw a text to learn from, and beginnings from another."""
    language = invented(seed=new_seed(rng))
    text, other = (language.text(n, seed=new_seed(rng)) for n in (LENGTH // 16, BEGINNINGS))
    ends = rng.integers(WIDTH, len(other), size=2 * BEGINNINGS)
    drawn = (other[end - WIDTH : end] for end in ends)
    beginnings = [beginning for beginning in drawn if "\n" in beginning][:BEGINNINGS]
    text, exact = text[: text.index("\n", LENGTH) + 1], exactly(language, beginnings)
    counted = {order: KneserNey(text, order, language.vocab) for order in (ORDER, FEW)}
    return [
        {
            "text": text,
            "beginnings": "".join(beginnings),
            "width": WIDTH,
            "exact": exact,
            "counting": np.array(
                [beyond(exact, distributions(model, beginnings)) for model in counted.values()]
            ),
        }
    ]


def distributions(model: KneserNey, beginnings: list[str]) -> np.ndarray:
    """Return what counting says comes after each beginning (B, V)."""
    return np.array([model.distribution(beginning) for beginning in beginnings])


def beyond(exact: np.ndarray, p: np.ndarray) -> float:
    """Return how many bits p (B, V) costs beyond the entropy: the mean Σ exact log2(exact / p)."""
    ratio = np.where(exact > 0, exact, 1) / np.where(exact > 0, np.maximum(p, 1e-9), 1)
    return float((exact * np.log2(ratio)).sum(axis=1).mean())


def measured(case: Case, returned: Arrays) -> Arrays:
    """Return what an answer costs beyond the entropy, as a share of what counting costs.

    So does counting with two characters, for comparison; and the number of a flaw that leaves
    nothing to compare.
    """
    flaw = flaw_of(returned["p"], case["exact"], returned["p of one"])
    best, with_two = case["counting"]
    return {
        "left": np.array(np.inf if flaw else beyond(case["exact"], returned["p"]) / best),
        "with two characters": np.array(with_two / best),
        "flaw": np.array(flaw),
    }


def flaw_of(p: np.ndarray, exact: np.ndarray, of_one: np.ndarray) -> int:
    """Return the number of what makes probabilities incomparable, in FLAWS; 0 for nothing."""
    if p.shape != exact.shape:
        return 1
    if not ((p >= 0).all() and np.allclose(p.sum(axis=1), 1, atol=1e-3)):
        return 2
    return 0 if of_one.shape == (1, exact.shape[1]) else 3


def counting(text):
    model = KneserNey(text, ORDER, set(text))
    return lambda beginnings: distributions(model, beginnings)


def altered(change: Callable) -> Callable:
    """Return a `learn_language` whose probabilities (B, V) are changed."""
    return lambda text: lambda beginnings: change(learn_language(text)(beginnings))


def frequencies(change: Callable) -> Callable:
    """Return a `learn_language` that always says how frequent each character is, changed."""

    def answer(text):
        p = np.array([text.count(c) / len(text) for c in sorted(set(text))])
        return lambda beginnings: change(np.tile(p, (len(beginnings), 1)))

    return answer


EXERCISE = Exercise(
    name="learn_language",
    title="a model of a language that was invented a moment ago",
    points=5,
    difficulty=3,
    outputs={"left": "", "with two characters": "", "flaw": ""},
    cases=cases,
    kept=("exact", "counting"),
    drive=call_language,
    returned=("p", "p of one"),
    measure=measured,
    reference=learn_language,
    against=f"the language's grammar, at most {BANDS.to_pass} of what counting costs beyond its "
    "entropy",
    tolerance=0.01,
    **BANDS.judging,
    mistakes=(
        Mistake(
            f"This is counting of order {ORDER}, or nearly.",
            counting,
        ),
        Mistake(
            "This knows how frequent each character is, and not what stands before.",
            frequencies(lambda p: p),
        ),
        Mistake(
            "All characters are equally likely here. Is the network trained, and in evaluation?",
            frequencies(lambda p: np.full_like(p, 1 / p.shape[1])),
        ),
        Mistake(FLAWS[1], frequencies(lambda p: p.argmax(axis=1))),
        Mistake(FLAWS[2], frequencies(lambda p: np.log(p + 1e-9))),
        Mistake(FLAWS[3], frequencies(lambda p: p.squeeze())),
        Mistake(
            "The columns are not in the order of the sorted characters.",
            altered(lambda p: p[:, ::-1]),
            also=(altered(lambda p: np.roll(p, 1, axis=1)),),
        ),
    ),
)
