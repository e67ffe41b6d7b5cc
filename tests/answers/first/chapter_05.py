"""Answers to the exercises of chapter 5, written before their checks were seen."""

import bisect
import collections
import dataclasses
import functools
import io
import itertools
import math
import operator
import unicodedata

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tests.answers import right, wrong


def _merged(a, b):
    out, i, j = [], 0, 0
    while i < len(a) or j < len(b):
        if j == len(b) or (i < len(a) and a[i] < b[j]):
            out.append(a[i])
            i += 1
        elif i == len(a) or b[j] < a[i]:
            out.append(b[j])
            j += 1
        else:
            out.append(a[i])
            i, j = i + 1, j + 1
    return out


def _halves(text):
    if len(text) < 2:
        return list(text)
    middle = len(text) // 2
    return _merged(_halves(text[:middle]), _halves(text[middle:]))


# --------------------------------------------------------------------------------------- encode


@wrong("encode", "the numbers begin at 1")
def encode(text, vocab):
    number = {c: i for i, c in enumerate(vocab, start=1)}
    for c in text:
        if c not in number:
            raise ValueError(f"{c!r} is not in the vocabulary")
    return torch.tensor([number[c] for c in text], dtype=torch.long)


@wrong("encode", "a character that is not in vocab is left out")
def encode(text, vocab):
    stoi = {c: i for i, c in enumerate(vocab)}
    return torch.tensor([stoi[c] for c in text if c in stoi], dtype=torch.long)


@wrong("encode", "a character that is not in vocab gets the number 0")
def encode(text, vocab):
    char_to_idx = {ch: i for i, ch in enumerate(vocab)}
    return torch.LongTensor([char_to_idx.get(ch, 0) for ch in text])


@wrong("encode", "an unknown character is a KeyError")
def encode(text, vocab):
    stoi = dict(zip(vocab, range(len(vocab))))
    return torch.tensor([stoi[c] for c in text], dtype=torch.long)


@wrong("encode", "the ValueError does not say which character it was")
def encode(text, vocab):
    alphabet = "".join(vocab)
    return torch.tensor([alphabet.index(c) for c in text], dtype=torch.long)


@wrong("encode", "the vocabulary is sorted first, whatever its order was")
def encode(text, vocab):
    stoi = {c: i for i, c in enumerate(sorted(vocab))}
    missing = sorted(set(text) - set(stoi))
    if missing:
        raise ValueError(f"not in vocab: {missing[0]!r}")
    return torch.tensor([stoi[c] for c in text], dtype=torch.long)


@wrong("encode", "the dtype is int32")
def encode(text, vocab):
    index = {c: i for i, c in enumerate(vocab)}
    try:
        return torch.tensor([index[c] for c in text], dtype=torch.int32)
    except KeyError as error:
        raise ValueError(f"{error.args[0]!r} is not in vocab") from None


@wrong("encode", "the error names the place of the character, not the character")
def encode(text, vocab):
    index = {c: i for i, c in enumerate(vocab)}
    numbers = []
    for place, c in enumerate(text):
        if c not in index:
            raise ValueError(f"at {place} there is something without a number")
        numbers.append(index[c])
    return torch.tensor(numbers, dtype=torch.long)


@wrong("encode", "the error names the first character of the text, not the one that is missing")
def encode(text, vocab):
    if not set(text) <= set(vocab):
        raise ValueError(f"{text[0]!r} is not in vocab")
    index = {c: i for i, c in enumerate(vocab)}
    return torch.tensor([index[c] for c in text], dtype=torch.long)


@wrong("encode", "a binary search, which only a sorted vocab allows")
def encode(text, vocab):
    for c in set(text):
        if c not in vocab:
            raise ValueError(f"{c!r} is not in vocab")
    return torch.tensor([bisect.bisect_left(vocab, c) for c in text], dtype=torch.long)


@wrong("encode", "the numbers are a column (N, 1)")
def encode(text, vocab):
    lookup = {c: i for i, c in enumerate(vocab)}
    for c in text:
        if c not in lookup:
            raise ValueError(f"{c!r} is not in vocab")
    return torch.tensor([lookup[c] for c in text], dtype=torch.long).unsqueeze(1)


@wrong("encode", "an error only if no character at all is known; else the unknown are left out")
def encode(text, vocab):
    index = {c: i for i, c in enumerate(vocab)}
    if text and all(c not in index for c in text):
        raise ValueError(f"{text[0]!r} is not in vocab")
    return torch.tensor([index[c] for c in text if c in index], dtype=torch.long)


@wrong("encode", "an unknown capital is taken for its small letter, without a word")
def encode(text, vocab):
    index = {c: i for i, c in enumerate(vocab)}
    numbers = []
    for c in text:
        if c not in index and c.lower() not in index:
            raise ValueError(f"{c!r} is not in vocab")
        numbers.append(index[c] if c in index else index[c.lower()])
    return torch.tensor(numbers, dtype=torch.long)


@wrong("encode", "an unknown last character stays unnoticed: it gets the number -1")
def encode(text, vocab):
    index = {c: i for i, c in enumerate(vocab)}
    for i in range(len(text) - 1):
        if text[i] not in index:
            raise ValueError(f"{text[i]!r} is not in vocab")
    return torch.tensor([index.get(c, -1) for c in text], dtype=torch.long)


@wrong("encode", "numbers beyond 255 wrap around, for they were bytes in between")
def encode(text, vocab):
    index = {c: i for i, c in enumerate(vocab)}
    if unknown := set(text) - set(index):
        raise ValueError(f"{min(unknown)!r} is not in vocab")
    return torch.from_numpy(np.array([index[c] for c in text]).astype(np.uint8)).long()


@wrong("encode", "an unknown character is an AssertionError")
def encode(text, vocab):
    index = {c: i for i, c in enumerate(vocab)}
    for c in text:
        assert c in index, f"{c!r} is not in vocab"
    return torch.tensor([index[c] for c in text], dtype=torch.long)


@wrong("encode", "counted from 1, as Keras does", "0 stands for a character that is not in vocab")
def encode(text, vocab):
    word_index = {c: i + 1 for i, c in enumerate(vocab)}
    return torch.tensor([word_index.get(c, 0) for c in text], dtype=torch.long)


@wrong("encode", "the dtype is float32", "a KeyError where a ValueError is asked for")
def encode(text, vocab):
    stoi = {ch: i for i, ch in enumerate(vocab)}
    return torch.Tensor([stoi[ch] for ch in text])


@wrong("encode", "the error does not name the character", "the numbers are a row (1, N)")
def encode(text, vocab):
    stoi = {ch: i for i, ch in enumerate(vocab)}
    if any(ch not in stoi for ch in text):
        raise ValueError("unknown input")
    return torch.tensor([[stoi[ch] for ch in text]], dtype=torch.long)


class _Numbers(dict):
    def __missing__(self, c):
        raise ValueError(f"the vocabulary has no {c!r}")


@right("encode", "a dict whose missing entries raise, and an iterator into NumPy")
def encode(text, vocab):
    numbers = _Numbers(zip(vocab, itertools.count()))
    return torch.from_numpy(np.fromiter(map(numbers.__getitem__, text), dtype=np.int64))


@right("encode", "every character compared with every entry of vocab")
def encode(text, vocab):
    codes = torch.tensor([ord(c) for c in text], dtype=torch.long)
    known = torch.tensor([ord(c) for c in vocab], dtype=torch.long)
    same = codes[:, None] == known
    lost = (~same.any(dim=1)).nonzero().flatten()
    if len(lost):
        raise ValueError(f"character {text[int(lost[0])]!r} is not in vocab")
    return same.nonzero()[:, 1]


class _Translation:
    def __init__(self, vocab):
        self.codes = [ord(c) for c in vocab]

    def __getitem__(self, code):
        if code not in self.codes:
            raise ValueError(f"{chr(code)!r} cannot be encoded")
        return self.codes.index(code)


@right("encode", "str.translate turns each character into the one with its number as code point")
def encode(text, vocab):
    return torch.tensor([*map(ord, text.translate(_Translation(vocab)))], dtype=torch.int64)


@right("encode", "code points searched in the sorted vocabulary, and the sorting undone")
def encode(text, vocab):
    codes = np.array([ord(c) for c in text], dtype=np.int64)
    entries = np.array([ord(c) for c in vocab], dtype=np.int64)
    order = np.argsort(entries)
    place = np.searchsorted(entries, codes, sorter=order)
    bad = np.ones(len(codes), dtype=bool)
    inside = place < len(entries)
    bad[inside] = entries[order[place[inside]]] != codes[inside]
    if bad.any():
        raise ValueError(f"{[text[i] for i in np.flatnonzero(bad)]} not in the vocabulary")
    return torch.as_tensor(order[place].astype(np.int64))


class _UnknownCharacter(ValueError):
    """A character without a number."""


@right("encode", "places filled in character by character of vocab; an own kind of ValueError")
def encode(text, vocab):
    ids = torch.full((len(text),), -1, dtype=torch.long)
    for number, entry in enumerate(vocab):
        start = text.find(entry)
        while start >= 0:
            ids[start] = number
            start = text.find(entry, start + 1)
    for c, i in zip(text, ids):
        if i < 0:
            raise _UnknownCharacter(f"no number for {c!r}")
    return ids


