"""`decode`: numbers of characters as text again, section 5.1."""

import numpy as np

from helpers.calling.arrays import Case
from helpers.calling.chapter_05 import call_decode
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.shared import ALPHABET, STRANGE, quoted


def decode(ids, vocab):
    """Return the text, one string, of the characters at the places `ids` (N,) in `vocab`.

    Each is looked up, and Python's codec for UTF-32 makes one string of them.
    """
    return b"".join(vocab[i].encode("utf-32-le") for i in ids.tolist()).decode("utf-32-le")


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw numbers, and vocabularies that are not in order and go beyond ASCII.

    The last vocabulary has more characters than a byte has numbers, and one of code 0.
    """

    def case(n, *more):
        letters = [" ", "\n", *STRANGE, *rng.permutation(list(ALPHABET[:-1]))[:9], *more]
        vocab = "".join(rng.permutation(letters).tolist())
        ids = rng.integers(len(vocab), size=n)
        ids[[0, -1]] = vocab.index(" ")  # what a `strip` would take away
        if n > 1:
            ids[n // 2] = vocab.index("\n")
        return {"ids": ids, "vocab": vocab}

    wide = case(60, *(chr(0x4E00 + i) for i in range(300)))
    wide["vocab"] = wide["vocab"].replace(chr(0x4E00), "\0")
    wide["ids"][20] = wide["vocab"].index("\0")
    return [case(n) for n in (6, 1, 25, 40)] + [wide]


def explain(got: Arrays, expected: Arrays) -> str:
    """Return both texts in quotes."""
    return f"The text is {quoted(got['text'])}; expected {quoted(expected['text'])}."


EXERCISE = Exercise(
    name="decode",
    title="numbers to text",
    points=1,
    outputs={"text": "i"},
    cases=cases,
    drive=call_decode,
    reference=decode,
    against="the characters looked up one by one",
    tolerance=0.0,
    explain=explain,
    mistakes=(
        Mistake(
            "Return one string, not a list of characters: `''.join(...)`.",
            lambda ids, vocab: [vocab[i] for i in ids],
        ),
        Mistake(
            "These are the characters with those code points, `chr`. A number here is a place in "
            "`vocab`.",
            lambda ids, vocab: "".join(chr(i) for i in ids),
        ),
        Mistake(
            "There are spaces between the characters. Join them with nothing between.",
            lambda ids, vocab: " ".join(vocab[i] for i in ids),
        ),
        Mistake(
            "These are the numbers themselves, as text. Look each up in `vocab`.",
            lambda ids, vocab: "".join(str(int(i)) for i in ids),
            also=(lambda ids, vocab: str(ids.tolist()), lambda ids, vocab: str(ids)),
        ),
        Mistake(
            "This looks up in the sorted vocabulary. Its order is given; use it as it is.",
            lambda ids, vocab: "".join(sorted(vocab)[i] for i in ids),
        ),
        Mistake(
            "Every character appears once: this joins a set, or looks up the unique numbers.",
            lambda ids, vocab: "".join(vocab[i] for i in ids.unique()),
            also=(lambda ids, vocab: "".join(dict.fromkeys(vocab[i] for i in ids)),),
        ),
        Mistake(
            "The characters are one place off: the first has number 0.",
            lambda ids, vocab: "".join(vocab[i - 1] for i in ids),
        ),
        Mistake(
            "A tensor is not an index of a dict: each of its entries is a new object, found under "
            "no key. Use `ids.tolist()`, or look up in the list.",
            lambda ids, vocab: "".join(dict(enumerate(vocab))[i] for i in ids),
        ),
    ),
)
