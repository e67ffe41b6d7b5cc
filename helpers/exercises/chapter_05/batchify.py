"""`batchify`: a text in batches that let the state flow from chunk to chunk, section 5.2.

N characters to train on, B rows side by side, T time steps in a chunk.
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_05 import call_batchify
from helpers.exercises.contract import Exercise, Mistake


def batchify(ids, batch_size, steps, n_held_out):
    """Return x and y, both (chunks, B, T), and the last `n_held_out` of `ids`; all are int64.

    The place of every character is worked out from its chunk, row and step.
    """
    train = ids[: len(ids) - n_held_out]
    length = (len(train) - 1) // batch_size
    chunk = torch.arange(length // steps)[:, None, None]
    row = torch.arange(batch_size)[:, None]
    place = row * length + chunk * steps + torch.arange(steps)  # (chunks, B, T)
    return train[place], train[place + 1], ids[len(ids) - n_held_out :]


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw ids that are all different. In the first case the chunks fill the rows exactly.

    In the last one nothing is held out.
    """
    sizes = [(3, 4, 5), (2, 5, 1), (1, 3, 4), (4, 2, 9), (5, 3, 7), (3, 6, 0)]  # B, T, held out
    drawn = []
    for i, (B, T, n_held_out) in enumerate(sizes):
        chunks = int(rng.integers(2, 5))
        length = chunks * T + (int(rng.integers(T)) if i else 0)
        n = B * length + 1 + (int(rng.integers(B)) if i else B - 1) + n_held_out
        ids = rng.permutation(500)[:n]
        drawn.append({"ids": ids, "batch_size": B, "steps": T, "n_held_out": n_held_out})
    return drawn