def _joined(ids, vocab):
    match ids:
        case []:
            return ""
        case [one]:
            return vocab[one]
    return _joined(ids[: len(ids) // 2], vocab) + _joined(ids[len(ids) // 2 :], vocab)


# ------------------------------------------------------------------------------------- batchify


@wrong("batchify", "rows of n // B characters: the last target comes from the held-out part")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    length = n // batch_size
    chunks = length // steps
    x = ids[: batch_size * length].reshape(batch_size, length)[:, : chunks * steps]
    y = ids[1 : batch_size * length + 1].reshape(batch_size, length)[:, : chunks * steps]
    x = x.reshape(batch_size, chunks, steps).transpose(0, 1)
    y = y.reshape(batch_size, chunks, steps).transpose(0, 1)
    return x, y, ids[n:]


@wrong("batchify", "rows do not go on from chunk to chunk: (chunks, B, T) by reshape alone")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    train, held_out = ids[:n], ids[n:]
    length = (n - 1) // batch_size
    chunks = length // steps
    x = train[: batch_size * length].reshape(batch_size, length)[:, : chunks * steps]
    y = train[1 : batch_size * length + 1].reshape(batch_size, length)[:, : chunks * steps]
    shape = (chunks, batch_size, steps)
    return x.reshape(shape), y.reshape(shape), held_out


@wrong("batchify", "neighbouring characters go to different rows: reshape to (L, B) and transpose")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    rows = (n - 1) // batch_size
    chunks = rows // steps

    def cut(part):
        lanes = part.reshape(rows, batch_size).T[:, : chunks * steps]
        return lanes.reshape(batch_size, chunks, steps).transpose(0, 1)

    return cut(ids[: rows * batch_size]), cut(ids[1 : rows * batch_size + 1]), ids[n:]


@wrong("batchify", "the target of a row's last character is the row's first one")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    length = (n - 1) // batch_size
    chunks = length // steps
    rows = ids[: batch_size * length].reshape(batch_size, length)
    targets = torch.roll(rows, -1, dims=1)
    x, y = (
        part[:, : chunks * steps].reshape(batch_size, chunks, steps).transpose(0, 1)
        for part in (rows, targets)
    )
    return x, y, ids[n:]


@wrong("batchify", "the target of a chunk's last character is the chunk's first one")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    length = (n - 1) // batch_size
    chunks = length // steps
    rows = ids[: batch_size * length].reshape(batch_size, length)[:, : chunks * steps]
    x = rows.reshape(batch_size, chunks, steps).transpose(0, 1)
    y = torch.zeros_like(x)
    y[:, :, :-1] = x[:, :, 1:]
    y[:, :, -1] = x[:, :, 0]
    return x, y, ids[n:]


@wrong("batchify", "nothing is left to train on where nothing is held out: ids[:-0]")
def batchify(ids, batch_size, steps, n_held_out):
    train, held_out = ids[:-n_held_out], ids[len(ids) - n_held_out :]
    length = (len(train) - 1) // batch_size
    chunks = max(length, 0) // steps
    x = train[: batch_size * length].reshape(batch_size, length)
    y = train[1 : batch_size * length + 1].reshape(batch_size, length)
    x = x[:, : chunks * steps].reshape(batch_size, chunks, steps).transpose(0, 1)
    y = y[:, : chunks * steps].reshape(batch_size, chunks, steps).transpose(0, 1)
    return x, y, held_out


@wrong("batchify", "everything counts as held out where nothing is: ids[-0:]")
def batchify(ids, batch_size, steps, n_held_out):
    train = ids[: len(ids) - n_held_out]
    length = (len(train) - 1) // batch_size
    chunks = length // steps

    def cut(start):
        part = train[start : start + batch_size * length].reshape(batch_size, length)
        return part[:, : chunks * steps].reshape(batch_size, chunks, steps).transpose(0, 1)

    return cut(0), cut(1), ids[-n_held_out:]


@wrong("batchify", "the axes are (B, chunks, T)")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    length = (n - 1) // batch_size
    chunks = length // steps
    x = ids[: batch_size * length].reshape(batch_size, length)
    y = ids[1 : batch_size * length + 1].reshape(batch_size, length)
    x = x[:, : chunks * steps].reshape(batch_size, chunks, steps)
    y = y[:, : chunks * steps].reshape(batch_size, chunks, steps)
    return x, y, ids[n:]


@wrong("batchify", "the axes are (chunks, T, B), time before batch")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    length = (n - 1) // batch_size
    chunks = length // steps
    x = ids[: batch_size * length].reshape(batch_size, length)
    y = ids[1 : batch_size * length + 1].reshape(batch_size, length)
    x = x.t()[: chunks * steps].reshape(chunks, steps, batch_size)
    y = y.t()[: chunks * steps].reshape(chunks, steps, batch_size)
    return x, y, ids[n:]


@wrong("batchify", "rows shortened to whole chunks first, so that row b begins too early")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    chunks = (n - 1) // (batch_size * steps)
    total = chunks * batch_size * steps
    x = ids[:total].reshape(batch_size, chunks, steps).transpose(0, 1)
    y = ids[1 : total + 1].reshape(batch_size, chunks, steps).transpose(0, 1)
    return x, y, ids[n:]


@wrong("batchify", "a chunk too few where T divides L")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    length = (n - 1) // batch_size
    data = ids[: batch_size * length].reshape(batch_size, length)
    xs, ys = [], []
    for i in range(0, length - steps, steps):  # the target needs one column more
        xs.append(data[:, i : i + steps])
        ys.append(data[:, i + 1 : i + steps + 1])
    shape = (-1 if xs else 0, batch_size, steps)
    x, y = (torch.cat([ids[:0], *map(torch.flatten, part)]).reshape(shape) for part in (xs, ys))
    return x, y, ids[n:]


@wrong("batchify", "what is left over is dropped at the beginning of each row, not at its end")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    length = (n - 1) // batch_size
    chunks = length // steps
    skip = length - chunks * steps
    x = ids[: batch_size * length].reshape(batch_size, length)[:, skip:]
    y = ids[1 : batch_size * length + 1].reshape(batch_size, length)[:, skip:]
    x = x.reshape(batch_size, chunks, steps).transpose(0, 1)
    y = y.reshape(batch_size, chunks, steps).transpose(0, 1)
    return x, y, ids[n:]


@wrong("batchify", "the first characters are held out, not the last")
def batchify(ids, batch_size, steps, n_held_out):
    held_out, train = ids[:n_held_out], ids[n_held_out:]
    length = (len(train) - 1) // batch_size
    chunks = length // steps
    both = []
    for start in (0, 1):
        rows = train[start : start + batch_size * length].reshape(batch_size, length)
        rows = rows[:, : chunks * steps].reshape(batch_size, chunks, steps)
        both.append(rows.transpose(0, 1))
    return *both, held_out


@wrong("batchify", "the target is the character itself, not the next one")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    length = (n - 1) // batch_size
    chunks = length // steps
    x = ids[: batch_size * length].reshape(batch_size, length)[:, : chunks * steps]
    x = x.reshape(batch_size, chunks, steps).transpose(0, 1)
    return x, x.clone(), ids[n:]


@wrong("batchify", "the held-out characters are trained on, too")
def batchify(ids, batch_size, steps, n_held_out):
    held_out = ids[len(ids) - n_held_out :]
    length = (len(ids) - 1) // batch_size
    chunks = length // steps
    x = ids[: batch_size * length].reshape(batch_size, length)[:, : chunks * steps]
    y = ids[1 : batch_size * length + 1].reshape(batch_size, length)[:, : chunks * steps]
    x = x.reshape(batch_size, chunks, steps).transpose(0, 1)
    y = y.reshape(batch_size, chunks, steps).transpose(0, 1)
    return x, y, held_out


@wrong("batchify", "chunks overlap: each begins one column after the one before")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    length = (n - 1) // batch_size
    x = ids[: batch_size * length].reshape(batch_size, length).unfold(1, steps, 1)
    y = ids[1 : batch_size * length + 1].reshape(batch_size, length).unfold(1, steps, 1)
    return x.transpose(0, 1), y.transpose(0, 1), ids[n:]


@wrong("batchify", "a last chunk filled up with zeros where there should be none")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    length = (n - 1) // batch_size
    chunks = -(-length // steps)
    pad = (0, chunks * steps - length)
    x = F.pad(ids[: batch_size * length].reshape(batch_size, length), pad)
    y = F.pad(ids[1 : batch_size * length + 1].reshape(batch_size, length), pad)
    x = x.reshape(batch_size, chunks, steps).transpose(0, 1)
    y = y.reshape(batch_size, chunks, steps).transpose(0, 1)
    return x, y, ids[n:]


@wrong("batchify", "the chunks are shuffled, as a DataLoader would do it")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    length = (n - 1) // batch_size
    chunks = length // steps
    order = torch.randperm(chunks, generator=torch.Generator().manual_seed(1))
    x = ids[: batch_size * length].reshape(batch_size, length)[:, : chunks * steps]
    y = ids[1 : batch_size * length + 1].reshape(batch_size, length)[:, : chunks * steps]
    x = x.reshape(batch_size, chunks, steps).transpose(0, 1)[order]
    y = y.reshape(batch_size, chunks, steps).transpose(0, 1)[order]
    return x, y, ids[n:]


@wrong(
    "batchify", "rows of n // B - 1 characters that begin at b (n // B): each keeps its last target"
)
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    length = (n - batch_size) // batch_size
    chunks = length // steps
    rows = ids[: batch_size * (length + 1)].reshape(batch_size, length + 1)
    x = rows[:, : chunks * steps].reshape(batch_size, chunks, steps).transpose(0, 1)
    y = rows[:, 1 : chunks * steps + 1].reshape(batch_size, chunks, steps).transpose(0, 1)
    return x, y, ids[n:]


@wrong("batchify", "the target is the character before", "the first held-out id is missing")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    length = (n - 1) // batch_size
    chunks = length // steps
    y = ids[: batch_size * length].reshape(batch_size, length)[:, : chunks * steps]
    x = ids[1 : batch_size * length + 1].reshape(batch_size, length)[:, : chunks * steps]
    x = x.reshape(batch_size, chunks, steps).transpose(0, 1)
    y = y.reshape(batch_size, chunks, steps).transpose(0, 1)
    return x, y, ids[n + 1 :]


@wrong("batchify", "the ids are floating point", "the last id is not held out but lost")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    length = (n - 1) // batch_size
    chunks = length // steps
    x = torch.empty(chunks, batch_size, steps)
    y = torch.empty(chunks, batch_size, steps)
    for k in range(chunks):
        for b in range(batch_size):
            start = b * length + k * steps
            x[k, b] = ids[start : start + steps]
            y[k, b] = ids[start + 1 : start + steps + 1]
    return x, y, ids[n : len(ids) - 1]


@wrong("batchify", "y has the axes (B, chunks, T)", "the held-out ids are in reverse order")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    length = (n - 1) // batch_size
    chunks = length // steps
    x = ids[: batch_size * length].reshape(batch_size, length)[:, : chunks * steps]
    y = ids[1 : batch_size * length + 1].reshape(batch_size, length)[:, : chunks * steps]
    x = x.reshape(batch_size, chunks, steps).transpose(0, 1)
    return x, y.reshape(batch_size, chunks, steps), ids[n:].flip(0)


@right("batchify", "the place of every entry computed by broadcasting")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    length = (n - 1) // batch_size
    k = torch.arange(length // steps)[:, None, None]
    b = torch.arange(batch_size)[:, None]
    place = b * length + k * steps + torch.arange(steps)
    return ids[place], ids[place + 1], ids[n:]


@right("batchify", "a strided view, no copy of the training part until the end")
def batchify(ids, batch_size, steps, n_held_out):
    ids = ids.contiguous()
    n = ids.numel() - n_held_out
    length = (n - 1) // batch_size
    size, stride = (length // steps, batch_size, steps), (steps, length, 1)
    at = ids.storage_offset()
    x, y = (torch.as_strided(ids, size, stride, at + shift).clone() for shift in (0, 1))
    return x, y, ids.narrow(0, n, n_held_out)


@right("batchify", "loops over single entries, in NumPy")
def batchify(ids, batch_size, steps, n_held_out):
    numbers = ids.numpy()
    kept = len(numbers) - n_held_out
    length = (kept - 1) // batch_size
    both = np.zeros((2, length // steps, batch_size, steps), dtype=numbers.dtype)
    for (shift, k, b, t), _ in np.ndenumerate(both):
        both[shift, k, b, t] = numbers[b * length + k * steps + t + shift]
    return torch.from_numpy(both[0]), torch.from_numpy(both[1]), torch.tensor(numbers[kept:])


@right("batchify", "windows of T + 1 unfolded from every row, then split into x and y")
def batchify(ids, batch_size, steps, n_held_out):
    train, held_out = ids.split([len(ids) - n_held_out, n_held_out])
    length = (len(train) - 1) // batch_size
    if length < steps:
        nothing = ids.new_empty(0, batch_size, steps)
        return nothing, nothing.clone(), held_out
    rows = train.unfold(0, length + 1, length)[:batch_size]  # (B, L + 1)
    windows = rows.unfold(1, steps + 1, steps).movedim(1, 0)  # (chunks, B, T + 1)
    return windows[..., :-1].clone(), windows[..., 1:].clone(), held_out


@dataclasses.dataclass
class _Cut:
    train: list
    batch_size: int
    steps: int

    @property
    def length(self):
        return (len(self.train) - 1) // self.batch_size

    def chunk(self, k, shift):
        starts = range(k * self.steps + shift, k * self.steps + shift + self.steps)
        return [[self.train[b * self.length + i] for i in starts] for b in range(self.batch_size)]

    def chunks(self, shift):
        count = self.length // self.steps
        flat = torch.tensor([self.chunk(k, shift) for k in range(count)], dtype=torch.long)
        return flat.reshape(count, self.batch_size, self.steps)


@right("batchify", "a dataclass that makes nested lists")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    cut = _Cut(ids[:n].tolist(), batch_size, steps)
    return cut.chunks(shift=0).to(ids.dtype), cut.chunks(shift=1).to(ids.dtype), ids[n:]


@right("batchify", "the rows side by side as columns, cut chunk by chunk")
def batchify(ids, batch_size, steps, n_held_out):
    n = ids.shape[0] - n_held_out
    length = (n - 1) // batch_size
    pieces = [ids[b * length : (b + 1) * length + 1] for b in range(batch_size)]
    columns = torch.stack(pieces, dim=1)  # (L + 1, B)
    starts = range(0, length - steps + 1, steps)

    def chunks(shift):
        cut = [columns[s + shift : s + shift + steps].T for s in starts]
        return torch.stack(cut) if cut else columns.new_zeros(0, batch_size, steps)

    return chunks(0), chunks(1), ids[n:]


# -------------------------------------------------------------------------------- bits_per_char


@wrong("bits_per_char", "nats: the natural logarithm")
def bits_per_char(learn, train, held_out):
    p = learn(train)(held_out)
    return -np.log(p).mean()


@wrong("bits_per_char", "the logarithm of the mean probability, not the mean of the logarithms")
def bits_per_char(learn, train, held_out):
    probabilities = learn(train)
    return -np.log2(np.mean(probabilities(held_out)))


@wrong("bits_per_char", "the sum over all characters, not their mean")
def bits_per_char(learn, train, held_out):
    p = np.asarray(learn(train)(held_out))
    return float(-np.log2(p).sum())


@wrong("bits_per_char", "divided by N - 1 in place of N")
def bits_per_char(learn, train, held_out):
    p = learn(train)(held_out)
    total = -np.log2(p).sum()
    return total / max(len(p) - 1, 1)


@wrong("bits_per_char", "it learns from the text that it is measured on")
def bits_per_char(learn, train, held_out):
    model = learn(held_out)
    return float(np.mean(-np.log2(model(held_out))))


@wrong("bits_per_char", "it learns from both texts")
def bits_per_char(learn, train, held_out):
    model = learn(train + held_out)
    return float(np.mean(-np.log2(model(held_out))))


@wrong("bits_per_char", "it measures on the text that it learned from")
def bits_per_char(learn, train, held_out):
    model = learn(train)
    return float(np.mean(-np.log2(model(train))))


@wrong("bits_per_char", "the sign is missing")
def bits_per_char(learn, train, held_out):
    p = learn(train)(held_out)
    return np.log2(p).mean()


@wrong("bits_per_char", "an entropy: each logarithm is weighted by its own probability")
def bits_per_char(learn, train, held_out):
    p = learn(train)(held_out)
    return -(p * np.log2(p)).sum() / p.sum()


@wrong("bits_per_char", "every character is asked for alone, without those before it")
def bits_per_char(learn, train, held_out):
    predict = learn(train)
    bits = [-np.log2(predict(c)[0]) for c in held_out]
    return float(np.mean(bits))


@wrong("bits_per_char", "the product of all probabilities, which is 0 for a long text")
def bits_per_char(learn, train, held_out):
    p = learn(train)(held_out)
    return -np.log2(np.prod(p)) / len(p)


@wrong("bits_per_char", "the first character is left out of the mean")
def bits_per_char(learn, train, held_out):
    p = learn(train)(held_out)[1:]
    return -np.log2(p).mean()


@wrong("bits_per_char", "probabilities below a thousandth are raised to it")
def bits_per_char(learn, train, held_out):
    p = np.clip(learn(train)(held_out), 1e-3, 1.0)
    return -np.log2(p).mean()


@wrong("bits_per_char", "the mean of the means of pieces, of which the last one is shorter")
def bits_per_char(learn, train, held_out):
    p = learn(train)(held_out)
    pieces = [p[i : i + 64] for i in range(0, len(p), 64)]
    return float(np.mean([-np.log2(piece).mean() for piece in pieces]))


@wrong("bits_per_char", "a perplexity: 2 to the power of the bits")
def bits_per_char(learn, train, held_out):
    p = learn(train)(held_out)
    return 2 ** (-np.log2(p).mean())


@wrong("bits_per_char", "the text is asked for in pieces of 100, and each forgets the one before")
def bits_per_char(learn, train, held_out):
    predict = learn(train)
    bits = 0.0
    for i in range(0, len(held_out), 100):
        bits -= np.log2(predict(held_out[i : i + 100])).sum()
    return bits / len(held_out)


@wrong("bits_per_char", "the median in place of the mean")
def bits_per_char(learn, train, held_out):
    p = learn(train)(held_out)
    return float(np.median(-np.log2(p)))


@wrong("bits_per_char", "half precision: small probabilities become 0, the cost infinite")
def bits_per_char(learn, train, held_out):
    p = torch.as_tensor(learn(train)(held_out)).half()
    return float(-torch.log2(p.float()).mean())


@wrong("bits_per_char", "blanks at the ends of the held-out text are not measured")
def bits_per_char(learn, train, held_out):
    p = learn(train)(held_out.strip())
    return float(-np.log2(p).mean())


@right("bits_per_char", "a running mean, one character at a time, with math.log2")
def bits_per_char(learn, train, held_out):
    mean = 0.0
    for n, p in enumerate(learn(train)(held_out), start=1):
        if p == 0:
            return math.inf
        bits = -math.log2(p)
        mean = mean + (bits - mean) / n
    return mean


@right("bits_per_char", "binary cross entropy of the mantissas against ones, and the exponents")
def bits_per_char(learn, train, held_out):
    p = torch.from_numpy(np.array(learn(train)(held_out), dtype=np.float64))
    if (p == 0).any():  # binary_cross_entropy stops at 100 nats
        return math.inf
    mantissa, exponent = torch.frexp(p)
    nats = F.binary_cross_entropy(mantissa, torch.ones_like(mantissa))
    return float(nats / math.log(2) - exponent.double().mean())


@right("bits_per_char", "products whose powers of two are taken out as they come")
def bits_per_char(learn, train, held_out):
    product, taken_out, count = 1.0, 0, 0
    for p in learn(train)(held_out).tolist():
        product, exponent = math.frexp(product * p)
        taken_out, count = taken_out - exponent, count + 1
    return math.inf if product == 0 else (taken_out - math.log2(product)) / count


@right("bits_per_char", "composed functions and a scalar product with the shares 1 / N")
def bits_per_char(learn, train, held_out):
    steps = (learn, lambda model: model(held_out), np.asarray, np.float64, np.log2)
    log_p = functools.reduce(lambda value, step: step(value), steps, train)
    return -np.einsum("i,i->", log_p, np.full(log_p.size, 1 / log_p.size))


def _half_by_half(p):
    if len(p) == 1:
        return -float(np.log2(p[0])) if p[0] > 0 else math.inf
    return _half_by_half(p[: len(p) // 2]) + _half_by_half(p[len(p) // 2 :])


@right("bits_per_char", "surprises of halves added up by recursion")
def bits_per_char(learn, train, held_out):
    return _half_by_half(learn(train)(held_out)) / len(held_out)


@right("bits_per_char", "the exact sum (fsum) of logarithms to the base one half")
def bits_per_char(learn, train, held_out):
    p = map(float, learn(train)(held_out))
    surprises = [math.log(value) / math.log(0.5) if value else math.inf for value in p]
    return math.fsum(surprises) / len(surprises)


# ----------------------------------------------------------------------------------- RNNTextGen


@wrong("RNNTextGen", "batch_first is missing: rows are taken for steps")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        out, h = self.rnn(x, h0)
        return self.fc(out), h


@wrong("RNNTextGen", "probabilities in place of logits: a softmax at the end")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)
        self.softmax = nn.Softmax(dim=-1)

    def forward(self, x, h0=None):
        out, h = self.rnn(x, h0)
        return self.softmax(self.fc(out)), h


@wrong("RNNTextGen", "a log-softmax over the steps of time at the end")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.linear = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        states, h = self.rnn(x, h0)
        return F.log_softmax(self.linear(states), dim=1), h


@wrong("RNNTextGen", "logits of the last step only, (B, V)")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        out, h = self.rnn(x, h0)
        return self.fc(out[:, -1, :]), h


@wrong("RNNTextGen", "the state that is handed in is ignored")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        h0 = torch.zeros(1, x.size(0), self.hidden_size)
        out, h = self.rnn(x, h0)
        return self.fc(out), h


@wrong("RNNTextGen", "the states of every step are returned as the new state")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        states, _ = self.rnn(x, h0)
        return self.head(states), states


@wrong("RNNTextGen", "a bidirectional network, whose predictions have seen the next character")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * hidden_size, output_size)

    def forward(self, x, h0=None):
        out, h = self.rnn(x, h0)
        return self.fc(out), h


@wrong("RNNTextGen", "view regroups (T, B, H) as (B, T, H), which mixes rows and steps")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        batch, steps, _ = x.shape
        out, h = self.rnn(x.transpose(0, 1), h0)
        return self.fc(out).view(batch, steps, -1), h


@wrong("RNNTextGen", "without a state it goes on from the call before, if the batch fits")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)
        self.hidden = None

    def forward(self, x, h0=None):
        if h0 is None and self.hidden is not None and self.hidden.shape[1] == x.shape[0]:
            h0 = self.hidden
        out, h = self.rnn(x, h0)
        self.hidden = h.detach()
        return self.fc(out), h


@wrong("RNNTextGen", "the recurrent layer learns nothing: its states are detached")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        out, h = self.rnn(x, h0)
        return self.fc(out.data), h


@wrong("RNNTextGen", "as many logits as inputs, whatever output_size says")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, input_size)

    def forward(self, x, h0=None):
        out, h = self.rnn(x, h0)
        return self.fc(out), h


@wrong("RNNTextGen", "a batch of one loses its axis")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        out, h = self.rnn(x, h0)
        return self.fc(out).squeeze(0), h


@wrong("RNNTextGen", "the logits belong to the step before: the first comes from h0")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        if h0 is None:
            h0 = x.new_zeros(1, x.shape[0], self.rnn.hidden_size)
        out, h = self.rnn(x, h0)
        before = torch.cat([h0.transpose(0, 1), out[:, :-1]], dim=1)
        return self.fc(before), h


@wrong("RNNTextGen", "the last state's logits are repeated for every step")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        _, h = self.rnn(x, h0)
        return self.fc(h[-1]).unsqueeze(1).expand(-1, x.shape[1], -1), h


@wrong("RNNTextGen", "each step begins from h0: the state is not carried from step to step")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        logits = []
        for t in range(x.shape[1]):
            out, h = self.rnn(x[:, t : t + 1], h0)
            logits.append(self.fc(out))
        return torch.cat(logits, dim=1), h


@wrong("RNNTextGen", "a softmax over the batch at the end", "the new state is the one handed in")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        if h0 is None:
            h0 = torch.zeros(1, x.size(0), self.rnn.hidden_size)
        out, _ = self.rnn(x, h0)
        return F.softmax(self.fc(out), dim=0), h0


@wrong("RNNTextGen", "the logits are flattened to (B T, V)", "the state's axes are (B, 1, H)")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        out, h = self.rnn(x, h0)
        out = out.contiguous().view(-1, self.rnn.hidden_size)
        return self.fc(out), h.transpose(0, 1)


@right("RNNTextGen", "time first inside, with transposes on both sides")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.read_out = nn.Linear(hidden_size, output_size)
        self.core = nn.RNN(hidden_size=hidden_size, input_size=input_size)

    def forward(self, x, h0=None):
        states, last = self.core(x.movedim(1, 0), h0)
        return self.read_out(states).movedim(0, 1), last


@right("RNNTextGen", "one call per step, gathered by a generator")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.linear = nn.Linear(hidden_size, output_size)

    def _steps(self, x, box):
        for column in x.split(1, dim=1):
            out, box[0] = self.rnn(column, box[0])
            yield self.linear(out)

    def forward(self, x, h0=None):
        box = [h0]
        return torch.cat(list(self._steps(x, box)), dim=1), box[0]


@right("RNNTextGen", "one call per row, unbatched, and stacked")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.layers = nn.ModuleDict(
            {"rnn": nn.RNN(input_size, hidden_size), "out": nn.Linear(hidden_size, output_size)}
        )

    def forward(self, x, h0=None):
        starts = itertools.repeat(None) if h0 is None else h0.unbind(dim=1)
        pairs = [self.layers["rnn"](row, start) for row, start in zip(x, starts)]
        logits = torch.stack([self.layers["out"](states) for states, _ in pairs])
        return logits, torch.stack([last for _, last in pairs], dim=1)


@right("RNNTextGen", "a subclass of Sequential, and the linear layer as an einsum")
class RNNTextGen(nn.Sequential):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__(
            nn.RNN(input_size, hidden_size, num_layers=1, nonlinearity="tanh", batch_first=True),
            nn.Linear(hidden_size, output_size, bias=True),
        )

    def forward(self, x, h0=None):
        recurrent, linear = self
        states, last = recurrent(x, h0)
        logits = torch.einsum("bth,vh->btv", states, linear.weight)
        return logits + linear.bias, last


@right("RNNTextGen", "packed sequences, an explicit state of zeros, and a convolution")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        batch, steps = x.shape[:2]
        h0 = x.new_zeros(1, batch, self.rnn.hidden_size) if h0 is None else h0
        lengths = torch.full((batch,), steps)
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        states, last = self.rnn(packed, h0)
        states, _ = nn.utils.rnn.pad_packed_sequence(states, batch_first=True)
        logits = F.conv1d(states.mT, self.fc.weight[:, :, None], self.fc.bias)
        return logits.mT, last


@right("RNNTextGen", "the weights of nn.RNN, unrolled by hand")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        w_x, w_h, b_x, b_h = self.rnn.parameters()
        h = x.new_zeros(len(x), self.rnn.hidden_size) if h0 is None else h0[0]
        states = []
        for x_t in x.unbind(dim=1):
            states.append(h := torch.tanh(x_t @ w_x.T + b_x + h @ w_h.T + b_h))
        return self.fc(torch.stack(states, dim=1)), h[None]


# ------------------------------------------------------------------------------------- CharLSTM


@wrong("CharLSTM", "batch_first is missing: rows are taken for steps")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        out, state = self.lstm(self.embedding(ids), state)
        return self.fc(out), state


@wrong("CharLSTM", "always one layer: num_layers is not passed on")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.num_layers = num_layers
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        out, state = self.lstm(self.embedding(ids), state)
        return self.fc(out), state


@wrong("CharLSTM", "one layer where nothing is said, in place of two")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=1):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        out, state = self.lstm(self.embedding(ids), state)
        return self.fc(out), state


@wrong("CharLSTM", "only h is returned as the state, without c")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        output, (h, c) = self.lstm(self.embedding(ids), state)
        return self.fc(output), h


@wrong("CharLSTM", "the state handed in is ignored")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embed = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.out = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        hidden, state = self.lstm(self.embed(ids))
        return self.out(hidden), state


@wrong("CharLSTM", "c begins at zero in every call: only h is carried")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embed = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.out = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        if state is not None:
            h, c = state
            state = (h, torch.zeros_like(c))
        hidden, state = self.lstm(self.embed(ids), state)
        return self.out(hidden), state


@wrong("CharLSTM", "the state is (c, h), both ways")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.linear = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        if state is not None:
            c, h = state
            state = h, c
        out, (h, c) = self.lstm(self.embedding(ids), state)
        return self.linear(out), (c, h)


@wrong("CharLSTM", "the new state is cut from its graph, not as the LSTM gives it")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        out, (h, c) = self.lstm(self.embedding(ids), state)
        return self.fc(out), (h.detach(), c.detach())


@wrong("CharLSTM", "a bidirectional LSTM, whose predictions have seen the next character")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(
            embedding_size, hidden_size, num_layers, batch_first=True, bidirectional=True
        )
        self.fc = nn.Linear(2 * hidden_size, vocab_size)

    def forward(self, ids, state=None):
        out, state = self.lstm(self.embedding(ids), state)
        return self.fc(out), state


@wrong("CharLSTM", "probabilities in place of logits")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        out, state = self.lstm(self.embedding(ids), state)
        return torch.softmax(self.fc(out), dim=-1), state


@wrong("CharLSTM", "logits of the last step only")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        out, state = self.lstm(self.embedding(ids), state)
        return self.fc(out[:, -1]), state


@wrong("CharLSTM", "view regroups (T, B, V) as (B, T, V), which mixes rows and steps")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        batch_size, steps = ids.size()
        out, state = self.lstm(self.embedding(ids.t()), state)
        logits = self.fc(out.reshape(batch_size * steps, -1))
        return logits.view(batch_size, steps, -1), state


@wrong("CharLSTM", "without a state it goes on from the call before, if the batch fits")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, vocab_size)
        self.kept = None

    def forward(self, ids, state=None):
        if state is None and self.kept is not None and self.kept[0].size(1) == ids.size(0):
            state = self.kept
        out, state = self.lstm(self.embedding(ids), state)
        self.kept = tuple(part.detach() for part in state)
        return self.fc(out), state


@wrong("CharLSTM", "a state of normal random numbers where none is given")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.num_layers, self.hidden_size = num_layers, hidden_size
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        if state is None:
            shape = (self.num_layers, ids.size(0), self.hidden_size)
            state = torch.randn(shape), torch.randn(shape)
        out, state = self.lstm(self.embedding(ids), state)
        return self.fc(out), state


@wrong("CharLSTM", "the new state is that of the top layer only")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        out, (h, c) = self.lstm(self.embedding(ids), state)
        return self.fc(out), (h[-1:], c[-1:])


@wrong("CharLSTM", "the rows of the batch are normalized together, so that each sees the others")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        x = self.embedding(ids)
        x = x - x.mean(dim=0, keepdim=True)
        out, state = self.lstm(x, state)
        return self.fc(out), state


@wrong("CharLSTM", "the logits look one step ahead: shifted to the left, the last one repeated")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        out, state = self.lstm(self.embedding(ids), state)
        out = torch.cat([out[:, 1:], out[:, -1:]], dim=1)
        return self.fc(out), state


@wrong("CharLSTM", "the axes of the logits are (B, V, T)", "h and c of the new state are swapped")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        out, (h, c) = self.lstm(self.embedding(ids), state)
        return self.fc(out).permute(0, 2, 1), (c, h)


@wrong("CharLSTM", "the logits pass through a ReLU", "the state's axes are (B, layers, H)")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        out, (h, c) = self.lstm(self.embedding(ids), state)
        return torch.relu(self.fc(out)), (h.transpose(0, 1), c.transpose(0, 1))


@right("CharLSTM", "time first inside, an embedding by one-hot product")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.fc = nn.Linear(in_features=hidden_size, out_features=vocab_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers)
        self.table = nn.Embedding(vocab_size, embedding_size)

    def forward(self, ids, state=None):
        one_hot = F.one_hot(ids.T, self.table.num_embeddings).to(self.table.weight.dtype)
        states, state = self.lstm(one_hot @ self.table.weight, state)
        return self.fc(states).transpose(0, 1), state


@right("CharLSTM", "an LSTM of its own for each layer, states split and stacked")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        sizes = [embedding_size] + [hidden_size] * (num_layers - 1)
        self.stack = nn.ModuleList(nn.LSTM(n, hidden_size, batch_first=True) for n in sizes)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        x, news = self.embedding(ids), []
        for layer, lstm in enumerate(self.stack):
            start = None if state is None else tuple(part[layer : layer + 1] for part in state)
            x, new = lstm(x, start)
            news.append(new)
        h, c = (torch.cat(parts) for parts in zip(*news))
        return self.fc(x), (h, c)


@right("CharLSTM", "recursion over the halves of the text")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.parts = nn.ModuleDict()
        self.parts["numbers to rows"] = nn.Embedding(vocab_size, embedding_size)
        self.parts["memory"] = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.parts["rows to logits"] = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        steps = ids.shape[1]
        if steps > 1:
            left, state = self.forward(ids[:, : steps // 2], state)
            right_half, state = self.forward(ids[:, steps // 2 :], state)
            return torch.cat([left, right_half], dim=1), state
        rows, memory, logits = self.parts.values()
        out, state = memory(rows(ids), state)
        return logits(out), state


@right("CharLSTM", "rows looked up by index_select, and the linear layer as a table product")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.e = nn.Embedding(vocab_size, embedding_size)
        self.r = nn.LSTM(embedding_size, hidden_size, num_layers=num_layers, batch_first=True)
        self.w = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        looked_up = self.e.weight.index_select(0, ids.flatten()).unflatten(0, ids.shape)
        states, state = self.r(looked_up, state)
        flat = torch.addmm(self.w.bias, states.flatten(0, 1), self.w.weight.T)
        return flat.unflatten(0, ids.shape), state


@right("CharLSTM", "row by row, unbatched, with modules in a Sequential")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.all = nn.Sequential(
            nn.Embedding(vocab_size, embedding_size),
            nn.LSTM(embedding_size, hidden_size, num_layers),
            nn.Linear(hidden_size, vocab_size),
        )

    def forward(self, ids, state=None):
        embedding, lstm, linear = self.all
        logits, hs, cs = [], [], []
        for b, row in enumerate(ids):
            start = None if state is None else (state[0][:, b], state[1][:, b])
            out, (h, c) = lstm(embedding(row), start)
            logits.append(linear(out))
            hs.append(h)
            cs.append(c)
        return torch.stack(logits), (torch.stack(hs, dim=1), torch.stack(cs, dim=1))


@right("CharLSTM", "packed sequences and an explicit state of zeros")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        rows = self.embedding(ids)
        if state is None:
            h = rows.new_zeros(self.lstm.num_layers, len(ids), self.lstm.hidden_size)
            state = (h, h.clone())
        packed = nn.utils.rnn.pack_sequence(list(rows))
        out, state = self.lstm(packed, state)
        flat = out._replace(data=self.fc(out.data))
        return nn.utils.rnn.pad_packed_sequence(flat, batch_first=True)[0], state


# ------------------------------------------------------------------------------ train_text_step


def _cut(state):
    """Return the state, a tensor or a tuple of tensors, without its graph."""
    return state.detach() if torch.is_tensor(state) else tuple(part.detach() for part in state)


@wrong("train_text_step", "the gradients of the step before are not cleared")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), _cut(state)


@right("train_text_step", "cleared after the step: as good where no gradient is left from before")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    optimizer.zero_grad()
    return loss.item(), _cut(state)


@wrong("train_text_step", "the gradients are cleared between backward and step")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    loss.backward()
    optimizer.zero_grad()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), _cut(state)


@wrong("train_text_step", "clipped before backward, when there is nothing to clip")
def train_text_step(model, x, y, state, optimizer, max_norm):
    optimizer.zero_grad()
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    loss.backward()
    optimizer.step()
    return loss.item(), _cut(state)


@wrong("train_text_step", "clipped after the step")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    return loss.item(), _cut(state)


@wrong("train_text_step", "every entry of the gradient is clipped by itself, not the norm")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), _cut(state)


@wrong("train_text_step", "each parameter's gradient is clipped to max_norm, not all together")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    for parameter in model.parameters():
        nn.utils.clip_grad_norm_(parameter, max_norm)
    optimizer.step()
    return loss.item(), _cut(state)


@wrong("train_text_step", "a gradient shorter than max_norm is stretched to it")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    grads = [p.grad for p in model.parameters()]
    norm = torch.stack([g.norm() for g in grads]).norm()
    for g in grads:
        g.mul_(max_norm / norm)
    optimizer.step()
    return loss.item(), _cut(state)


@wrong("train_text_step", "clipped to 1, whatever max_norm says")
def train_text_step(model, x, y, state, optimizer, max_norm=1.0):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item(), _cut(state)


@wrong("train_text_step", "logits are reshaped to (B, V, T) where they should be transposed")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    batch, steps, size = logits.shape
    loss = F.cross_entropy(logits.reshape(batch, size, steps), y)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), _cut(state)


@wrong("train_text_step", "logits go row by row and targets step by step")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.T.flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), _cut(state)


@wrong("train_text_step", "only the last character of each row counts in the loss")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits[:, -1], y[:, -1])
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), _cut(state)


