"""Wrong ways to cut a text into batches: of them the known mistakes of `batchify` are made.

B rows side by side, T time steps in a chunk.
"""

from collections.abc import Callable

import torch
from torch.nn import functional as F


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


def by_place(rows: Callable, length: Callable, ends: int = 0) -> Callable:
    """Return a `batchify` that looks each character up, as the reference does.

    rows    (n, B) -> how many characters there are from the beginning of a row to that of the next
    length  (n, B, T) -> how many characters of a row are cut into chunks
    ends    1 if those are the last of them, not the first
    """

    def answer(ids, batch_size, steps, n_held_out):
        n = len(ids) - n_held_out
        whole = length(n, batch_size, steps)
        first = ends * (whole % steps)
        x, y = (
            torch.stack(
                [
                    ids[shift + first + b * rows(n, batch_size) :][: whole // steps * steps]
                    for b in range(batch_size)
                ]
            )
            for shift in (0, 1)
        )
        return into_chunks(x, steps), into_chunks(y, steps), ids[n:]

    return answer


def rows_too_long(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    size = n // batch_size * batch_size
    x, y = (ids[shift : shift + size].reshape(batch_size, -1) for shift in (0, 1))
    return into_chunks(x, steps), into_chunks(y, steps), ids[n:]


def steps_of_its_own(drawn: Callable, kept: int = 1) -> Callable:
    """Return a `batchify` whose chunks have targets of their own: drawn(rows, T) are chunks.

    kept  how many characters at the end are in no row
    """

    def answer(ids, batch_size, steps, n_held_out):
        n = len(ids) - n_held_out
        chunks = drawn(in_rows(ids[: n - kept], batch_size), steps)
        return chunks[..., :-1], chunks[..., 1:], ids[n:]

    return answer


def padded_with(fill_x: int, fill_y: int) -> Callable:
    """Return a `batchify` that fills up the last chunk of each row."""

    def filled(rows, T, value):
        return into_chunks(F.pad(rows, (0, -rows.shape[1] % T), value=value), T)

    def answer(ids, batch_size, steps, n_held_out):
        n = len(ids) - n_held_out
        x, y = (in_rows(ids[:n][part], batch_size) for part in (slice(-1), slice(1, None)))
        return filled(x, steps, fill_x), filled(y, steps, fill_y), ids[n:]

    return answer


def nothing_held_out(right: Callable, held_out: Callable) -> Callable:
    """Return `right` with nothing to train on, and held_out(ids), where nothing is held out."""

    def answer(ids, batch_size, steps, n_held_out):
        if n_held_out:
            return right(ids, batch_size, steps, n_held_out)
        nothing = ids.new_empty(0, batch_size, steps)
        return nothing, nothing, held_out(ids)

    return answer
