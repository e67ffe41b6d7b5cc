"""`encode`: a text as the numbers of its characters, section 5.1."""

import numpy as np
import torch
from torch.nn import functional as F

from helpers.calling.arrays import Case
from helpers.calling.chapter_05 import call_encode
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.shared import ALPHABET, STRANGE, some_text


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
    plain.append({"text": some_text(rng, 20, wide), "vocab": wide})
    places = (int(rng.integers(1, 12)), 0, 12)  # within, at the beginning, at the end
    strange = zip(rng.choice(list(STRANGE), size=3), places, strict=True)
    capital = {"text": some_text(rng, 9, "abcd") + "A", "vocab": "abcd"}
    return [*plain, *(case(12, strange=str(c), place=p) for c, p in strange), capital]


def explain(got: Arrays, expected: Arrays) -> str:
    """Return what is wrong with an answer that refuses too little, or without a name."""
    if got["refused"] != expected["refused"]:
        return (
            "A text with a character that `vocab` does not have went through, or the error does "
            "not name it. Raise a `ValueError` that does, wherever the character stands."
        )
    return ""


def numbers(vocab: list[str], start: int = 0) -> dict[str, int]:
    """Return character -> its place in `vocab`, counted from `start`."""
    return {c: i for i, c in enumerate(vocab, start)}


def refuses_without_a_name(text, vocab):
    if not set(text) <= set(vocab):
        raise ValueError("unknown character")
    return encode(text, vocab)


EXERCISE = Exercise(
    name="encode",
    title="text to numbers",
    points=1,
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
            "An unknown character is refused, but the error does not name it. Put it into the "
            "message: `{c!r}`.",
            refuses_without_a_name,
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
        ),
        Mistake(
            "This sorts `vocab` first. Its order is given; use it as it is.",
            lambda text, vocab: torch.tensor([sorted(vocab).index(c) for c in text]),
        ),
        Mistake(
            "The type is too small: `uint8` ends at 255, and a text may have more characters. Use "
            "`torch.int64`.",
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
    ),
)