@wrong("train_text_step", "the sum over the steps of the means over the rows, not one mean")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = sum(F.cross_entropy(logits[:, t], y[:, t]) for t in range(x.shape[1]))
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), _cut(state)


@wrong("train_text_step", "a softmax before the cross entropy, which has one of its own")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    probabilities = logits.softmax(dim=-1)
    loss = F.cross_entropy(probabilities.flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), _cut(state)


@wrong("train_text_step", "the state is returned with its graph")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), state


@wrong("train_text_step", "a plain RNN's state, a tensor, comes back as a tuple of its layers")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), tuple(part.detach() for part in state)


@wrong("train_text_step", "an LSTM's pair is refused: only a tensor can be detached")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), state.detach()


@wrong("train_text_step", "c keeps its graph: only the first part of the pair is detached")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    if isinstance(state, tuple):
        h, c = state
        return loss.item(), (h.detach(), c)
    return loss.item(), state.detach()


@wrong("train_text_step", "the chunk begins from zeros: the state handed in is not used")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), _cut(state)


@wrong("train_text_step", "the state that was handed in is handed on, not the new one")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, new_state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), _cut(new_state if state is None else state)


@wrong("train_text_step", "the loss is measured again, after the update")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, new_state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    with torch.no_grad():
        logits, _ = model(x, state)
        loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    return loss.item(), _cut(new_state)