def trimmed(text: torch.Tensor, size: int) -> torch.Tensor:
    """Return a text (N,) without what is left over when it is cut into parts of `size`."""
    return text[: len(text) // size * size]


def in_rows(text: torch.Tensor, B: int) -> torch.Tensor:
    """Return a text (N,) as B long rows (B, N // B)."""
    return trimmed(text, B).reshape(B, -1)


def in_columns(text: torch.Tensor, B: int) -> torch.Tensor:
    """Return what `in_rows` should, filled along the wrong axis."""
    return trimmed(text, B).reshape(-1, B).T


def into_chunks(rows: torch.Tensor, T: int) -> torch.Tensor:
    """Return rows (B, N // B) as chunks (chunks, B, T)."""
    return rows.unfold(1, T, T).transpose(0, 1)


def wrong(
    parts=lambda ids, n: (ids[: len(ids) - n], ids[len(ids) - n :]),
    inputs=lambda train, B: in_rows(train[:-1], B),
    targets=lambda train, B: in_rows(train[1:], B),
    chunks=into_chunks,
    finish=lambda x, y: (x, y),
) -> Callable:
    """Return a `batchify` that departs from the right one in what is given."""

    def answer(ids, batch_size, steps, n_held_out):
        train, held_out = parts(ids, n_held_out)
        x = chunks(inputs(train, batch_size), steps)
        y = chunks(targets(train, batch_size), steps)
        return *finish(x, y), held_out

    return answer


def wrong_order(arrange: Callable) -> Callable:
    """Return a `batchify` that keeps whole chunks of text, and then arranges what it has kept."""

    def answer(ids, batch_size, steps, n_held_out):
        n = len(ids) - n_held_out
        train, held_out = ids[:n], ids[n:]
        kept = (trimmed(text, batch_size * steps) for text in (train[:-1], train[1:]))
        x, y = (arrange(text, batch_size, steps) for text in kept)
        return x, y, held_out

    return answer


EXERCISE = Exercise(
    name="batchify",
    title="batches that let the state flow",
    points=3,
    outputs={"x": "chunks B T", "y": "chunks B T", "held_out": "i"},
    cases=cases,
    drive=call_batchify,
    reference=batchify,
    against="each character looked up by its chunk, row and step",
    tolerance=0.0,
    mistakes=(
        Mistake(
            "The rows do not continue: row b goes on in row b + 1 of the same chunk, so the state "
            "handed on belongs to another place. Cut the text into B long rows first, then the "
            "rows into chunks.",
            wrong_order(lambda text, B, T: text.reshape(-1, B, T)),
        ),
        Mistake(
            "The target is the input itself, not shifted: the network would learn to copy. y is "
            "one character further.",
            wrong(targets=lambda train, B: in_rows(train[:-1], B)),
        ),
        Mistake(
            "The target is shifted the wrong way: it is the character before. y is one character "
            "further.",
            wrong(targets=lambda train, B: in_rows(train.roll(1)[:-1], B)),
        ),
        Mistake(
            "Within each chunk the last target is the chunk's own first character: `roll` goes "
            "round. Shift the text before you cut it.",
            wrong(finish=lambda x, y: (x, x.roll(-1, dims=2))),
        ),
        Mistake(
            "In each row the last target is the row's own first character: `roll` goes round. "
            "Shift the text before you cut it.",
            wrong(targets=lambda train, B: in_rows(train[:-1], B).roll(-1, dims=1)),
        ),
        Mistake(
            "Training and held-out text overlap: the batches are cut from all of `ids`, and the "
            "score would be that of a text it has seen.",
            wrong(parts=lambda ids, n: (ids, ids[len(ids) - n :])),
        ),
        Mistake(
            "Where nothing is held out, `ids[-0:]` is everything and `ids[:-0]` nothing: -0 is 0. "
            "Count from the front, `len(ids) - n_held_out`.",
            wrong(parts=lambda ids, n: (ids[:-n], ids[-n:])),
            also=(
                wrong(parts=lambda ids, n: (ids[: len(ids) - n], ids[-n:])),
                wrong(parts=lambda ids, n: (ids[:-n], ids[len(ids) - n :])),
            ),
        ),
        Mistake(
            "The beginning is held out. Hold out the end, the last `n_held_out`.",
            wrong(parts=lambda ids, n: (ids[n:], ids[:n])),
        ),
        Mistake(
            "Chunks overlap: each begins one step after the one before. With the state handed on, "
            "each begins where the one before ended.",
            wrong(chunks=lambda rows, T: rows.unfold(1, T, 1).transpose(0, 1)),
        ),
        Mistake(
            "Time and batch are swapped. The shape is (chunks, B, T).",
            wrong(finish=lambda x, y: (x.transpose(1, 2), y.transpose(1, 2))),
        ),
        Mistake(
            "Rows and chunks are swapped: axis 0 counts the chunks, axis 1 the rows.",
            wrong(finish=lambda x, y: (x.transpose(0, 1), y.transpose(0, 1))),
        ),
        Mistake(
            "The last chunk is lost.",
            wrong(chunks=lambda rows, T: into_chunks(rows, T)[:-1]),
        ),
        Mistake(
            "Rows are shorter than they could be: cut the text into B rows of (n - 1) // B "
            "characters first, and let each row drop what fills no chunk.",
            wrong_order(lambda text, B, T: text.reshape(B, -1, T).transpose(0, 1)),
        ),
        Mistake(
            "The target is only the character behind each chunk. Every step has one: y has the "
            "shape of x.",
            wrong(finish=lambda x, y: (x, y[:, :, -1])),
        ),
        Mistake(
            "The columns of the matrix are read as rows: consecutive characters must stand in one "
            "row. `reshape(batch_size, -1)`, not `reshape(-1, batch_size).T`.",
            wrong(
                inputs=lambda train, B: in_columns(train[:-1], B),
                targets=lambda train, B: in_columns(train[1:], B),
            ),
        ),
        Mistake(
            "The text does not divide by the batch size: drop what is left over, and keep one "
            "character for the last target.",
            wrong(
                inputs=lambda train, B: train[:-1].reshape(B, -1),
                targets=lambda train, B: train[1:].reshape(B, -1),
            ),
            also=(
                wrong(inputs=lambda train, B: train.reshape(B, -1)),
                wrong(
                    inputs=in_rows,
                    targets=lambda train, B: train[1 : len(train) // B * B + 1].reshape(B, -1),
                ),
            ),
        ),
        Mistake(
            "The numbers are floating-point. They stay whole, as they came.",
            wrong(finish=lambda x, y: (x.float(), y.float())),
        ),
        Mistake(
            "The text is cut into B long rows, and then `reshape` mixes them: (B, n, T) becomes "
            "(n, B, T) by a transposition, `reshape(B, n, T).transpose(0, 1)`.",
            wrong(
                chunks=lambda rows, T: trimmed(rows.T, T).T.reshape(-1, len(rows), T),
            ),
        ),
        Mistake(
            "The rows are n // B characters long, so the last one has no target for its last step. "
            "They have (n - 1) // B.",
            wrong(
                inputs=in_rows,
                targets=lambda train, B: in_rows(train, B).roll(-1, dims=1),
            ),
        ),
        Mistake(
            "x and y are exchanged: the target is the character before. y is one character further "
            "than x.",
            lambda *given: (*batchify(*given)[1::-1], batchify(*given)[2]),
        ),
    ),
)
