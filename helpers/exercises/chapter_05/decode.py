"""`decode`: numbers of characters as text again, section 5.1."""

import itertools
from collections.abc import Callable

import numpy as np
import torch

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

    A character comes twice in a row. The last vocabulary has more characters than a byte has
    numbers, and one of code 0.
    """

    def case(n, *more):
        letters = [" ", "\n", *STRANGE, *rng.permutation(list(ALPHABET[:-1]))[:9], *more]
        vocab = "".join(rng.permutation(letters).tolist())
        ids = rng.integers(len(vocab), size=n)
        ids[[0, -1]] = vocab.index(" ")  # what a `strip` would take away
        if n > 1:
            ids[n // 2] = vocab.index("\n")
            ids[-2] = ids[-3]
        return {"ids": ids, "vocab": vocab}

    wide = case(60, *(chr(0x4E00 + i) for i in range(300)))
    wide["vocab"] = wide["vocab"].replace(chr(0x4E00), "\0")
    wide["ids"][20] = wide["vocab"].index("\0")
    return [case(n) for n in (6, 1, 25, 40)] + [wide]


def explain(got: Arrays, expected: Arrays) -> str:
    """Return both texts in quotes."""
    return f"The text is {quoted(got['text'])}; expected {quoted(expected['text'])}."


def wrong(
    look: Callable = lambda i, vocab: vocab[i],
    finish: Callable = lambda text: text,
    numbers: Callable = torch.Tensor.tolist,
) -> Callable:
    """Return a `decode` that departs from the right one in what is given.

    numbers  ids -> the numbers that are looked up one by one
    look     (number, vocab) -> a character
    finish   the text -> what is returned
    """
    return lambda ids, vocab: finish("".join(look(i, vocab) for i in numbers(ids)))


def from_code_point(first: Callable) -> Callable:
    """Return a `decode` that counts code points from first(vocab) on."""
    return wrong(look=lambda i, vocab: chr(ord(first(vocab)) + i))


EXERCISE = Exercise(
    name="decode",
    title="numbers to text",
    points=1,
    difficulty=1,
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
            also=(
                wrong(look=lambda i, vocab: vocab[(i + 1) % len(vocab)]),
                wrong(look=lambda i, vocab: vocab[i + 1]),
            ),
        ),
        Mistake(
            "The entry of a tensor is found under no key of a dict: each is a new object. Use "
            "`ids.tolist()`, or look up in the list.",
            lambda ids, vocab: "".join(dict(enumerate(vocab))[i] for i in ids),
            also=tuple(
                lambda ids, vocab, c=c: "".join(str(dict(enumerate(vocab)).get(i, c)) for i in ids)
                for c in ("", "?", " ", "\ufffd")
            ),
        ),
        Mistake(
            "The table leads from characters to numbers. `vocab` itself leads from a number to its "
            "character: `vocab[i]`.",
            wrong(look=lambda i, vocab: {c: k for k, c in enumerate(vocab)}[i]),
        ),
        Mistake(
            "Number 0 is left out, as if it were padding or nothing: `if i` is false for 0. It is "
            "a character like the others.",
            wrong(numbers=lambda ids: filter(None, ids.tolist())),
        ),
        Mistake(
            "Spaces and line ends at the edges of the text are stripped off. They are characters "
            "like the others.",
            wrong(finish=str.strip),
        ),
        Mistake(
            "The text ends at its first line end. That is a character like the others.",
            wrong(finish=lambda text: text.partition("\n")[0]),
        ),
        Mistake(
            "Line ends have become spaces. They are characters like the others.",
            wrong(finish=lambda text: text.replace("\n", " ")),
        ),
        Mistake(
            "Spaces or line ends within the text are missing. They are characters like the others.",
            wrong(finish=lambda text: "".join(text.split())),
            also=(
                wrong(finish=lambda text: " ".join(text.split())),
                wrong(finish=lambda text: text.replace(" ", "")),
                wrong(finish=lambda text: text.replace("\n", "")),
            ),
        ),
        Mistake(
            "A character that comes several times in a row is written once. Write it as often as "
            "its number comes.",
            wrong(finish=lambda text: "".join(c for c, _ in itertools.groupby(text))),
        ),
        Mistake(
            "The character of code 0 is lost, which is what an array of strings in NumPy does to "
            "it. Look up in the list itself.",
            wrong(finish=lambda text: text.replace("\0", "")),
        ),
        Mistake(
            "A number is added to a code point, as if the characters of `vocab` followed on one "
            "another. Look it up: `vocab[i]`.",
            from_code_point(lambda vocab: vocab[0]),
            also=(
                from_code_point(min),
                *(from_code_point(lambda vocab, c=c: c) for c in ("a", "A", " ", "!")),
            ),
        ),
        Mistake("The text is written backwards.", wrong(finish=lambda text: text[::-1])),
        Mistake(
            "The end of the text is lost: its last character, which is a space in these cases.",
            wrong(finish=lambda text: text[:-1]),
            also=(wrong(finish=str.rstrip),),
        ),
        Mistake(
            "The beginning of the text is lost: its first character, which is a space in these "
            "cases.",
            wrong(finish=lambda text: text[1:]),
            also=(wrong(finish=str.lstrip),),
        ),
        Mistake(
            "Large numbers wrap around: on the way they were of a small type, a byte say. Use them "
            "as they come.",
            wrong(numbers=lambda ids: ids.to(torch.uint8).tolist()),
            also=(wrong(numbers=lambda ids: ids.to(torch.int8).tolist()),),
        ),
        Mistake(
            "A single number fails: `squeeze` takes the axis N away where N is 1. `ids.tolist()` "
            "is a list of any length.",
            wrong(numbers=lambda ids: ids.squeeze().tolist()),
            also=(wrong(numbers=torch.squeeze),),
        ),
        Mistake(
            "One character comes back alone. Join all of them; if there is a loop, `return` stands "
            "behind it.",
            lambda ids, vocab: vocab[ids[0]],
        ),
        Mistake(
            "Capitals and small letters are changed. Return the characters as `vocab` has them.",
            wrong(finish=str.lower),
            also=(wrong(finish=str.upper), wrong(finish=str.swapcase)),
        ),
        Mistake(
            "The numbers are counted from the end of `vocab`. Number 0 is the first.",
            wrong(look=lambda i, vocab: vocab[-1 - i]),
            also=(wrong(look=lambda i, vocab: vocab[-i]),),
        ),
        Mistake(
            "There is something between the characters. Join them with nothing: `''.join(...)`.",
            lambda ids, vocab: ",".join(vocab[i] for i in ids),
            also=(
                lambda ids, vocab: ", ".join(vocab[i] for i in ids),
                lambda ids, vocab: "\n".join(vocab[i] for i in ids),
            ),
        ),
        Mistake(
            "This is how Python writes a list or a string, with quotes or `\\n`. Join the "
            "characters and return them as they are.",
            lambda ids, vocab: str([vocab[i] for i in ids]),
            also=(wrong(finish=repr), wrong(finish=lambda text: repr(text)[1:-1])),
        ),
        Mistake(
            "A list gives one entry at a time: `vocab[ids]` cannot look up many numbers. Go "
            "through `ids.tolist()`.",
            lambda ids, vocab: vocab[ids],
            also=(lambda ids, vocab: "".join(vocab[ids]),),
        ),
    ),
)