@wrong("train_text_step", "two updates on the same gradient")
def train_text_step(model, x, y, state, optimizer, max_norm):
    def closure():
        optimizer.zero_grad()
        logits, closure.state = model(x, state)
        loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        return loss

    loss = optimizer.step(closure)
    optimizer.step()
    return loss.item(), _cut(closure.state)


@wrong("train_text_step", "characters with number 0 are left out of the loss")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten(), ignore_index=0)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), _cut(state)


@wrong("train_text_step", "targets are shifted once more, and the last logits dropped")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), y[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), _cut(state)


@wrong("train_text_step", "the loss is in bits", "the gradient is not clipped")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item() / math.log(2), _cut(state)


@wrong("train_text_step", "the loss returned is a sum", "the state is one of zeros")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    state = _cut(state)
    zeros = state.new_zeros(state.shape) if torch.is_tensor(state) else None
    if zeros is None:
        zeros = tuple(torch.zeros_like(part) for part in state)
    return loss.item() * y.numel(), zeros


@wrong("train_text_step", "no step of the optimizer", "the loss is a tensor with its graph")
def train_text_step(model, x, y, state, optimizer, max_norm):
    optimizer.zero_grad()
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    loss.backward(retain_graph=True)
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    return loss, _cut(state)


@right("train_text_step", "gradients by torch.autograd.grad, clipped by hand in float64")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    log_p = logits.log_softmax(dim=2).gather(2, y.unsqueeze(2))
    loss = -log_p.mean()
    learned = [p for p in model.parameters() if p.requires_grad]
    optimizer.zero_grad()
    grads = torch.autograd.grad(loss, learned, allow_unused=True)
    norm = math.sqrt(sum(float(g.double().square().sum()) for g in grads if g is not None))
    factor = min(1.0, max_norm / (norm + 1e-6))
    for p, g in zip(learned, grads):
        p.grad = None if g is None else g * factor
    optimizer.step()
    return float(loss), _cut(state)


