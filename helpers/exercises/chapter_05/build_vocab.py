"""`build_vocab`: the characters of a text, each once and sorted, section 5.1."""

import itertools
import string
import unicodedata
from collections import Counter
from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case
from helpers.calling.chapter_05 import call_build_vocab
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.shared import quoted, some_text


def build_vocab(text):
    """Return the list of the different characters of a text, sorted, by NumPy's `unique`."""
    return [chr(point) for point in np.unique([ord(c) for c in text])] if text else []


FIRST = "banana"


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw texts. The first have spaces, line ends, capitals and more than ASCII in them.

    The fourth has an accent both as a part of its letter and as a character of its own.
    """
    texts = [FIRST, "two words\n", "\nThe cat\nin the café ", "cafe\u0301, café"]
    texts += [some_text(rng, n) for n in (1, 8, 20, 40)]
    return [{"text": text} for text in texts]


UNSORTED = (
    "The characters are right, their order is not. That of a set, for one, is another in every new "
    "Python, where yesterday's weights would meet other characters. `sorted` alone is meant."
)


def explain(got: Arrays, expected: Arrays) -> str:
    """Return which characters are missing, too many, or there twice; else it is the order."""
    mine, right = got["vocab"], expected["vocab"]
    once, times = np.unique(mine, return_counts=True)
    facts = {
        "Missing": np.setdiff1d(right, mine),
        "Not in the text": np.setdiff1d(mine, right),
        "More than once": once[times > 1],
    }
    shown = [f"{fact}: {_briefly(points)}." for fact, points in facts.items() if len(points)]
    sizes = f"`vocab` has {len(mine)} characters; the text has {len(right)} different ones."
    return " ".join([sizes, *shown]) if shown else UNSORTED


def _briefly(points: np.ndarray) -> str:
    return quoted(points[:12]) + (" …" if len(points) > 12 else "")


def without(unwanted: Callable) -> Callable:
    """Return a `build_vocab` that leaves out the characters of which `unwanted` is true."""
    return lambda text: [c for c in build_vocab(text) if not unwanted(c)]


def by_frequency(wanted: Callable) -> Callable:
    """Return a `build_vocab` that keeps the characters whose number of times is `wanted`."""
    return lambda text: [c for c in build_vocab(text) if wanted(text.count(c))]


def with_an_entry(entry: str) -> Callable:
    """Return a `build_vocab` that adds an entry which is no character of the text."""
    return lambda text: [entry, *build_vocab(text)]


def remembering() -> Callable:
    """Return a `build_vocab` that keeps what earlier texts had, from the first case on."""
    seen: set[str] = set()

    def answer(text):
        if text == FIRST:
            seen.clear()
        seen.update(text)
        return sorted(seen)

    return answer


EXERCISE = Exercise(
    name="build_vocab",
    title="the characters of a text, in order",
    points=1,
    difficulty=1,
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
            "Repeats are not removed, or only those that stand side by side. Keep each character "
            "once: `set`.",
            sorted,
            also=(
                list,
                lambda text: sorted(c for c, _ in itertools.groupby(text)),
                lambda text: [c for c, _ in itertools.groupby(text)],
            ),
        ),
        Mistake(
            "Capitals are missing: all letters are made small. 'T' and 't' are two characters.",
            lambda text: sorted(set(text.lower())),
        ),
        Mistake(
            "Spaces and line ends are missing. They are characters like the others.",
            without(str.isspace),
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
            without(lambda c: ord(c) > 127),
        ),
        Mistake(
            "What stands at the edges is stripped off: a space or line end there counts, too.",
            lambda text: sorted(set(text.strip())),
            also=(
                lambda text: sorted(set(text.rstrip())),
                lambda text: sorted(set(text.strip("\n"))),
            ),
        ),
        Mistake(
            "Only letters are there. Spaces, digits, signs and line ends are characters, too.",
            without(lambda c: not c.isalpha()),
        ),
        Mistake(
            "Only letters and digits are there. Spaces, signs and line ends are characters, too.",
            without(lambda c: not c.isalnum()),
        ),
        Mistake(
            "Signs are missing, the comma say. They are characters like the others.",
            without(lambda c: c in string.punctuation),
            also=(without(lambda c: not (c.isalnum() or c.isspace())),),
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
        Mistake(
            "An entry is added that is no character of the text, as for what is unknown or for "
            "padding. The list has the characters of the text, and nothing else.",
            with_an_entry("<unk>"),
            also=tuple(
                map(
                    with_an_entry,
                    [
                        "<pad>",
                        "<UNK>",
                        "<PAD>",
                        "[UNK]",
                        "[PAD]",
                        "<s>",
                        "<bos>",
                        "<sos>",
                        "<eos>",
                        "<start>",
                        "\x00",
                        "?",
                        "_",
                    ],
                )
            ),
        ),
        Mistake(
            "Characters of earlier texts stay in the list, which is kept from call to call. Begin "
            "with an empty one in each call.",
            remembering(),
        ),
        Mistake(
            "The text is normalized first, which joins letters and their accents or parts them. "
            "Take the characters as they come.",
            lambda text: build_vocab(unicodedata.normalize("NFC", text)),
            also=(lambda text: build_vocab(unicodedata.normalize("NFD", text)),),
        ),
        Mistake(
            "Everything between the smallest and the largest character is there. Keep only what "
            "occurs in the text.",
            lambda text: [chr(i) for i in range(ord(min(text)), ord(max(text)) + 1)],
        ),
        Mistake(
            "Characters that occur only once are missing. However rare, each belongs there.",
            by_frequency(lambda n: n > 1),
        ),
        Mistake(
            "Only the characters that occur exactly once are there. Keep each that occurs at all.",
            by_frequency(lambda n: n == 1),
        ),
        Mistake(
            "Small letters are missing: this makes them capitals. 'T' and 't' are two characters.",
            lambda text: sorted(set(text.upper())),
        ),
        Mistake(
            "These are code points, `ord`. Return the characters themselves.",
            lambda text: sorted({ord(c) for c in text}),
        ),
        Mistake(
            "This is a dict. Return the list of the characters; the next exercise numbers them.",
            lambda text: {c: i for i, c in enumerate(build_vocab(text))},
            also=(Counter,),
        ),
        Mistake(
            "This list is the same for every text. Take the characters that the text has.",
            lambda text: list(string.ascii_lowercase),
            also=tuple(
                lambda text, fixed=fixed: list(fixed)
                for letters in (
                    string.ascii_letters,
                    string.printable,
                    string.ascii_lowercase + " ",
                )
                for fixed in (letters, sorted(letters))
            ),
        ),
    ),
)
