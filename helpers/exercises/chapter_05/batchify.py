"""`batchify`: a text in batches that let the state flow from chunk to chunk, section 5.2.

N characters to train on, B rows side by side, T time steps in a chunk.
"""

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_05 import call_batchify
from helpers.exercises.chapter_05.parts.batches import (
    by_place,
    in_columns,
    in_rows,
    into_chunks,
    nothing_held_out,
    padded_with,
    rows_too_long,
    steps_of_its_own,
    trimmed,
    wrong,
    wrong_order,
)
from helpers.exercises.contract import Arrays, Exercise, Mistake


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


def explain(got: Arrays, expected: Arrays) -> str:
    """Return a sentence if all chunks are there, in another order."""
    places = {chunk.tobytes(): k for k, chunk in enumerate(expected["x"])}
    order = [places.get(chunk.tobytes(), -1) for chunk in got["x"]]
    if sorted(order) != list(range(len(places))) or sorted(order) == order:
        return ""
    shown = ", ".join(map(str, order))
    return (
        f"The chunks of `x` are those expected, in another order: {shown}. The state of each is "
        "handed to the next, so they must stay as the text has them: no shuffling."
    )


EXERCISE = Exercise(
    name="batchify",
    title="batches that let the state flow",
    points=3,
    difficulty=2,
    outputs={"x": "chunks B T", "y": "chunks B T", "held_out": "i"},
    cases=cases,
    drive=call_batchify,
    reference=batchify,
    against="each character looked up by its chunk, row and step",
    tolerance=0.0,
    explain=explain,
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
            "Within each chunk the last target is the chunk's own first character: the end "
            "goes round to the beginning. Shift the text before you cut it.",
            wrong(finish=lambda x, y: (x, x.roll(-1, dims=2))),
        ),
        Mistake(
            "In each row the last target is the row's own first character: the end goes round "
            "to the beginning. Shift the text before you cut it.",
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
                nothing_held_out(batchify, lambda ids: ids[:0]),
                nothing_held_out(batchify, lambda ids: ids),
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
            "What fills no chunk is dropped from the end of the text: cut the text into B rows of "
            "(n - 1) // B characters first, and let each row drop it at its own end.",
            wrong_order(lambda text, B, T: text.reshape(B, -1, T).transpose(0, 1)),
        ),
        Mistake(
            "The target is only the character behind each chunk. Every step has one: y has the "
            "shape of x.",
            wrong(finish=lambda x, y: (x, y[:, :, -1])),
        ),
        Mistake(
            "Consecutive characters stand below one another. They must stand in one row: "
            "`reshape(batch_size, -1)`, not `reshape(-1, batch_size).T`.",
            wrong(
                inputs=lambda train, B: in_columns(train[:-1], B),
                targets=lambda train, B: in_columns(train[1:], B),
            ),
        ),
        Mistake(
            "The rows do not come out alike: drop what the batch size leaves over, and keep one "
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
            "The text is cut into B long rows, and then `reshape` mixes them: take "
            "(B, chunks, T), and exchange the first two axes by `transpose(0, 1)`.",
            wrong(
                chunks=lambda rows, T: trimmed(rows.T, T).T.reshape(-1, len(rows), T),
            ),
        ),
        Mistake(
            "Row b begins at b (n // B), for the rows are cut before a character is kept for the "
            "last target. It begins at b L, with L = (n - 1) // B.",
            wrong(
                inputs=in_rows,
                targets=lambda train, B: in_rows(train, B).roll(-1, dims=1),
            ),
            also=(
                rows_too_long,
                by_place(lambda n, B: n // B, lambda n, B, T: n // B),
                by_place(lambda n, B: n // B, lambda n, B, T: n // B - 1),
                by_place(lambda n, B: n // B, lambda n, B, T: (n - 1) // B),
                wrong(
                    inputs=in_rows,
                    targets=lambda train, B: in_rows(train.roll(-1), B),
                ),
            ),
        ),
        Mistake(
            "x and y are exchanged: the target is the character before. y is one character further "
            "than x.",
            lambda *given: (*batchify(*given)[1::-1], batchify(*given)[2]),
        ),
        Mistake(
            "Where T divides L, the last chunk is missing: there are L // T of them, and the last "
            "begins at L - T, so that a `range` of beginnings stops at L - T + 1.",
            by_place(lambda n, B: (n - 1) // B, lambda n, B, T: (n - 1) // B - 1),
        ),
        Mistake(
            "What is left over is dropped at the beginning of each row. Drop it at the end.",
            by_place(lambda n, B: (n - 1) // B, lambda n, B, T: (n - 1) // B, ends=1),
        ),
        Mistake(
            "A last chunk that is not full is filled up. Drop what is left over.",
            padded_with(0, 0),
            also=(padded_with(0, -100), padded_with(-1, -1), padded_with(0, -1)),
        ),
        Mistake(
            "Each chunk gives T - 1 steps, for its last character is nothing but a target. Take "
            "the targets from the whole text, one character on: T steps in x, T in y.",
            steps_of_its_own(into_chunks),
            also=(steps_of_its_own(into_chunks, kept=0),),
        ),
        Mistake(
            "Each chunk begins T + 1 characters after the one before, so one between them is never "
            "read. Chunks follow one another without a gap: T apart.",
            steps_of_its_own(lambda rows, T: into_chunks(rows, T + 1)),
            also=(steps_of_its_own(lambda rows, T: into_chunks(rows, T + 1), kept=0),),
        ),
        Mistake(
            "The target is the number of the character, plus 1. It is the number of the next "
            "character in the text.",
            wrong(targets=lambda train, B: in_rows(train[:-1] + 1, B)),
        ),
        Mistake(
            "Each row is cut into T parts, in place of chunks of T steps: take "
            "`reshape(B, chunks, T)`, the steps last, and then `transpose(0, 1)`.",
            wrong(
                chunks=lambda rows, T: trimmed(rows.T, T).T.reshape(len(rows), T, -1).movedim(2, 0)
            ),
        ),
        Mistake(
            "`batch_size` and `steps` are exchanged: these are chunks of `batch_size` steps of "
            "`steps` rows.",
            lambda ids, batch_size, steps, n_held_out: batchify(ids, steps, batch_size, n_held_out),
        ),
        Mistake(
            "The target is the character at the same step of the next row: y is x shifted along "
            "the batch. Shift along the text.",
            wrong(finish=lambda x, y: (x, x.roll(-1, dims=1))),
        ),
        Mistake(
            "The target is two characters further. y is one character further than x.",
            wrong(targets=lambda train, B: in_rows(train.roll(-2)[:-1], B)),
        ),
    ),
)