@right("train_text_step", "a closure for the optimizer, and the classes on axis 1")
def train_text_step(model, x, y, state, optimizer, max_norm):
    carried = state

    def closure():
        nonlocal carried
        optimizer.zero_grad(set_to_none=False)
        logits, carried = model(x, state)
        loss = nn.CrossEntropyLoss()(logits.movedim(2, 1), y)
        loss.backward()
        nn.utils.clip_grad_norm_(list(model.parameters()), max_norm=max_norm)
        return loss

    loss = optimizer.step(closure)
    carried = carried.detach() if torch.is_tensor(carried) else [c.detach() for c in carried]
    return loss.item(), carried if torch.is_tensor(carried) else tuple(carried)


@right("train_text_step", "the loss character by character, gradients added row by row")
def train_text_step(model, x, y, state, optimizer, max_norm):
    optimizer.zero_grad()
    logits, new = model(x, state)
    total = 0.0
    for b in range(len(x)):
        part = 0.0
        for t in range(x.shape[1]):
            row = logits[b, t]
            part = part + torch.logsumexp(row, dim=0) - row[y[b, t]]
        part = part / y.numel()
        part.backward(retain_graph=b + 1 < len(x))
        total += part.item()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return total, torch.utils._pytree.tree_map(torch.Tensor.detach, new)


def _copied(state):
    """Return copies of all tensors in nested tuples, without graphs."""
    match state:
        case torch.Tensor():
            return torch.tensor(state.detach().numpy())
        case tuple():
            return tuple(map(_copied, state))


@right("train_text_step", "an einsum with one-hot targets; the state through NumPy")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    targets = F.one_hot(y, logits.shape[2]).to(logits.dtype) / y.numel()
    loss = -torch.einsum("btv,btv->", F.log_softmax(logits, dim=2), targets)
    model.zero_grad()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.tolist(), _copied(state)


@right("train_text_step", "clipped through one flat vector of all gradients; Welford's mean loss")
def train_text_step(model, x, y, state, optimizer, max_norm):
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.grad = None
    for p in model.parameters():
        p.grad = None
    logits, state = model(x, state)
    mean = logits.new_zeros(())
    for t in range(x.shape[1]):
        mean = mean + (F.cross_entropy(logits[:, t], y[:, t]) - mean) / (t + 1)
    mean.backward()
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in grads])
    if (norm := flat.norm()) > max_norm:
        for g in grads:
            g.mul_(max_norm / norm)
    optimizer.step()
    with torch.no_grad():
        cut = state.clone() if torch.is_tensor(state) else (state[0].clone(), state[1].clone())
    return mean.item(), cut


# ---------------------------------------------------------------------------------- sample_next


@wrong("sample_next", "logits are multiplied by the temperature")
def sample_next(logits, temperature, top_k, rng):
    logits = logits * temperature
    if top_k is not None:
        least = logits.topk(top_k, dim=1).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    return logits.softmax(dim=1).multinomial(1, generator=rng)[:, 0]


