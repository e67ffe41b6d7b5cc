"""`longest_copy`: the longest stretch of a sample that stands word for word in a text."""

import difflib
from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case, call
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import some_text


def longest_copy(sample, text):
    """Return the number of characters of the longest common substring.

    Two ends move along the sample: the stretch between them stands in the text, and is never
    shorter than the longest so far.
    """
    start = 0
    for end in range(1, len(sample) + 1):
        if sample[start:end] not in text:
            start += 1
    return len(sample) - start


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw samples of which a stretch stands in the text: within, at both ends, all, and nothing.

    Shorter stretches stand before it, in the last case with a part of it; parts of words, capitals
    and blanks belong to it.
    """

    def case(n, copied, *, at=None, letters="abcde ", end=""):
        text = some_text(rng, n, letters)
        start = int(rng.integers(0, n - copied)) if at is None else at % (n - copied + 1)
        stretch = text[start : start + copied]
        before, after = some_text(rng, 9, "ABCDE "), some_text(rng, 7, "ABCDE ")
        return {"sample": f"{before}{stretch[:4]}#{stretch}{end or '#' + after}", "text": text}

    drawn = [case(40, 9), case(120, 25, end="#"), case(60, 12, at=0), case(60, 14, at=-1)]
    whole = some_text(rng, 12, "abc ")
    drawn += [
        {"sample": whole, "text": "#" + whole + "#"},
        {"sample": "xyz", "text": some_text(rng, 20, "abc")},
        {"sample": some_text(rng, 60, "ab"), "text": some_text(rng, 200, "ab")},
        {"sample": "The Cat sat", "text": "the cat  sat on the mat, The Cat"},
        {"sample": "  ab  ", "text": "xx  ab  yy"},
        {"sample": "abcab", "text": "abc"},
        {"sample": "abba#abba", "text": "cabbac"},
        {"sample": "abcd", "text": "ab bcd"},
    ]
    return drawn


def subsequence(sample, text):
    length = [0] * (len(text) + 1)
    for c in sample:
        before = length
        length = [0]
        for j, other in enumerate(text):
            length.append(before[j] + 1 if other == c else max(before[j + 1], length[j]))
    return length[-1]


def stretches(sample: str) -> set[str]:
    """Return every stretch of a sample."""
    n = len(sample)
    return {sample[i:j] for i in range(n) for j in range(i + 1, n + 1)}


def of_stretches(which: Callable, measure: Callable = len) -> Callable:
    """Return a `longest_copy` that takes the largest measure of the copied stretches that `which`.

    which  (stretch, sample, text) -> whether it is considered
    """

    def answer(sample, text):
        found = [s for s in stretches(sample) if s in text and which(s, sample, text)]
        return max(map(measure, found), default=0)

    return answer


def normalised(change: Callable) -> Callable:
    """Return a `longest_copy` of a sample and a text that are changed first."""
    return lambda sample, text: longest_copy(change(sample), change(text))


def by_words(sample, text):
    words, others = sample.split(), text.split()
    best = difflib.SequenceMatcher(None, words, others, autojunk=False).find_longest_match()
    return len(" ".join(words[best.a : best.a + best.size]))


def by_difflib(sample, text):
    return difflib.SequenceMatcher(None, sample, text).find_longest_match().size


def aligned(sample, text):
    longest = run = 0
    for a, b in zip(sample, text, strict=False):
        run = run + 1 if a == b else 0
        longest = max(longest, run)
    return longest


def first_match(sample, text):
    """Go along the sample and stop at the first stretch that cannot be made longer."""
    for i in range(len(sample)):
        if sample[i] in text:
            j = i + 1
            while j < len(sample) and sample[i : j + 1] in text:
                j += 1
            return j - i
    return 0


def jumping(sample, text):
    """Search on behind what was found, so that what overlaps it is missed."""
    longest = i = 0
    while i < len(sample):
        n = 0
        while i + n < len(sample) and sample[i : i + n + 1] in text:
            n += 1
        longest, i = max(longest, n), i + max(n, 1)
    return longest


EXERCISE = Exercise(
    name="longest_copy",
    title="the longest stretch that is copied",
    points=3,
    difficulty=2,
    outputs={"length": ""},
    cases=cases,
    drive=call,
    reference=longest_copy,
    against="a window that slides along the sample and grows where it can",
    tolerance=0.0,
    mistakes=(
        Mistake(
            "Characters may be left out between those that match: a common subsequence. A copy has "
            "no gaps.",
            subsequence,
        ),
        Mistake(
            "The search goes on behind each stretch that was found. A longer one may begin within "
            "it.",
            jumping,
        ),
        Mistake(
            "Only whole words count here. Count characters: a copy may begin within a word.",
            by_words,
        ),
        Mistake(
            "`SequenceMatcher` takes frequent characters for junk in a text of 200 characters or "
            "more, and finds no copies made of them. Hand it `autojunk=False`, or search by `in`.",
            by_difflib,
        ),
        Mistake(
            "The sample's beginning alone is looked for in the text. A copy may begin anywhere.",
            of_stretches(lambda s, sample, text: sample.startswith(s)),
        ),
        Mistake(
            "The sample's end alone is looked for in the text. A copy may end anywhere.",
            of_stretches(lambda s, sample, text: sample.endswith(s)),
        ),
        Mistake(
            "Only the text's beginning is looked for in the sample.",
            of_stretches(lambda s, sample, text: text.startswith(s)),
        ),
        Mistake(
            "The two are compared place by place, as if the copy had to stand at the same place.",
            aligned,
        ),
        Mistake(
            "Capitals are made small first. A copy has the same characters.",
            normalised(str.lower),
            also=(normalised(str.casefold), normalised(str.upper)),
        ),
        Mistake(
            "Blanks are dropped or merged first. They are characters like the others.",
            normalised(lambda s: " ".join(s.split())),
            also=(
                normalised(lambda s: "".join(s.split())),
                of_stretches(lambda s, sample, text: True, lambda s: len(s.strip())),
                normalised(str.strip),
            ),
        ),
        Mistake(
            "This stops at the first stretch that stands in the text. A later one may be longer.",
            first_match,
        ),
        Mistake(
            "The length is one too small.",
            lambda sample, text: max(longest_copy(sample, text) - 1, 0),
        ),
        Mistake(
            "The length is one too large.",
            lambda sample, text: longest_copy(sample, text) + 1,
        ),
        Mistake(
            "The whole sample or nothing is looked for.",
            lambda sample, text: len(sample) if sample in text else 0,
        ),
        Mistake(
            "The longest possible copy is left out: the whole sample may be one.",
            of_stretches(lambda s, sample, text: s != sample),
        ),
        Mistake(
            "Stretches that stand in the sample twice are missing here, or counted in a way of "
            "their own: it is how often they stand in `text` that counts, and once is enough.",
            of_stretches(lambda s, sample, text: sample.count(s) == 1),
        ),
        Mistake(
            "This is the number of characters that stand anywhere in the text.",
            lambda sample, text: sum(c in text for c in sample),
            also=(
                lambda sample, text: len(set(sample) & set(text)),
                lambda sample, text: sum(s in text for s in stretches(sample)),
            ),
        ),
        Mistake(
            "This is a share. Return the number of characters.",
            lambda sample, text: longest_copy(sample, text) / len(sample),
        ),
        Mistake(
            "This searches up to a limit, and the copy is longer.",
            lambda sample, text: min(longest_copy(sample, text), 10),
            also=tuple(
                lambda sample, text, limit=limit: min(longest_copy(sample, text), limit)
                for limit in (5, 8, 12, 16, 20)
            ),
        ),
    ),
)
