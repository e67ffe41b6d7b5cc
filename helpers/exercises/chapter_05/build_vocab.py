"""`build_vocab`: the characters of a text, each once and sorted, section 5.1."""

from collections import Counter

import numpy as np

from helpers.calling.arrays import Case
from helpers.calling.chapter_05 import call_build_vocab
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.shared import quoted, some_text


def build_vocab(text):
    """Return the list of the different characters of a text, sorted, by NumPy's `unique`."""
    return [chr(point) for point in np.unique([ord(c) for c in text])] if text else []


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw texts. The first have spaces, line ends, capitals and more than ASCII in them.

    The fourth has an accent both as a part of its letter and as a character of its own.
    """
    texts = ["banana", "two words\n", "\nThe cat\nin the café ", "cafe\u0301, café"]
    texts += [some_text(rng, n) for n in (1, 8, 20, 40)]
    return [{"text": text} for text in texts]


UNSORTED = (
    "The characters are right, their order is not. That of a set, for one, is another in every new "
    "Python, where yesterday's weights would meet other characters. `sorted` alone is meant."
)


def explain(got: Arrays, expected: Arrays) -> str:
    """Return how a vocabulary differs: its size, its order, or its first wrong character."""
    mine, right = got["vocab"], expected["vocab"]
    if len(mine) != len(right):
        return f"`vocab` has {len(mine)} characters; the text has {len(right)} different ones."
    if set(mine) == set(right):
        return UNSORTED
    first = int(np.flatnonzero(mine != right)[0])
    found, wanted = (quoted(points[[first]]) for points in (mine, right))
    return f"Character {first} of `vocab` is {found}; expected {wanted}."


EXERCISE = Exercise(
    name="build_vocab",
    title="the characters of a text, in order",
    points=1,
    outputs={"vocab": "v"},
    cases=cases,
    drive=call_build_vocab,
    reference=build_vocab,
    against="`numpy.unique` of the code points",
    tolerance=0.0,
    explain=explain,
    mistakes=(
        Mistake(UNSORTED, lambda text: list(set(text))),
        Mistake(
            "Characters come in the order of their first appearance, so another beginning of the "
            "text gives other numbers. Sort them.",
            lambda text: list(dict.fromkeys(text)),
        ),
        Mistake(
            "Every character of the text is there as often as it occurs. Keep each once: `set`.",
            sorted,
        ),
        Mistake(
            "Capitals are missing: this lowers the text first. 'T' and 't' are two characters.",
            lambda text: sorted(set(text.lower())),
        ),
        Mistake(
            "Spaces and line ends are missing. They are characters like the others.",
            lambda text: sorted(c for c in set(text) if not c.isspace()),
            also=(lambda text: sorted(set("".join(text.split()))),),
        ),
        Mistake(
            "Line ends are missing. They are characters like the others.",
            lambda text: sorted(set(text) - {"\n"}),
            also=(lambda text: sorted({c for line in text.split("\n") for c in line}),),
        ),
        Mistake(
            "These are words. The chapter predicts one character at a time.",
            lambda text: sorted(set(text.split())),
        ),
        Mistake(
            "Characters beyond ASCII are missing, é say. They are characters like the others.",
            lambda text: sorted(c for c in set(text) if ord(c) < 128),
        ),
        Mistake(
            "What stands at the edges is stripped off: a space or line end there counts, too.",
            lambda text: sorted(set(text.strip())),
        ),
        Mistake(
            "Only letters are there. Spaces, digits, signs and line ends are characters, too.",
            lambda text: sorted(c for c in set(text) if c.isalpha()),
        ),
        Mistake(
            "The most frequent character comes first. Sort by the characters themselves.",
            lambda text: list(dict(Counter(text).most_common())),
        ),
        Mistake(
            "The order is reversed. `sorted` alone is right.",
            lambda text: sorted(set(text), reverse=True),
        ),
        Mistake(
            "Capitals and small letters are sorted together, by a key. `sorted` alone is meant: "
            "all capitals before all small letters, as Python compares characters.",
            lambda text: sorted(sorted(set(text)), key=str.lower),
            also=(lambda text: sorted(sorted(set(text), reverse=True), key=str.lower),),
        ),
    ),
)