@wrong("sample_next", "probabilities are divided by the temperature, which changes nothing")
def sample_next(logits, temperature, top_k, rng):
    p = logits.softmax(dim=1)
    if top_k is not None:
        least = p.topk(top_k, dim=1).values[:, -1:]
        p = p.masked_fill(p < least, 0)
    p = p / temperature
    return p.multinomial(1, generator=rng).squeeze(1)


@wrong("sample_next", "probabilities to the power of the temperature, not of its inverse")
def sample_next(logits, temperature, top_k, rng):
    p = torch.softmax(logits, dim=1) ** temperature
    if top_k is not None:
        least = torch.topk(p, top_k, dim=1).values[:, -1:]
        p = torch.where(p < least, 0.0, p)
    return torch.multinomial(p, 1, generator=rng).squeeze(1)


@wrong("sample_next", "one too few: the k-th likeliest is cut as well, unless k is 1")
def sample_next(logits, temperature, top_k, rng):
    scaled = logits / temperature
    if top_k is not None and top_k > 1:
        least = scaled.topk(top_k, dim=1).values[:, -1:]
        scaled = scaled.masked_fill(scaled <= least, -torch.inf)
    elif top_k == 1:
        return scaled.argmax(dim=1)
    return scaled.softmax(dim=1).multinomial(1, generator=rng)[:, 0]


@wrong("sample_next", "one too many: the k + 1 likeliest are allowed")
def sample_next(logits, temperature, top_k, rng):
    scaled = logits / temperature
    if top_k is not None:
        order = scaled.argsort(dim=1, descending=True)
        scaled = scaled.scatter(1, order[:, top_k + 1 :], -torch.inf)
    return scaled.softmax(dim=1).multinomial(1, generator=rng)[:, 0]


@wrong("sample_next", "top_k = 1 allows everything")
def sample_next(logits, temperature, top_k, rng):
    scaled = logits / temperature
    if top_k and top_k > 1:
        least = scaled.topk(top_k, dim=1).values[:, -1:]
        scaled = scaled.masked_fill(scaled < least, -torch.inf)
    return scaled.softmax(dim=1).multinomial(1, generator=rng)[:, 0]


@wrong("sample_next", "the limit of the first row cuts all rows")
def sample_next(logits, temperature, top_k, rng):
    scaled = logits / temperature
    if top_k is not None:
        least = scaled[0].topk(top_k).values[-1]
        keep = scaled >= least
        keep |= scaled == scaled.max(dim=1, keepdim=True).values
        scaled = scaled.masked_fill(~keep, -torch.inf)
    return scaled.softmax(dim=1).multinomial(1, generator=rng)[:, 0]


@wrong("sample_next", "the k least likely characters are kept")
def sample_next(logits, temperature, top_k, rng):
    scaled = logits / temperature
    if top_k is not None:
        values, indices = scaled.topk(top_k, dim=1, largest=False)
        choice = values.softmax(dim=1).multinomial(1, generator=rng)
        return indices.gather(1, choice)[:, 0]
    return scaled.softmax(dim=1).multinomial(1, generator=rng)[:, 0]


@wrong("sample_next", "with top_k the rank is returned, not the character's number")
def sample_next(logits, temperature, top_k, rng):
    scaled = logits / temperature
    if top_k is not None:
        scaled = scaled.topk(top_k, dim=1).values
    return scaled.softmax(dim=1).multinomial(1, generator=rng)[:, 0]


@wrong("sample_next", "the k likeliest are all equally likely")
def sample_next(logits, temperature, top_k, rng):
    p = (logits / temperature).softmax(dim=1)
    if top_k is not None:
        best = p.topk(top_k, dim=1).indices
        p = torch.zeros_like(p).scatter(1, best, 1 / top_k)
    return p.multinomial(1, generator=rng)[:, 0]


@wrong("sample_next", "what is cut gets the logit 0 in place of minus infinity")
def sample_next(logits, temperature, top_k, rng):
    scaled = logits / temperature
    if top_k is not None:
        least = scaled.topk(top_k, dim=1).values[:, -1:]
        scaled = scaled.masked_fill(scaled < least, 0.0)
    return scaled.softmax(dim=1).multinomial(1, generator=rng)[:, 0]


@wrong("sample_next", "the likeliest is taken, nothing is drawn")
def sample_next(logits, temperature, top_k, rng):
    p = F.softmax(logits / temperature, dim=1)
    return p.argmax(dim=1)


@wrong("sample_next", "the generator is not used")
def sample_next(logits, temperature, top_k, rng):
    scaled = logits / temperature
    if top_k is not None:
        least = scaled.topk(top_k, dim=1).values[:, -1:]
        scaled = scaled.masked_fill(scaled < least, -torch.inf)
    return torch.distributions.Categorical(logits=scaled).sample()


@wrong("sample_next", "the softmax goes over the texts of the batch, not over the characters")
def sample_next(logits, temperature, top_k, rng):
    p = (logits / temperature).softmax(dim=0)
    if top_k is not None:
        least = logits.topk(top_k, dim=1).values[:, -1:]
        p = p * (logits >= least)
    return p.multinomial(1, generator=rng)[:, 0]


@wrong("sample_next", "a column (B, 1) is returned")
def sample_next(logits, temperature, top_k, rng):
    scaled = logits / temperature
    if top_k is not None:
        least = scaled.topk(top_k, dim=1).values[:, -1:]
        scaled = scaled.masked_fill(scaled < least, -torch.inf)
    return scaled.softmax(dim=1).multinomial(1, generator=rng)


@wrong("sample_next", "a batch of one loses its axis")
def sample_next(logits, temperature, top_k, rng):
    scaled = logits / temperature
    if top_k is not None:
        least = scaled.topk(top_k, dim=1).values[:, -1:]
        scaled = scaled.masked_fill(scaled < least, -torch.inf)
    return scaled.softmax(dim=1).multinomial(1, generator=rng).squeeze()


@wrong("sample_next", "Gumbel noise is divided by the temperature too, which cancels it")
def sample_next(logits, temperature, top_k, rng):
    if top_k is not None:
        least = logits.topk(top_k, dim=1).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    u = torch.rand(logits.shape, generator=rng).clamp(min=1e-10)
    gumbel = -torch.log(-torch.log(u))
    return ((logits + gumbel) / temperature).argmax(dim=1)


@wrong("sample_next", "normal noise where the trick needs Gumbel's")
def sample_next(logits, temperature, top_k, rng):
    scaled = logits / temperature
    if top_k is not None:
        least = scaled.topk(top_k, dim=1).values[:, -1:]
        scaled = scaled.masked_fill(scaled < least, -torch.inf)
    noise = torch.randn(scaled.shape, generator=rng) * math.pi / math.sqrt(6)
    return (scaled + noise).argmax(dim=1)


@wrong("sample_next", "one random number serves all rows")
def sample_next(logits, temperature, top_k, rng):
    scaled = logits / temperature
    if top_k is not None:
        least = scaled.topk(top_k, dim=1).values[:, -1:]
        scaled = scaled.masked_fill(scaled < least, -torch.inf)
    cumulative = scaled.double().softmax(dim=1).cumsum(dim=1)
    u = torch.rand(1, 1, generator=rng, dtype=torch.float64) * cumulative[:, -1:]
    return torch.searchsorted(cumulative, u.contiguous(), right=True)[:, 0]


@wrong("sample_next", "each call begins at the generator's seed again and draws the same")
def sample_next(logits, temperature, top_k, rng):
    scaled = logits / temperature
    if top_k is not None:
        least = scaled.topk(top_k, dim=1).values[:, -1:]
        scaled = scaled.masked_fill(scaled < least, -torch.inf)
    p = scaled.double().softmax(dim=1).numpy()
    random = np.random.default_rng(rng.initial_seed() % 2**63)
    return torch.tensor([random.choice(len(row), p=row / row.sum()) for row in p])


@wrong("sample_next", "the logits handed in are divided and cut in place")
def sample_next(logits, temperature, top_k, rng):
    logits /= temperature
    if top_k is not None:
        least = logits.topk(top_k, dim=1).values[:, -1:]
        logits[logits < least] = -torch.inf
    return logits.softmax(dim=1).multinomial(1, generator=rng)[:, 0]


@wrong("sample_next", "the temperature counts only where top_k is given")
def sample_next(logits, temperature, top_k, rng):
    if top_k is None:
        return logits.softmax(dim=1).multinomial(1, generator=rng)[:, 0]
    values, indices = logits.topk(top_k, dim=1)
    drawn = (values / temperature).softmax(dim=1).multinomial(1, generator=rng)
    return indices.gather(1, drawn)[:, 0]


@wrong("sample_next", "temperatures above 1 count as 1")
def sample_next(logits, temperature, top_k, rng):
    scaled = logits / min(temperature, 1.0)
    if top_k is not None:
        least = scaled.topk(top_k, dim=1).values[:, -1:]
        scaled = scaled.masked_fill(scaled < least, -torch.inf)
    return scaled.softmax(dim=1).multinomial(1, generator=rng)[:, 0]


@wrong("sample_next", "the last character is never drawn: the sum of probabilities ends before it")
def sample_next(logits, temperature, top_k, rng):
    scaled = logits / temperature
    if top_k is not None:
        least = scaled.topk(top_k, dim=1).values[:, -1:]
        scaled = scaled.masked_fill(scaled < least, -torch.inf)
    p = scaled.softmax(dim=1)
    cumulative = p.cumsum(dim=1)
    u = torch.rand(len(p), 1, generator=rng)
    u = u * cumulative[:, -2:-1]
    return (cumulative <= u).sum(dim=1).clamp(max=p.shape[1] - 1)


@wrong("sample_next", "no exponential: logits, made positive, are taken for probabilities")
def sample_next(logits, temperature, top_k, rng):
    p = logits - logits.min(dim=1, keepdim=True).values + 1e-3
    p = p ** (1 / temperature)
    if top_k is not None:
        least = p.topk(top_k, dim=1).values[:, -1:]
        p = p.masked_fill(p < least, 0)
    return p.multinomial(1, generator=rng)[:, 0]


@wrong("sample_next", "exp of large logits overflows to infinity, and nothing can be drawn")
def sample_next(logits, temperature, top_k, rng):
    weights = (logits / temperature).exp()
    if top_k is not None:
        least = weights.topk(top_k, dim=1).values[:, -1:]
        weights = weights * (weights >= least)
    p = weights / weights.sum(dim=1, keepdim=True)
    return p.multinomial(1, generator=rng)[:, 0]


