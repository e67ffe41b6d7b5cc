"""`encode`: a text as the numbers of its characters, section 5.1."""

import bisect
from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F

from helpers.calling.arrays import Case
from helpers.calling.chapter_05 import call_encode
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.shared import ALPHABET, NO_VALUE_ERROR, STRANGE, some_text


def encode(text, vocab):
    """Return the places of a text's characters in `vocab`, int64 (N,), by NumPy's `searchsorted`.

    Raises a ValueError that names the first character that `vocab` does not have.
    """
    known = np.array([ord(c) for c in vocab])
    points = np.array([ord(c) for c in text], dtype=known.dtype)
    order = known.argsort()
    ids = order[np.searchsorted(known, points, sorter=order).clip(max=len(known) - 1)]  # (N,)
    unknown = np.flatnonzero(known[ids] != points)
    if unknown.size:
        at = int(unknown[0])
        raise ValueError(f"{text[at]!r} at {at} is not in the vocabulary of {len(vocab)}.")
    return torch.from_numpy(ids)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw texts and vocabularies; the last four texts have a character that is unknown.

    Of the last one only the small letter is known. One vocabulary is not in order, and one has more
    characters than `uint8` has numbers.
    """

    def case(n, shuffled=False, strange="", place=0):
        letters = rng.permutation(list(ALPHABET))[: int(rng.integers(5, 20))]
        vocab = "".join(letters if shuffled else sorted(letters))
        text = some_text(rng, n, vocab)
        return {"text": text[:place] + strange + text[place:], "vocab": vocab}

    wide = "".join(chr(0x4E00 + i) for i in range(300))
    plain = [case(n) for n in (1, 12, 30)] + [case(15, shuffled=True)]
    plain.append({"text": some_text(rng, 20, wide) + wide[-1], "vocab": wide})
    places = (int(rng.integers(1, 12)), 0, 12)  # within, at the beginning, at the end
    strange = zip(rng.choice(list(STRANGE), size=3), places, strict=True)
    capital = {"text": some_text(rng, 9, "abcd") + "A", "vocab": "abcd"}
    return [*plain, *(case(12, strange=str(c), place=p) for c, p in strange), capital]


NO_NAME = (
    "An unknown character is refused, but the error does not name it. Put it into the message: "
    "`{c!r}`."
)
WRAPPED = (
    "Large numbers wrap around: on the way they were of a small type, `uint8` say. Make the tensor "
    "of `torch.long` at once."
)


def explain(got: Arrays, expected: Arrays) -> str:
    """Return what is wrong with an answer that refuses too little, or without a name."""
    if got["refused"] == expected["refused"]:
        small = (expected["ids"].astype(dtype) for dtype in (np.uint8, np.int8))
        return WRAPPED if any(np.array_equal(got["ids"], ids) for ids in small) else ""
    if got["refused"]:
        return NO_NAME
    return (
        "A text with a character that `vocab` does not have went through, as "
        f"{len(got['ids'])} numbers. Raise a `ValueError` that names it, wherever it stands."
    )


def numbers(vocab: list[str], start: int = 0) -> dict[str, int]:
    """Return character -> its place in `vocab`, counted from `start`."""
    return {c: i for i, c in enumerate(vocab, start)}


def wrong(
    look=lambda c, vocab: vocab.index(c),
    says=lambda c, text: repr(c),
    error=ValueError,
    checked=slice(None),
) -> Callable:
    """Return an `encode` that departs from the right one in what is given.

    look     (character, vocab) -> its number
    says     (unknown character, text) -> what the error says
    checked  the part of the text in which unknown characters are found
    """

    def answer(text, vocab):
        for c in text[checked]:
            if c not in vocab:
                raise error(says(c, text))
        return torch.tensor([look(c, vocab) for c in text])

    return answer


def or_else(number: int) -> Callable:
    """Return a look-up that gives `number` to an unknown character."""
    return lambda c, vocab: vocab.index(c) if c in vocab else number


def small_letters_help(text, vocab):
    small = (c.lower() if c not in vocab and c.lower() in vocab else c for c in text)
    return encode("".join(small), vocab)


def makes_the_vocabulary_larger(text, vocab):
    vocab.extend(c for c in dict.fromkeys(text) if c not in vocab)
    return encode(text, vocab)


def unless_unknown(answer: Callable) -> Callable:
    """Return an `encode` that returns answer() for a text with an unknown character."""
    return lambda text, vocab: encode(text, vocab) if set(text) <= set(vocab) else answer()


EXERCISE = Exercise(
    name="encode",
    title="text to numbers",
    points=2,
    difficulty=1,
    outputs={"refused": "", "ids": "i"},
    cases=cases,
    drive=call_encode,
    reference=encode,
    against="a search of each code point in the vocabulary,",
    tolerance=0.0,
    explain=explain,
    mistakes=(
        Mistake(
            "An unknown character ends in a KeyError, which does not say what to do. Raise a "
            "`ValueError` that names the character.",
            lambda text, vocab: torch.tensor([numbers(vocab)[c] for c in text]),
        ),
        Mistake(
            NO_NAME,
            wrong(says=lambda c, text: "unknown character"),
            also=(lambda text, vocab: torch.tensor(["".join(vocab).index(c) for c in text]),),
        ),
        Mistake(
            "Unknown characters are left out without a word, so the text that comes back is "
            "another one. Raise a `ValueError`.",
            lambda text, vocab: torch.tensor([vocab.index(c) for c in text if c in vocab]),
        ),
        Mistake(
            "An unknown character silently becomes number 0, which is another character. Raise a "
            "`ValueError`.",
            lambda text, vocab: torch.tensor([numbers(vocab).get(c, 0) for c in text]),
        ),
        Mistake(
            "An unknown character silently becomes -1, which counts from the end: it is decoded "
            "as the last character. Raise a `ValueError`.",
            lambda text, vocab: torch.tensor([numbers(vocab).get(c, -1) for c in text]),
            also=(lambda text, vocab: torch.tensor(["".join(vocab).find(c) for c in text]),),
        ),
        Mistake(
            "These are code points, `ord`. The number of a character is its place in `vocab`.",
            lambda text, vocab: torch.tensor([ord(c) for c in text]),
        ),
        Mistake(
            "The numbers start at 1. Places in a list start at 0.",
            lambda text, vocab: encode(text, vocab) + 1,
            also=(
                lambda text, vocab: torch.tensor([numbers(vocab, 1).get(c, 0) for c in text]),
                lambda text, vocab: torch.tensor([numbers(vocab, 1)[c] for c in text]),
            ),
        ),
        Mistake(
            "This builds its own vocabulary from the text it is given. Use `vocab`, or training "
            "and test would speak different languages.",
            lambda text, vocab: torch.tensor([sorted(set(text)).index(c) for c in text]),
            also=(
                lambda text, vocab: torch.tensor([[*dict.fromkeys(text)].index(c) for c in text]),
            ),
        ),
        Mistake(
            "This sorts `vocab` first. Its order is given; use it as it is.",
            lambda text, vocab: torch.tensor([sorted(vocab).index(c) for c in text]),
        ),
        Mistake(
            "The type is too small: `uint8` ends at 255, `int8` at 127, and a vocabulary may "
            "have more characters. Use `torch.int64`.",
            lambda text, vocab: encode(text, vocab).to(torch.uint8),
            also=(lambda text, vocab: encode(text, vocab).to(torch.int8),),
        ),
        Mistake(
            "These are one-hot rows. Return one whole number per character.",
            lambda text, vocab: torch.eye(len(vocab))[encode(text, vocab)],
            also=(lambda text, vocab: F.one_hot(encode(text, vocab), len(vocab)),),
        ),
        Mistake(
            "The numbers are floating-point. `nn.Embedding` and `cross_entropy` want whole ones: "
            "make the tensor from ints.",
            lambda text, vocab: encode(text, vocab).float(),
        ),
        Mistake(
            "The error names another character than the one that `vocab` does not have.",
            wrong(says=lambda c, text: repr(text[0])),
            also=(wrong(says=lambda c, text: repr(text[-1])),),
        ),
        Mistake(
            NO_VALUE_ERROR,
            wrong(error=AssertionError),
            also=tuple(
                wrong(error=error)
                for error in (
                    IndexError,
                    LookupError,
                    TypeError,
                    RuntimeError,
                    NameError,
                    Exception,
                )
            ),
        ),
        Mistake(
            "A binary search, `bisect` or `searchsorted`, finds its way in a sorted list alone, "
            "and `vocab` may be in any order. Use a dict.",
            wrong(look=lambda c, vocab: bisect.bisect_left(vocab, c)),
        ),
        Mistake(
            "A capital is looked up as its small letter, without a word. Only what stands in "
            "`vocab` has a number.",
            small_letters_help,
            also=(lambda text, vocab: encode(text.lower(), vocab),),
        ),
        Mistake(
            "The last character of a text is not checked: an unknown one is not refused there as "
            "it is elsewhere.",
            wrong(look=or_else(-1), checked=slice(None, -1)),
            also=(
                wrong(look=or_else(0), checked=slice(None, -1)),
                wrong(look=lambda c, vocab: numbers(vocab)[c], checked=slice(None, -1)),
            ),
        ),
        Mistake(
            "The first character of a text is not checked: an unknown one is not refused there as "
            "it is elsewhere.",
            wrong(look=or_else(-1), checked=slice(1, None)),
            also=(
                wrong(look=or_else(0), checked=slice(1, None)),
                wrong(look=lambda c, vocab: numbers(vocab)[c], checked=slice(1, None)),
            ),
        ),
        Mistake(
            "The numbers have fewer than 64 bits. Make the tensor with `dtype=torch.long`.",
            lambda text, vocab: encode(text, vocab).int(),
            also=(lambda text, vocab: encode(text, vocab).short(),),
        ),
        Mistake(
            "This is no tensor. Make one of the numbers: `torch.tensor(...)`.",
            lambda text, vocab: encode(text, vocab).tolist(),
            also=(lambda text, vocab: encode(text, vocab).numpy(),),
        ),
        Mistake(
            "The numbers are a column or a row of a matrix. Return them with one axis, (N,).",
            lambda text, vocab: encode(text, vocab)[:, None],
            also=(lambda text, vocab: encode(text, vocab)[None],),
        ),
        Mistake(
            "An unknown character silently gets a number of its own, behind all others. Raise a "
            "`ValueError`.",
            lambda text, vocab: wrong(look=or_else(len(vocab)), checked=slice(0))(text, vocab),
            also=(makes_the_vocabulary_larger,),
        ),
        Mistake(
            "For a text with an unknown character nothing is returned, or nothing but an empty "
            "tensor. Raise a `ValueError`.",
            unless_unknown(lambda: None),
            also=(
                unless_unknown(lambda: torch.tensor([])),
                unless_unknown(lambda: torch.tensor([], dtype=torch.long)),
            ),
        ),
    ),
)
