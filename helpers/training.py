"""Training with something to look at: loops to use once you have written them by hand, progress,
and checkpoints.

Progress is one line (or picture) that is updated in place and ends as an ordinary output, so that a
saved notebook still shows it.
"""

import os
import pickle
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sized
from pathlib import Path

import torch
from torch import nn

SECONDS_BETWEEN_UPDATES = 0.25


class Line:
    """A line of text in the output of a cell, to be replaced in place."""

    def __init__(self):
        self.handle = None

    def write(self, text: str) -> None:
        """Put `text` where the line was, or below if there is none yet."""
        from IPython.display import Pretty, display

        if self.handle is None:
            self.handle = display(Pretty(text), display_id=True)
        else:
            self.handle.update(Pretty(text))


def progress(items: Iterable, label: str, total: int | None = None) -> Iterator:
    """Yield from `items` under a live line "label: 120 of 400, 1.2 s".

    total: how many there are, where `len(items)` cannot say.
    """
    total = len(items) if total is None and isinstance(items, Sized) else total
    line, started, shown, n = Line(), time.perf_counter(), 0.0, 0

    def text():
        return f"{label}: {n} of {total or 'unknown'}, {time.perf_counter() - started:.1f} s"

    try:
        for item in items:
            yield item
            n += 1
            if time.perf_counter() - shown > SECONDS_BETWEEN_UPDATES:
                shown = time.perf_counter()
                line.write(text())
    finally:
        line.write(text())


def watch(items: Iterable, draw: Callable, *, every: int) -> Iterator:
    """Yield from `items`, showing `draw(n)` after every `every` of them, in place.

    draw: takes the number of items so far and returns a figure and its caption, as for
    `helpers.plotting.show`. The last picture stays.
    """
    from helpers.plotting import Picture

    picture, n = Picture(), 0
    for item in items:
        yield item
        n += 1
        if n % every == 0:
            picture.show(*draw(n))
    if n % every:
        picture.show(*draw(n))


def fit(
    model: nn.Module,
    batches: Iterable,
    loss_fn: Callable,
    *,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler | None = None,
    max_norm: float | None = None,
    label: str | None = "training",
) -> list[float]:
    """Train `model` on batches (x, y), one step each, and return the loss before each step.

    schedule  of the learning rate, moved on after each step, if given
    max_norm  clip the gradient's global norm to this, if given
    label     of the live line; None for no line

    Raises FloatingPointError at the first loss that is not finite.
    """
    losses = []
    model.train()
    for x, y in batches if label is None else progress(batches, label):
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        if max_norm is not None:
            nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        optimizer.step()
        if schedule is not None:
            schedule.step()
        losses.append(loss.item())
        if not torch.isfinite(loss):
            raise FloatingPointError(
                f"The loss is {losses[-1]} at step {len(losses)}. Lower the learning rate, clip "
                "the gradient (max_norm=1.0), or look for a division by zero or NaN in the data."
            )
    return losses


def save_checkpoint(path: str | Path, **parts) -> None:
    """Write `parts`, tensors and state dicts by name, to one file that `load_checkpoint` reads.

    The file is written beside its place and then moved there, so that an interrupted run
    leaves either the old checkpoint or the new one.

    Raises FileNotFoundError if the folder is missing.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {path.parent}: create it first.")
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        torch.save(parts, unfinished)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def load_checkpoint(path: str | Path) -> dict:
    """Return the parts that `save_checkpoint` wrote, on the processor, wherever they were before.

    Only tensors, numbers, text and collections of them are read, so that a file from a stranger
    cannot run code here (`weights_only`).

    Raises FileNotFoundError for a missing file, ValueError for one that is damaged or that holds
    anything else.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no checkpoint {path} (looked from {Path.cwd()}).")
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()  # `torch.load` does not compare the checksums
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        damaged = str(error)
    if damaged:
        raise ValueError(
            f"{path} is damaged or no checkpoint ({damaged}). Take an earlier one, or train again."
        )
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise ValueError(
            f"{path} holds more than tensors, numbers and text. Save `model.state_dict()`, not the "
            "model."
        ) from None
    except (RuntimeError, EOFError, KeyError) as error:
        raise ValueError(
            f"{path} is no checkpoint of PyTorch ({type(error).__name__}). Take the file that "
            "`save_checkpoint` wrote."
        ) from None