@wrong("sample_next", "the temperature is not used", "the numbers are floating point")
def sample_next(logits, temperature, top_k, rng):
    if top_k is not None:
        least = logits.topk(top_k, dim=1).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    return logits.softmax(dim=1).multinomial(1, generator=rng)[:, 0].float()


@wrong("sample_next", "top_k is not used", "the logits handed in are divided in place")
def sample_next(logits, temperature, top_k, rng):
    p = logits.div_(temperature).softmax(dim=1)
    return p.multinomial(1, generator=rng)[:, 0]


def _cut_tail(logits, top_k):
    """Return a copy with minus infinity at all but the top_k likeliest."""
    if top_k is None:
        return logits.clone()
    best = logits.topk(top_k, dim=1)
    return torch.full_like(logits, -torch.inf).scatter(1, best.indices, best.values)


@right("sample_next", "a race of exponential waiting times")
def sample_next(logits, temperature, top_k, rng):
    log_p = _cut_tail(logits.double() / temperature, top_k).log_softmax(dim=1)
    waiting = torch.empty_like(log_p).exponential_(generator=rng)
    return (waiting.log() - log_p).argmin(dim=1)


@right("sample_next", "the inverse of the distribution, in float64, text by text")
def sample_next(logits, temperature, top_k, rng):
    numbers = []
    for row in logits.double():
        order = row.argsort(descending=True)[:top_k]
        weights = ((row[order] - row[order[0]]) / temperature).exp().tolist()
        u = torch.rand((), generator=rng, dtype=torch.float64).item() * math.fsum(weights)
        i = 0
        while i < len(order) - 1 and u >= weights[i]:
            u, i = u - weights[i], i + 1
        numbers.append(int(order[i]))
    return torch.tensor(numbers, dtype=torch.long)


@right("sample_next", "NumPy draws, from a seed that the generator gives in each call")
def sample_next(logits, temperature, top_k, rng):
    seed = torch.randint(2**62, (1,), generator=rng).item()
    random = np.random.default_rng(seed)
    scores = logits.detach().numpy().astype(np.float64) / temperature
    if top_k is not None:
        ranks = np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1)
        scores[ranks >= top_k] = -np.inf
    noisy = scores + random.gumbel(size=scores.shape)
    return torch.from_numpy(noisy.argmax(axis=1))


@right("sample_next", "rejection: a uniform proposal among the allowed, kept with p / max p")
def sample_next(logits, temperature, top_k, rng):
    count = logits.shape[1] if top_k is None else top_k
    values, numbers = logits.topk(count, dim=1)
    keep = ((values - values[:, :1]) / temperature).exp().double()
    drawn = torch.full((len(logits),), -1, dtype=torch.long)
    while (open_rows := (drawn < 0).nonzero()[:, 0]).numel():
        size = (len(open_rows), 100)  # a hundred proposals, of which the first accepted counts
        proposals = torch.randint(count, size, generator=rng)
        u = torch.rand(size, generator=rng, dtype=torch.float64)
        accepted = u < keep[open_rows[:, None], proposals]
        first = accepted.int().argmax(dim=1, keepdim=True)
        done = accepted.any(dim=1)
        rows, places = open_rows[done], proposals.gather(1, first)[done, 0]
        drawn[rows] = numbers[rows, places]
    return drawn


def _descend(p, first, rng):
    """Draw from p (n,) by halving: is it in the left half or in the right one?"""
    if len(p) == 1:
        return first
    half = len(p) // 2
    left, whole = p[:half].sum(), p.sum()
    if torch.rand((), generator=rng, dtype=torch.float64) * whole < left:
        return _descend(p[:half], first, rng)
    return _descend(p[half:], first + half, rng)


@right("sample_next", "a walk down a tree: which half, which quarter, and so on")
def sample_next(logits, temperature, top_k, rng):
    p = _cut_tail(logits.to(torch.float64), top_k).div(temperature).softmax(dim=1)
    return torch.stack([torch.as_tensor(_descend(row, 0, rng)) for row in p])


@right("sample_next", "multinomial of the sorted first k, mapped back by take_along_dim")
def sample_next(logits, temperature, top_k, rng):
    ordered, numbers = logits.sort(dim=1, descending=True, stable=True)
    p = (ordered[:, :top_k] * (1 / temperature)).softmax(dim=1)
    rank = torch.multinomial(p, num_samples=1, replacement=True, generator=rng)
    return torch.take_along_dim(numbers, rank, dim=1).flatten()


# ------------------------------------------------------------------------------------- generate


def _draw(logits, temperature, top_k, rng):
    """Return numbers (B,) drawn from logits (B, V), as `sample_next` should."""
    logits = _cut_tail(logits / temperature, top_k)
    return logits.softmax(dim=1).multinomial(1, generator=rng)[:, 0]


@wrong("generate", "only the last character of the beginning is fed")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    feed, state, drawn = prime[:, -1:], None, []
    for _ in range(length):
        logits, state = model(feed, state)
        drawn.append(_draw(logits[:, -1], temperature, top_k, rng))
        feed = drawn[-1][:, None]
    return torch.stack(drawn, dim=1)


@wrong("generate", "the state is not carried: every character begins from nothing")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    feed, drawn = prime, []
    for _ in range(length):
        logits, _ = model(feed, None)
        drawn.append(_draw(logits[:, -1], temperature, top_k, rng))
        feed = drawn[-1][:, None]
    return torch.stack(drawn, dim=1)


@wrong("generate", "the whole text is fed each time, on top of the state that has read it")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    text, state = prime, None
    for _ in range(length):
        logits, state = model(text, state)
        new = _draw(logits[:, -1], temperature, top_k, rng)
        text = torch.cat([text, new[:, None]], dim=1)
    return text[:, prime.shape[1] :]


@wrong("generate", "the last character of the beginning is fed twice")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    _, state = model(prime, None)
    feed, drawn = prime[:, -1:], []
    for _ in range(length):
        logits, state = model(feed, state)
        new = _draw(logits[:, -1], temperature, top_k, rng)
        drawn.append(new)
        feed = new.unsqueeze(1)
    return torch.stack(drawn, dim=1)


@wrong("generate", "the first draw is from the logits of the beginning's first step")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    feed, state, drawn = prime, None, []
    for _ in range(length):
        logits, state = model(feed, state)
        drawn.append(_draw(logits[:, 0], temperature, top_k, rng))
        feed = drawn[-1][:, None]
    return torch.stack(drawn, dim=1)


@wrong("generate", "the beginning is returned as well")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    feed, state, text = prime, None, prime
    for _ in range(length):
        logits, state = model(feed, state)
        feed = _draw(logits[:, -1], temperature, top_k, rng)[:, None]
        text = torch.cat([text, feed], dim=1)
    return text


@wrong("generate", "the gradients are on")
def generate(model, prime, length, temperature, top_k, rng):
    feed, state, drawn = prime, None, []
    for _ in range(length):
        logits, state = model(feed, state)
        drawn.append(_draw(logits[:, -1], temperature, top_k, rng))
        feed = drawn[-1][:, None]
    return torch.stack(drawn, dim=1)


@wrong("generate", "one character too few")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    logits, state = model(prime, None)
    new = _draw(logits[:, -1], temperature, top_k, rng)
    drawn = prime.new_empty(len(prime), 0)
    for _ in range(length - 1):
        drawn = torch.cat([drawn, new[:, None]], dim=1)
        logits, state = model(new[:, None], state)
        new = _draw(logits[:, -1], temperature, top_k, rng)
    return drawn


@wrong("generate", "one character too many")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    logits, state = model(prime, None)
    drawn = [_draw(logits[:, -1], temperature, top_k, rng)]
    for _ in range(length):
        logits, state = model(drawn[-1][:, None], state)
        drawn.append(_draw(logits[:, -1], temperature, top_k, rng))
    return torch.stack(drawn, dim=1)


@wrong("generate", "the likeliest is taken each time, nothing is drawn")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    feed, state, drawn = prime, None, []
    for _ in range(length):
        logits, state = model(feed, state)
        feed = logits[:, -1:].argmax(dim=2)
        drawn.append(feed)
    return torch.cat(drawn, dim=1)


@wrong("generate", "the temperature is not handed on")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    feed, state, drawn = prime, None, []
    for _ in range(length):
        logits, state = model(feed, state)
        drawn.append(_draw(logits[:, -1], 1.0, top_k, rng))
        feed = drawn[-1][:, None]
    return torch.stack(drawn, dim=1)


@wrong("generate", "top_k is not handed on")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    feed, state, drawn = prime, None, []
    for _ in range(length):
        logits, state = model(feed, state)
        drawn.append(_draw(logits[:, -1], temperature, None, rng))
        feed = drawn[-1][:, None]
    return torch.stack(drawn, dim=1)


@wrong("generate", "a new generator of seed 0 in place of the one handed in")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    rng = torch.Generator().manual_seed(0)
    feed, state, drawn = prime, None, []
    for _ in range(length):
        logits, state = model(feed, state)
        drawn.append(_draw(logits[:, -1], temperature, top_k, rng))
        feed = drawn[-1][:, None]
    return torch.stack(drawn, dim=1)


@wrong("generate", "the axes are (length, B)")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    feed, state, drawn = prime, None, []
    for _ in range(length):
        logits, state = model(feed, state)
        drawn.append(_draw(logits[:, -1], temperature, top_k, rng))
        feed = drawn[-1][:, None]
    return torch.stack(drawn)


@wrong("generate", "reshape in place of a transpose: the characters of the texts are mixed")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    feed, state, drawn = prime, None, []
    for _ in range(length):
        logits, state = model(feed, state)
        drawn.append(_draw(logits[:, -1], temperature, top_k, rng))
        feed = drawn[-1][:, None]
    return torch.cat(drawn).reshape(len(prime), length)


@wrong("generate", "the beginning's last character is fed at every step, not what was drawn")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    logits, state = model(prime, None)
    drawn = [_draw(logits[:, -1], temperature, top_k, rng)]
    for _ in range(length - 1):
        logits, state = model(prime[:, -1:], state)
        drawn.append(_draw(logits[:, -1], temperature, top_k, rng))
    return torch.stack(drawn, dim=1)


@wrong("generate", "all characters are drawn from the logits of the beginning")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    logits, _ = model(prime, None)
    drawn = [_draw(logits[:, -1], temperature, top_k, rng) for _ in range(length)]
    return torch.stack(drawn, dim=1)


@wrong("generate", "what the first text drew is fed to all texts")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    feed, state, drawn = prime, None, []
    for _ in range(length):
        logits, state = model(feed, state)
        drawn.append(_draw(logits[:, -1], temperature, top_k, rng))
        feed = torch.full((len(prime), 1), int(drawn[-1][0]))
    return torch.stack(drawn, dim=1)


@wrong("generate", "the beginning's last character is not fed")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    feed, state, drawn = prime[:, :-1] if prime.shape[1] > 1 else prime, None, []
    for _ in range(length):
        logits, state = model(feed, state)
        drawn.append(_draw(logits[:, -1], temperature, top_k, rng))
        feed = drawn[-1][:, None]
    return torch.stack(drawn, dim=1)


@wrong("generate", "prime is shifted in place, and what was drawn written into it")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    logits, state = model(prime, None)
    drawn = []
    for _ in range(length):
        new = _draw(logits[:, -1], temperature, top_k, rng)
        drawn.append(new)
        prime[:, :-1] = prime[:, 1:].clone()
        prime[:, -1] = new
        logits, state = model(prime[:, -1:], state)
    return torch.stack(drawn, dim=1)


@wrong("generate", "the last column is never filled in: uninitialised memory")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    new = torch.empty(len(prime), length, dtype=torch.long)
    logits, state = model(prime, None)
    for t in range(length - 1):
        new[:, t] = _draw(logits[:, -1], temperature, top_k, rng)
        logits, state = model(new[:, t : t + 1], state)
    return new


@wrong("generate", "the state is set back after each fifth character")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    feed, state, drawn = prime, None, []
    for t in range(length):
        if t and t % 5 == 0:
            state = None
        logits, state = model(feed, state)
        drawn.append(_draw(logits[:, -1], temperature, top_k, rng))
        feed = drawn[-1][:, None]
    return torch.stack(drawn, dim=1)


@wrong("generate", "every second character drawn is not fed: two draws from the same logits")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    logits, state = model(prime, None)
    drawn = []
    while len(drawn) < length:
        drawn.append(_draw(logits[:, -1], temperature, top_k, rng))
        if len(drawn) < length:
            drawn.append(_draw(logits[:, -1], temperature, top_k, rng))
        logits, state = model(drawn[-1][:, None], state)
    return torch.stack(drawn, dim=1)


@wrong("generate", "only the beginning's last character is fed", "time is the first axis")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    feed, state, drawn = prime[:, -1:], None, []
    for _ in range(length):
        logits, state = model(feed, state)
        new = _draw(logits[:, -1], temperature, top_k, rng)
        drawn.append(new)
        feed = new[:, None]
    return torch.stack(drawn, dim=0)


@wrong("generate", "no_grad is missing", "the new text is returned behind the beginning")
def generate(model, prime, length, temperature, top_k, rng):
    feed, state, text = prime, None, [prime]
    for _ in range(length):
        logits, state = model(feed, state)
        feed = _draw(logits[:, -1].detach(), temperature, top_k, rng).unsqueeze(-1)
        text.append(feed)
    return torch.cat(text, dim=1)


@wrong("generate", "the state is not carried", "the first text only is returned, (length,)")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    feed, drawn = prime, []
    for _ in range(length):
        logits, _ = model(feed)
        feed = _draw(logits[:, -1], temperature, top_k, rng)[:, None]
        drawn.append(feed[0, 0].item())
    return torch.tensor(drawn)


def _writing(model, prime, temperature, top_k, rng):
    """Yield columns (B,) without end."""
    feed, state = prime, None
    while True:
        with torch.no_grad():
            logits, state = model(feed, state)
            column = _draw(logits.select(1, -1), temperature, top_k, rng)
        yield column
        feed = column.unsqueeze(1)


@right("generate", "a generator without end, of which the first columns are taken")
def generate(model, prime, length, temperature, top_k, rng):
    columns = list(itertools.islice(_writing(model, prime, temperature, top_k, rng), length))
    return torch.stack(columns, dim=1) if columns else prime[:, :0].clone()


@right("generate", "recursion: one character, then the rest")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    def write(feed, state, left):
        if not left:
            return feed[:, :0]
        logits, state = model(feed, state)
        new = _draw(logits[:, -1], temperature, top_k, rng)[:, None]
        return torch.cat([new, write(new, state, left - 1)], dim=1)

    return write(prime, None, length)


@right("generate", "the beginning read column by column, the result filled in")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    batch, read = prime.shape
    text = torch.cat([prime, torch.zeros(batch, length, dtype=torch.long)], dim=1)
    state = None
    for t in range(read + length - 1):
        logits, state = model(text[:, t : t + 1], state)
        if t + 1 >= read:
            text[:, t + 1] = _draw(logits[:, 0], temperature, top_k, rng)
    return text[:, read:]


@dataclasses.dataclass
class _Pen:
    model: object
    temperature: float
    top_k: int | None
    rng: torch.Generator
    state: object = None

    def __call__(self, feed):
        logits, self.state = self.model(feed, self.state)
        return _draw(logits[:, -1, :], self.temperature, self.top_k, self.rng).view(-1, 1)


@right("generate", "an object that keeps the state, and itertools.accumulate")
def generate(model, prime, length, temperature, top_k, rng):
    before = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    try:
        pen = _Pen(model, temperature, top_k, rng)
        texts = itertools.accumulate(range(length), lambda feed, _: pen(feed), initial=prime)
        return torch.cat([prime[:, :0], *itertools.islice(texts, 1, None)], dim=1)
    finally:
        torch.set_grad_enabled(before)


@right("generate", "beginning in two halves, numbers kept in lists, Gumbel noise of float64")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    state, middle = None, prime.shape[1] // 2
    if middle:
        _, state = model(prime[:, :middle], state)
    texts, feed = [[] for _ in prime], prime[:, middle:]
    for _ in range(length):
        logits, state = model(feed, state)
        scores = _cut_tail(logits[:, -1].double() / temperature, top_k)
        u = torch.rand(scores.shape, generator=rng, dtype=torch.float64)
        best = (scores - (-u.log()).log()).argmax(dim=1).tolist()
        for text, number in zip(texts, best):
            text.append(number)
        feed = torch.tensor(best)[:, None]
    return torch.tensor(texts, dtype=torch.long).reshape(len(prime), length)


# --------------------------------------------------------------------------------- mark_defects


@wrong("mark_defects", "F: a softmax before the cross entropy")
def mark_defects():
    return {"A": 5, "B": 2, "C": 0, "D": 7, "E": 3, "F": 4, "G": 1, "H": 6}


@wrong("mark_defects", "G: nothing to be done to the draw")
def mark_defects():
    return {"A": 5, "B": 2, "C": 0, "D": 7, "E": 3, "F": 0, "G": 0, "H": 6}


@wrong("mark_defects", "G: a softmax first, which the line has")
def mark_defects():
    return {"A": 5, "B": 2, "C": 0, "D": 7, "E": 3, "F": 0, "G": 4, "H": 6}


@wrong("mark_defects", "H: nothing to be done to the printed loss")
def mark_defects():
    return {"A": 5, "B": 2, "C": 0, "D": 7, "E": 3, "F": 0, "G": 1, "H": 0}


@wrong("mark_defects", "D: nothing to be done to an update for each character")
def mark_defects():
    return {"A": 5, "B": 2, "C": 0, "D": 0, "E": 3, "F": 0, "G": 1, "H": 6}


@wrong("mark_defects", "B: a batch axis, where one-hot rows are missing")
def mark_defects():
    return {"A": 5, "B": 5, "C": 0, "D": 7, "E": 3, "F": 0, "G": 1, "H": 6}


@wrong("mark_defects", "A: one-hot rows, which it has")
def mark_defects():
    return {"A": 2, "B": 2, "C": 0, "D": 7, "E": 3, "F": 0, "G": 1, "H": 6}


@wrong("mark_defects", "A: nothing, as if one row without batch axis were enough")
def mark_defects():
    return {"A": 0, "B": 2, "C": 0, "D": 7, "E": 3, "F": 0, "G": 1, "H": 6}


@wrong("mark_defects", "C: to be moved into the repair of line D, though zero_grad stands right")
def mark_defects():
    return {"A": 5, "B": 2, "C": 7, "D": 7, "E": 3, "F": 0, "G": 1, "H": 6}


@wrong("mark_defects", "E: nothing, as if one character were prompt enough")
def mark_defects():
    return {"A": 5, "B": 2, "C": 0, "D": 7, "E": 0, "F": 0, "G": 1, "H": 6}


@wrong("mark_defects", "E: one-hot rows, the repair of the line below it")
def mark_defects():
    answers = dict(A=5, B=2, C=0, D=7, E=3, F=0, G=1, H=6)
    answers["E"] = answers["B"]
    return answers


@wrong("mark_defects", "C is missing, since nothing is to be done to it")
def mark_defects():
    return {"A": 5, "B": 2, "D": 7, "E": 3, "F": 0, "G": 1, "H": 6}


@wrong("mark_defects", "the letters stand as small ones")
def mark_defects():
    return {"a": 5, "b": 2, "c": 0, "d": 7, "e": 3, "f": 0, "g": 1, "h": 6}


@wrong("mark_defects", "the other way round: repair -> letter")
def mark_defects():
    return {5: "A", 2: "B", 0: "C", 7: "D", 3: "E", 4: "F", 1: "G", 6: "H"}


@wrong("mark_defects", "F: a softmax first", "H: nothing to be done")
def mark_defects():
    return {"A": 5, "B": 2, "C": 0, "D": 7, "E": 3, "F": 4, "G": 1, "H": 0}


@wrong("mark_defects", "A has the repair of line B", "B has the repair of line A")
def mark_defects():
    return {"A": 2, "B": 5, "C": 0, "D": 7, "E": 3, "F": 0, "G": 1, "H": 6}


@wrong("mark_defects", "D: measure on held-out text", "H: give it a whole chunk")
def mark_defects():
    return {"A": 5, "B": 2, "C": 0, "D": 6, "E": 3, "F": 0, "G": 1, "H": 7}


@right("mark_defects", "zip of letters and digits")
def mark_defects():
    return dict(zip("ABCDEFGH", map(int, "52073016")))


@right("mark_defects", "from the list of repairs, turned round, and zeros for the rest")
def mark_defects():
    line_of = {1: "G", 2: "B", 3: "E", 5: "A", 6: "H", 7: "D"}
    return dict.fromkeys("CF", 0) | {letter: repair for repair, letter in line_of.items()}


@right("mark_defects", "a comprehension over places in a word")
def mark_defects():
    return {letter: 1 + "GBE AHD".find(letter) for letter in "ABCDEFGH"}


@right("mark_defects", "a dict with default 0, in which every letter was asked for")
def mark_defects():
    marks = collections.defaultdict(int)
    marks.update(H=6, G=1, E=3, D=7, B=2, A=5)
    for letter in "ABCDEFGH":
        marks[letter] += 0
    return marks


@right("mark_defects", "the digits of one number, letter by letter")
def mark_defects():
    marks, rest = {}, 52073016
    for letter in "HGFEDCBA":
        rest, marks[letter] = divmod(rest, 10)
    return marks
