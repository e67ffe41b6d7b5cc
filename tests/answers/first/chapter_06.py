"""Answers to the exercises of chapter 6, written before their checks were seen."""

import math
import random as python_random
from itertools import accumulate
from operator import xor
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tests.answers import right, wrong

# ------------------------------------------------------------------------------- parity_batch


@wrong("parity_batch", "the sum runs over the sequences of the batch, not along time")
def parity_batch(batch_size, T, seed):
    rng = torch.Generator().manual_seed(seed)
    x = torch.randint(0, 2, (batch_size, T), generator=rng)
    return x, x.cumsum(dim=0) % 2


@wrong("parity_batch", "an answer counts the bits before its step, without the bit of the step")
def parity_batch(batch_size, T, seed):
    rng = torch.Generator().manual_seed(seed)
    x = torch.randint(0, 2, (batch_size, T), generator=rng)
    return x, (x.cumsum(dim=1) - x) % 2


@wrong("parity_batch", "the generator is made but not handed on, so a seed gives many batches")
def parity_batch(batch_size, T, seed):
    rng = torch.Generator()
    rng.manual_seed(seed)
    x = torch.randint(2, (batch_size, T))
    return x, x.cumsum(dim=1) % 2


@wrong("parity_batch", "the seed is not used: every seed gives the batch of seed 0")
def parity_batch(batch_size, T, seed):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, size=(batch_size, T))
    return x, x.cumsum(axis=1) % 2


@wrong("parity_batch", "one sequence is drawn and repeated for the whole batch")
def parity_batch(batch_size, T, seed):
    rng = np.random.default_rng(seed)
    x = np.tile(rng.integers(0, 2, size=T), (batch_size, 1))
    return x, np.cumsum(x, axis=1) % 2


@wrong("parity_batch", "the bits are floating point numbers, 0.0 and 1.0")
def parity_batch(batch_size, T, seed):
    rng = torch.Generator().manual_seed(seed)
    x = torch.rand(batch_size, T, generator=rng).round()
    return x, x.cumsum(dim=1).long() % 2


@wrong("parity_batch", "integers(0, 1) leaves the 1 out, so all bits are 0")
def parity_batch(batch_size, T, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 1, size=(batch_size, T))
    return x, np.cumsum(x, axis=1) % 2


_generators = {}


@wrong("parity_batch", "a generator is kept for each seed and goes on, so the second call differs")
def parity_batch(batch_size, T, seed):
    if seed not in _generators:
        _generators[seed] = torch.Generator().manual_seed(seed)
    x = torch.randint(0, 2, (batch_size, T), generator=_generators[seed])
    return x, x.cumsum(dim=1).remainder(2)


@wrong("parity_batch", "x is of bool", "y is 1 where the sum is even")
def parity_batch(batch_size, T, seed):
    rng = torch.Generator().manual_seed(seed)
    x = torch.rand(batch_size, T, generator=rng) < 0.5
    return x, (x.cumsum(dim=1) + 1) % 2


@right("parity_batch", "pure Python: random.Random and a running exclusive or")
def parity_batch(batch_size, T, seed):
    rng = python_random.Random(seed)
    x = [[rng.getrandbits(1) for _ in range(T)] for _ in range(batch_size)]
    y = [list(accumulate(bits, xor)) for bits in x]
    return torch.tensor(x), torch.tensor(y)


@right("parity_batch", "NumPy, and a prefix by doubling the reach of an exclusive or")
def parity_batch(batch_size, T, seed):
    rng = np.random.default_rng(seed)
    x = (rng.random((batch_size, T)) < 0.5).astype(np.int64)
    y, reach = x.copy(), 1
    while reach < T:
        y[:, reach:] = y[:, reach:] ^ y[:, :-reach]
        reach *= 2
    return x, y


@right("parity_batch", "a loop over the steps with a state that turns over, signs in place of bits")
def parity_batch(batch_size, T, seed):
    rng = torch.Generator().manual_seed(seed)
    x = torch.empty(batch_size, T).bernoulli_(0.5, generator=rng).to(torch.int64)
    sign, answers = torch.ones(batch_size, dtype=torch.int64), []
    for t in range(T):
        sign = sign * (1 - 2 * x[:, t])
        answers.append((1 - sign) // 2)
    return x, torch.stack(answers, dim=1)


# ------------------------------------------------------------------------------- recall_batch


@wrong("recall_batch", "keys are drawn with replacement, so a sequence may have one twice")
def recall_batch(batch_size, n, seed):
    rng = torch.Generator().manual_seed(seed)
    keys = torch.randint(0, 32, (batch_size, n), generator=rng)
    values = torch.randint(32, 64, (batch_size, n), generator=rng)
    order = torch.rand(batch_size, n, generator=rng).argsort(dim=1)
    pairs = torch.stack([keys, values], dim=2).flatten(1)
    return torch.cat([pairs, keys.gather(1, order)], dim=1), values.gather(1, order)


@wrong("recall_batch", "values are drawn from 32 to 64, the end included")
def recall_batch(batch_size, n, seed):
    rng = python_random.Random(seed)
    x, y = [], []
    for _ in range(batch_size):
        keys = rng.sample(range(32), n)
        table = {key: rng.randint(32, 64) for key in keys}
        asked = rng.sample(keys, n)
        x.append([number for pair in table.items() for number in pair] + asked)
        y.append([table[key] for key in asked])
    return torch.tensor(x), torch.tensor(y)


@wrong("recall_batch", "one order is drawn for the whole batch, not one for each sequence")
def recall_batch(batch_size, n, seed):
    rng = torch.Generator().manual_seed(seed)
    keys = torch.rand(batch_size, 32, generator=rng).argsort(dim=1)[:, :n]
    values = torch.randint(32, 64, (batch_size, n), generator=rng)
    order = torch.randperm(n, generator=rng)
    pairs = torch.stack([keys, values], dim=2).reshape(batch_size, 2 * n)
    return torch.cat([pairs, keys[:, order]], dim=1), values[:, order]


@wrong("recall_batch", "the values are put in the inverse of the order in which the keys are asked")
def recall_batch(batch_size, n, seed):
    rng = torch.Generator().manual_seed(seed)
    keys = torch.rand(batch_size, 32, generator=rng).argsort(dim=1)[:, :n]
    values = torch.randint(32, 64, (batch_size, n), generator=rng)
    order = torch.rand(batch_size, n, generator=rng).argsort(dim=1)
    pairs = torch.stack([keys, values], dim=2).flatten(1)
    asked = keys.gather(1, order)
    return torch.cat([pairs, asked], dim=1), values.gather(1, order.argsort(dim=1))


@wrong("recall_batch", "values are drawn without replacement as keys are, so they never repeat")
def recall_batch(batch_size, n, seed):
    rng = torch.Generator().manual_seed(seed)
    keys = torch.rand(batch_size, 32, generator=rng).argsort(dim=1)[:, :n]
    values = 32 + torch.rand(batch_size, 32, generator=rng).argsort(dim=1)[:, :n]
    order = torch.rand(batch_size, n, generator=rng).argsort(dim=1)
    pairs = torch.stack([keys, values], dim=2).flatten(1)
    return torch.cat([pairs, keys.gather(1, order)], dim=1), values.gather(1, order)


@wrong("recall_batch", "the keys are the numbers 0 to n - 1 in some order, not n of the 32")
def recall_batch(batch_size, n, seed):
    rng = np.random.default_rng(seed)
    keys = rng.permuted(np.tile(np.arange(n), (batch_size, 1)), axis=1)
    values = rng.integers(32, 64, size=(batch_size, n))
    order = rng.random((batch_size, n)).argsort(axis=1)
    x = np.empty((batch_size, 3 * n), dtype=np.int64)
    x[:, 0 : 2 * n : 2], x[:, 1 : 2 * n : 2] = keys, values
    x[:, 2 * n :] = np.take_along_axis(keys, order, axis=1)
    return x, np.take_along_axis(values, order, axis=1)


@wrong("recall_batch", "the order is drawn without the generator, so a seed gives many batches")
def recall_batch(batch_size, n, seed):
    rng = torch.Generator().manual_seed(seed)
    keys = torch.rand(batch_size, 32, generator=rng).argsort(dim=1)[:, :n]
    values = torch.randint(32, 64, (batch_size, n), generator=rng)
    order = torch.stack([torch.randperm(n) for _ in range(batch_size)])
    pairs = torch.stack([keys, values], dim=2).flatten(1)
    return torch.cat([pairs, keys.gather(1, order)], dim=1), values.gather(1, order)


@wrong("recall_batch", "all keys come first and then all values, not key, value, key, value")
def recall_batch(batch_size, n, seed):
    rng = torch.Generator().manual_seed(seed)
    keys = torch.rand(batch_size, 32, generator=rng).argsort(dim=1)[:, :n]
    values = torch.randint(32, 64, (batch_size, n), generator=rng)
    order = torch.rand(batch_size, n, generator=rng).argsort(dim=1)
    x = torch.cat([keys, values, keys.gather(1, order)], dim=1)
    return x, values.gather(1, order)


@wrong(
    "recall_batch",
    "the keys are asked in the order in which they came",
    "y counts the values from 0: 32 is taken off",
)
def recall_batch(batch_size, n, seed):
    rng = np.random.default_rng(seed)
    keys = np.stack([rng.choice(32, size=n, replace=False) for _ in range(batch_size)])
    values = rng.integers(32, 64, size=(batch_size, n))
    pairs = np.stack([keys, values], axis=2).reshape(batch_size, 2 * n)
    return np.concatenate([pairs, keys], axis=1), values - 32


@right("recall_batch", "pure Python: a dict for each sequence, asked in a shuffled order")
def recall_batch(batch_size, n, seed):
    rng = python_random.Random(seed)
    x, y = [], []
    for _ in range(batch_size):
        table = {key: rng.randrange(32, 64) for key in rng.sample(range(32), k=n)}
        asked = list(table)
        rng.shuffle(asked)
        x.append([*(number for pair in table.items() for number in pair), *asked])
        y.append([table[key] for key in asked])
    return torch.tensor(x), torch.tensor(y)


@right("recall_batch", "NumPy: the values of all 32 keys are drawn, and rows are permuted twice")
def recall_batch(batch_size, n, seed):
    rng = np.random.default_rng(seed)
    tables = rng.integers(32, 64, size=(batch_size, 32))  # what each key would have as its value
    keys = rng.permuted(np.tile(np.arange(32), (batch_size, 1)), axis=1)[:, :n]
    asked = rng.permuted(keys, axis=1)
    rows = np.arange(batch_size)[:, None]
    x = np.zeros((batch_size, 3 * n), dtype=np.int64)
    x[:, : 2 * n : 2] = keys
    x[:, 1 : 2 * n : 2] = tables[rows, keys]
    x[:, 2 * n :] = asked
    return x, tables[rows, asked]


@right("recall_batch", "torch.multinomial draws the keys, and the values are found by comparing")
def recall_batch(batch_size, n, seed):
    rng = torch.Generator().manual_seed(seed)
    keys = torch.multinomial(torch.ones(batch_size, 32), n, generator=rng)
    values = torch.randint(32, 64, (batch_size, n), generator=rng)
    asked = torch.stack([row[torch.randperm(n, generator=rng)] for row in keys])
    same = asked[:, :, None] == keys[:, None, :]
    y = (same * values[:, None, :]).sum(dim=2)
    return torch.hstack([torch.dstack([keys, values]).flatten(1), asked]), y


# --------------------------------------------------------------------------- causal_attention


def _split(x, num_heads):
    """Return (B, H, T, d) of (B, T, D)."""
    return x.unflatten(2, (num_heads, -1)).transpose(1, 2)


def _join(x):
    """Return (B, T, D) of (B, H, T, d)."""
    return x.transpose(1, 2).flatten(2)


@wrong("causal_attention", "scores are divided by the root of D, not of D / H: right for one head")
def causal_attention(q, k, v, num_heads):
    T, D = q.shape[1:]
    q, k, v = (_split(x, num_heads) for x in (q, k, v))
    scores = q @ k.mT / math.sqrt(D)
    ahead = torch.ones(T, T).triu(1).bool()
    return _join(scores.masked_fill(ahead, -torch.inf).softmax(dim=-1) @ v)


@wrong("causal_attention", "a view to (B, H, T, d) moves no axis, so heads and steps are mixed")
def causal_attention(q, k, v, num_heads):
    B, T, D = q.shape
    d = D // num_heads
    q, k, v = (x.reshape(B, num_heads, T, d) for x in (q, k, v))
    scores = q @ k.transpose(2, 3) / d**0.5
    scores = scores.masked_fill(torch.ones(T, T).triu(1) == 1, float("-inf"))
    return (scores.softmax(dim=3) @ v).reshape(B, T, D)


@wrong("causal_attention", "heads are interleaved: head h has every H-th number, not a stretch")
def causal_attention(q, k, v, num_heads):
    T = q.shape[1]
    q, k, v = (x.unflatten(2, (-1, num_heads)).permute(0, 3, 1, 2) for x in (q, k, v))
    scores = q @ k.mT / q.shape[3] ** 0.5
    scores = scores.masked_fill(torch.ones(T, T).triu(1).bool(), -torch.inf)
    return (scores.softmax(dim=-1) @ v).permute(0, 2, 3, 1).flatten(2)


@wrong("causal_attention", "triu(2) lets a step look one step ahead")
def causal_attention(q, k, v, num_heads):
    T = q.shape[1]
    q, k, v = (_split(x, num_heads) for x in (q, k, v))
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    ahead = torch.ones(T, T).triu(2).bool()
    return _join(scores.masked_fill(ahead, -torch.inf).softmax(dim=-1) @ v)


@wrong("causal_attention", "a step does not see itself, except the first, which sees nothing else")
def causal_attention(q, k, v, num_heads):
    T = q.shape[1]
    q, k, v = (_split(x, num_heads) for x in (q, k, v))
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    hidden = torch.ones(T, T).triu(0).bool()
    hidden[0, 0] = False
    return _join(scores.masked_fill(hidden, -torch.inf).softmax(dim=-1) @ v)


@wrong("causal_attention", "scores that are 0 are taken for masked ones, also when they are not")
def causal_attention(q, k, v, num_heads):
    q, k, v = (_split(x, num_heads) for x in (q, k, v))
    scores = (q @ k.mT / math.sqrt(q.shape[-1])).tril()
    scores = scores.masked_fill(scores == 0, -torch.inf)
    return _join(torch.softmax(scores, dim=-1) @ v)


@wrong("causal_attention", "the heads are joined without moving their axis back behind the steps")
def causal_attention(q, k, v, num_heads):
    B, T, D = q.shape
    q, k, v = (_split(x, num_heads) for x in (q, k, v))
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    ahead = torch.ones(T, T, dtype=torch.bool).triu(1)
    weights = scores.masked_fill(ahead, -torch.inf).softmax(dim=-1)
    return (weights @ v).reshape(B, T, D)


@wrong("causal_attention", "steps ahead get a score of -10, so a little of them leaks in")
def causal_attention(q, k, v, num_heads):
    T = q.shape[1]
    q, k, v = (_split(x, num_heads) for x in (q, k, v))
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    ahead = torch.ones(T, T).triu(1).bool()
    return _join(scores.masked_fill(ahead, -10.0).softmax(dim=-1) @ v)


@wrong("causal_attention", "the mask comes after the softmax, so weights do not sum to 1")
def causal_attention(q, k, v, num_heads):
    q, k, v = (_split(x, num_heads) for x in (q, k, v))
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-1)
    return _join(weights.tril() @ v)


@right("causal_attention", "einsum in each head, and a softmax written out")
def causal_attention(q, k, v, num_heads):
    d, T = q.shape[2] // num_heads, q.shape[1]
    past = torch.arange(T)[:, None] >= torch.arange(T)
    outputs = []
    for q_h, k_h, v_h in zip(q.split(d, dim=2), k.split(d, dim=2), v.split(d, dim=2)):
        scores = torch.einsum("btd,bsd->bts", q_h, k_h) / d**0.5
        scores = torch.where(past, scores, -torch.inf)
        weights = torch.exp(scores - scores.amax(dim=2, keepdim=True))
        sums = torch.einsum("bts,bsd->btd", weights, v_h)
        outputs.append(sums / weights.sum(dim=2, keepdim=True))
    return torch.cat(outputs, dim=2)


@right("causal_attention", "a loop over the steps: each looks at a slice, and no mask is needed")
def causal_attention(q, k, v, num_heads):
    B, T, D = q.shape
    q, k, v = (x.reshape(B, T, num_heads, -1) for x in (q, k, v))
    rows = []
    for t in range(T):
        scores = (q[:, t, None] * k[:, : t + 1]).sum(dim=3) / math.sqrt(D / num_heads)
        weights = F.softmax(scores, dim=1)  # (B, t + 1, H)
        rows.append((weights[..., None] * v[:, : t + 1]).sum(dim=1).reshape(B, D))
    return torch.stack(rows, dim=1)


@right("causal_attention", "one pass over the keys with a running largest score (flash attention)")
def causal_attention(q, k, v, num_heads):
    T = q.shape[1]
    q, k, v = (_split(x, num_heads) for x in (q, k, v))
    q = q * q.shape[3] ** -0.5
    largest = torch.full_like(q[..., :1], -torch.inf)
    over, under = torch.zeros_like(v), torch.zeros_like(q[..., :1])
    for s in range(T):
        score = (q * k[:, :, s : s + 1]).sum(dim=3, keepdim=True)
        seen = (torch.arange(T) >= s)[:, None]
        new = torch.where(seen, torch.maximum(largest, score), largest).detach()
        # where nothing has been seen there is nothing to rescale
        rescale = torch.where(largest.isinf(), torch.zeros_like(new), (largest - new).exp())
        weight = torch.where(seen, (score - torch.where(seen, new, score)).exp(), 0.0)
        over = over * rescale + weight * v[:, :, s : s + 1]
        under = under * rescale + weight
        largest = new
    return _join(over / under)


# ----------------------------------------------------------------------------- attention_step


def _look(q_t, keys, values, num_heads):
    """Return (B, D): one query (B, D) looks at all of the keys (B, T, D)."""
    looked = F.scaled_dot_product_attention(
        _split(q_t[:, None], num_heads), _split(keys, num_heads), _split(values, num_heads)
    )
    return _join(looked)[:, 0]


@wrong("attention_step", "is_causal=True, which lets the only query see the first key and no other")
def attention_step(q_t, k_t, v_t, cache, num_heads):
    k, v = k_t[:, None], v_t[:, None]
    if cache is not None:
        k, v = torch.cat([cache[0], k], dim=1), torch.cat([cache[1], v], dim=1)
    q_h, k_h, v_h = (_split(x, num_heads) for x in (q_t[:, None], k, v))
    looked = F.scaled_dot_product_attention(q_h, k_h, v_h, is_causal=True)
    return looked.transpose(1, 2).flatten(2).squeeze(1), (k, v)


@wrong("attention_step", "the lists of the cache that is given are appended to, and returned")
def attention_step(q_t, k_t, v_t, cache, num_heads):
    if cache is None:
        cache = ([], [])
    cache[0].append(k_t)
    cache[1].append(v_t)
    keys, values = (torch.stack(kept, dim=1) for kept in cache)
    return _look(q_t, keys, values, num_heads), cache


@wrong("attention_step", "new keys are written into the buffer of the cache that is given")
def attention_step(q_t, k_t, v_t, cache, num_heads):
    if cache is None:
        cache = (q_t.new_zeros(2, q_t.shape[0], 64, q_t.shape[1]), 0)
    kept, length = cache
    if length == kept.shape[2]:
        kept = torch.cat([kept, torch.zeros_like(kept)], dim=2)
    kept[0, :, length] = k_t
    kept[1, :, length] = v_t
    length += 1
    return _look(q_t, kept[0, :, :length], kept[1, :, :length], num_heads), (kept, length)


@wrong("attention_step", "steps are kept along the axis of the batch, which mixes it if B > 1")
def attention_step(q_t, k_t, v_t, cache, num_heads):
    keys = k_t if cache is None else torch.cat([cache[0], k_t])
    values = v_t if cache is None else torch.cat([cache[1], v_t])
    q, k, v = (x.unflatten(1, (num_heads, -1)) for x in (q_t, keys, values))
    weights = (torch.einsum("bhd,nhd->bhn", q, k) / q.shape[2] ** 0.5).softmax(dim=2)
    return torch.einsum("bhn,nhd->bhd", weights, v).flatten(1), (keys, values)


@wrong("attention_step", "the first step comes into the cache twice and gets double weight later")
def attention_step(q_t, k_t, v_t, cache, num_heads):
    k, v = k_t.unsqueeze(1), v_t.unsqueeze(1)
    if cache is None:
        cache = k, v
        keys, values = cache
        new = (torch.cat([keys, k], dim=1), torch.cat([values, v], dim=1))
    else:
        keys, values = torch.cat([cache[0], k], dim=1), torch.cat([cache[1], v], dim=1)
        new = (keys, values)
    return _look(q_t, keys, values, num_heads), new


@wrong("attention_step", "the cache has room for 32 steps, and older ones fall out")
def attention_step(q_t, k_t, v_t, cache, num_heads):
    k, v = k_t[:, None], v_t[:, None]
    if cache is not None:
        k = torch.cat([cache["k"], k], dim=1)[:, -32:]
        v = torch.cat([cache["v"], v], dim=1)[:, -32:]
    return _look(q_t, k, v, num_heads), {"k": k, "v": v}


_kept = []


@wrong("attention_step", "one list for all sequences; the cache only says when to begin it anew")
def attention_step(q_t, k_t, v_t, cache, num_heads):
    if cache is None:
        _kept.clear()
    _kept.append((k_t, v_t))
    keys, values = (torch.stack(kept, dim=1) for kept in zip(*_kept))
    return _look(q_t, keys, values, num_heads), len(_kept)


@wrong("attention_step", "a step looks before its own key and value are kept")
def attention_step(q_t, k_t, v_t, cache, num_heads):
    k, v = k_t[:, None], v_t[:, None]
    if cache is None:
        return v_t, (k, v)
    keys, values = cache
    o_t = _look(q_t, keys, values, num_heads)
    return o_t, (torch.cat([keys, k], dim=1), torch.cat([values, v], dim=1))


@wrong(
    "attention_step",
    "the scores of the output are divided by the root of D, not of D / H",
    "the list that is the cache is appended to",
)
def attention_step(q_t, k_t, v_t, cache, num_heads):
    cache = [] if cache is None else cache
    cache.append((k_t, v_t))
    q = q_t.unflatten(1, (num_heads, -1))
    k = torch.stack([k for k, _ in cache], dim=1).unflatten(2, (num_heads, -1))
    v = torch.stack([v for _, v in cache], dim=1).unflatten(2, (num_heads, -1))
    weights = (torch.einsum("bhd,bthd->bht", q, k) / q_t.shape[1] ** 0.5).softmax(dim=2)
    return torch.einsum("bht,bthd->bhd", weights, v).flatten(1), cache


@right("attention_step", "the cache is a tuple of pairs that grows, and heads are done one by one")
def attention_step(q_t, k_t, v_t, cache, num_heads):
    cache = (cache or ()) + ((k_t, v_t),)
    keys = torch.stack([k for k, _ in cache], dim=2)  # (B, D, t)
    values = torch.stack([v for _, v in cache], dim=2)
    d, outputs = q_t.shape[1] // num_heads, []
    for first in range(0, q_t.shape[1], d):
        part = slice(first, first + d)
        scores = (q_t[:, part, None] * keys[:, part]).sum(dim=1) / math.sqrt(d)
        outputs.append((values[:, part] * scores.softmax(dim=1)[:, None]).sum(dim=2))
    return torch.cat(outputs, dim=1), cache


@right("attention_step", "NumPy, and a dict of arrays (H, B, t, d), heads already split")
def attention_step(q_t, k_t, v_t, cache, num_heads):
    B, D = q_t.shape
    q, k, v = (
        np.asarray(x).reshape(B, 1, num_heads, D // num_heads).transpose(2, 0, 1, 3)
        for x in (q_t, k_t, v_t)
    )
    if cache is not None:
        k = np.concatenate([cache["keys"], k], axis=2)
        v = np.concatenate([cache["values"], v], axis=2)
    scores = (q * np.array(1 / math.sqrt(D / num_heads), q.dtype)) @ k.swapaxes(2, 3)
    weights = np.exp(scores - scores.max(axis=3, keepdims=True))
    weights /= weights.sum(axis=3, keepdims=True)
    o_t = (weights @ v).transpose(1, 2, 0, 3).reshape(B, D)
    return torch.from_numpy(o_t), {"keys": k, "values": v}


class _Cache:
    """Keys and values (B, t, 2D) side by side; never written to."""

    def __init__(self, kept):
        self.kept = kept

    def with_one_more(self, k_t, v_t):
        return _Cache(torch.cat([self.kept, torch.cat([k_t, v_t], dim=1)[:, None]], dim=1))

    def read(self, q_t, num_heads):
        keys, values = self.kept.chunk(2, dim=2)
        return _look(q_t, keys, values, num_heads)


@right("attention_step", "the cache is an object of a class, empty at first")
def attention_step(q_t, k_t, v_t, cache, num_heads):
    if cache is None:
        cache = _Cache(q_t.new_empty(q_t.shape[0], 0, 2 * q_t.shape[1]))
    cache = cache.with_one_more(k_t, v_t)
    return cache.read(q_t, num_heads), cache


# ------------------------------------------------------------------------------------ combine


@wrong("combine", "the second one comes first")
def combine(first, second):
    (a, b), (c, d) = second, first
    return c * a, c * b + d


@wrong("combine", "what is added is added up, without the second factor")
def combine(first, second):
    return second[0] * first[0], first[1] + second[1]


@wrong("combine", "the addition of the first is multiplied with the factor of the first")
def combine(first, second):
    a_1, b_1 = first
    a_2, b_2 = second
    return a_1 * a_2, a_1 * b_1 + b_2


@wrong("combine", "the factor is that of the second alone")
def combine(first, second):
    a_1, b_1 = first
    a_2, b_2 = second
    return a_2, a_2 * b_1 + b_2


@wrong("combine", "the pair comes back as (b, a)")
def combine(first, second):
    a_1, b_1 = first
    a_2, b_2 = second
    return a_2 * b_1 + b_2, a_2 * a_1


@wrong("combine", "the pair that is given first is overwritten with the result")
def combine(first, second):
    a, b = first
    a *= second[0]
    b *= second[0]
    b += second[1]
    return a, b


@wrong("combine", "factors are multiplied by adding logarithms: not a number for one below 0")
def combine(first, second):
    a_1, b_1 = first
    a_2, b_2 = second
    return (a_1.log() + a_2.log()).exp(), a_2 * b_1 + b_2


@wrong(
    "combine",
    "the factors are added up",
    "the second factor also multiplies what the second adds",
)
def combine(first, second):
    a_1, b_1 = first
    a_2, b_2 = second
    return a_1 + a_2, a_2 * (b_1 + b_2)


@right("combine", "2 by 2 matrices that map (h, 1), and their product")
def combine(first, second):
    def matrix(a, b):
        rows = [torch.stack([a, b], dim=-1), torch.tensor([0.0, 1.0]).to(a).expand(*a.shape, 2)]
        return torch.stack(rows, dim=-2)

    product = matrix(*second) @ matrix(*first)
    return product[..., 0, 0], product[..., 0, 1]


class _Step(NamedTuple):
    factor: torch.Tensor
    addition: torch.Tensor

    def __call__(self, h):
        return torch.addcmul(self.addition, self.factor, h)

    def then(self, other):
        return _Step(self.factor * other.factor, other(self.addition))


@right("combine", "a named tuple with a method `then`")
def combine(first, second):
    return _Step(*first).then(_Step(*second))


@right("combine", "in place, on copies of its own")
def combine(first, second):
    a, b = first[0].clone(), first[1].clone()
    b.mul_(second[0]).add_(second[1])
    a.mul_(second[0])
    return a, b


# ------------------------------------------------------------------------------ parallel_scan


@wrong("parallel_scan", "the number of rounds is rounded down: right only for powers of two")
def parallel_scan(combine, a, b):
    reach = 1
    for _ in range(int(math.log2(a.shape[1]))):
        joined = combine((a[:, :-reach], b[:, :-reach]), (a[:, reach:], b[:, reach:]))
        a = torch.cat([a[:, :reach], joined[0]], dim=1)
        b = torch.cat([b[:, :reach], joined[1]], dim=1)
        reach *= 2
    return a, b


@wrong("parallel_scan", "one round too many, with nothing to join, if T is a power of two")
def parallel_scan(combine, a, b):
    reach = 1
    while reach <= a.shape[1]:
        before = a[:, :-reach], b[:, :-reach]
        a_new, b_new = combine(before, (a[:, reach:], b[:, reach:]))
        a = torch.cat([a[:, :reach], a_new], dim=1)
        b = torch.cat([b[:, :reach], b_new], dim=1)
        reach *= 2
    return a, b


@wrong("parallel_scan", "the later steps are handed over as the first ones")
def parallel_scan(combine, a, b):
    reach = 1
    while reach < a.shape[1]:
        joined = combine((a[:, reach:], b[:, reach:]), (a[:, :-reach], b[:, :-reach]))
        a = torch.cat([a[:, :reach], joined[0]], dim=1)
        b = torch.cat([b[:, :reach], joined[1]], dim=1)
        reach *= 2
    return a, b


@wrong("parallel_scan", "the caller's a and b are overwritten")
def parallel_scan(combine, a, b):
    reach = 1
    while reach < a.shape[1]:
        new_a, new_b = combine((a[:, :-reach], b[:, :-reach]), (a[:, reach:], b[:, reach:]))
        a[:, reach:] = new_a
        b[:, reach:] = new_b
        reach *= 2
    return a, b


@wrong("parallel_scan", "torch.roll joins the first steps with the last ones, as in a circle")
def parallel_scan(combine, a, b):
    reach = 1
    while reach < a.shape[1]:
        a, b = combine((a.roll(reach, 1), b.roll(reach, 1)), (a, b))
        reach *= 2
    return a, b


@wrong("parallel_scan", "steps with nobody before are joined with a factor of 0, so all a are 0")
def parallel_scan(combine, a, b):
    T, reach = a.shape[1], 1
    while reach < T:
        before = [F.pad(x, (0, 0, reach, 0))[:, :T] for x in (a, b)]
        a, b = combine(tuple(before), (a, b))
        reach *= 2
    return a, b


def _rounds(combine, a, b):
    """Return the scan of a and b (B, T, D) along time, in as few rounds as there must be."""
    reach = 1
    while reach < a.shape[1]:
        joined = combine((a[:, :-reach], b[:, :-reach]), (a[:, reach:], b[:, reach:]))
        a = torch.cat([a[:, :reach], joined[0]], dim=1)
        b = torch.cat([b[:, :reach], joined[1]], dim=1)
        reach *= 2
    return a, b


@wrong("parallel_scan", "each sequence has rounds of its own: B times as many calls")
def parallel_scan(combine, a, b):
    pairs = [_rounds(combine, a[i : i + 1], b[i : i + 1]) for i in range(a.shape[0])]
    return torch.cat([pair[0] for pair in pairs]), torch.cat([pair[1] for pair in pairs])


@wrong("parallel_scan", "a loop: `combine` is called T - 1 times, with one step each time")
def parallel_scan(combine, a, b):
    pairs = [(a[:, :1], b[:, :1])]
    for t in range(1, a.shape[1]):
        pairs.append(combine(pairs[-1], (a[:, t : t + 1], b[:, t : t + 1])))
    return torch.cat([pair[0] for pair in pairs], 1), torch.cat([pair[1] for pair in pairs], 1)


@wrong(
    "parallel_scan",
    "a comes back as it was given",
    "b lacks the last round if T is no power of two",
)
def parallel_scan(combine, a, b):
    given, T, reach = a, a.shape[1], 1
    while 2 * reach <= T:
        joined = combine((a[:, :-reach], b[:, :-reach]), (a[:, reach:], b[:, reach:]))
        a = torch.cat([a[:, :reach], joined[0]], dim=1)
        b = torch.cat([b[:, :reach], joined[1]], dim=1)
        reach *= 2
    return given, b


@right("parallel_scan", "recursion over the reach")
def parallel_scan(combine, a, b):
    def from_reach(reach, a, b):
        if reach >= a.shape[1]:
            return a, b
        before, after = (a[:, :-reach], b[:, :-reach]), (a[:, reach:], b[:, reach:])
        stay, joined = (a[:, :reach], b[:, :reach]), combine(before, after)
        return from_reach(2 * reach, *(torch.cat(parts, dim=1) for parts in zip(stay, joined)))

    return from_reach(1, a, b)


@right("parallel_scan", "in place on copies of its own, for a number of rounds known before")
def parallel_scan(combine, a, b):
    a, b = a.clone(), b.clone()
    T = a.shape[1]
    for round_ in range((T - 1).bit_length()):
        r = 1 << round_
        new = combine(
            (a[:, : T - r].clone(), b[:, : T - r].clone()), (a[:, r:].clone(), b[:, r:].clone())
        )
        a[:, r:], b[:, r:] = new
    return a, b


@right("parallel_scan", "time is cut into steps, and a round stacks those that have a partner")
def parallel_scan(combine, a, b):
    steps = list(zip(a.unbind(1), b.unbind(1)))
    for reach in (2**r for r in range(math.ceil(math.log2(len(steps))))):
        firsts, seconds = (
            tuple(torch.stack(tensors, dim=1) for tensors in zip(*pairs))
            for pairs in (steps[:-reach], steps[reach:])
        )
        new_a, new_b = combine(firsts, seconds)
        steps = steps[:reach] + list(zip(new_a.unbind(1), new_b.unbind(1)))
    return tuple(torch.stack(tensors, dim=1) for tensors in zip(*steps))


@right("parallel_scan", "halves of blocks are joined to the end of the half before, as J. Sklansky")
def parallel_scan(combine, a, b):
    T, size = a.shape[1], 1
    steps = torch.arange(T)
    while size < T:
        later = steps[(steps // size) % 2 == 1]
        ends = later // size * size - 1
        new_a, new_b = combine((a[:, ends], b[:, ends]), (a[:, later], b[:, later]))
        a, b = a.index_copy(1, later, new_a), b.index_copy(1, later, new_b)
        size *= 2
    return a, b


# ------------------------------------------------------------------------------ scan_backward


def _reaching(a, g):
    """Return (B, T, D): what reaches each state, directly and through those after it."""
    e, reached = torch.zeros_like(g[:, 0]), []
    for t in reversed(range(g.shape[1])):
        e = g[:, t] + (a[:, t + 1] * e if t + 1 < g.shape[1] else 0)
        reached.append(e)
    return torch.stack(reached[::-1], dim=1)


def _before(h, h_0):
    """Return (B, T, D): the state before each step."""
    return torch.cat([h_0[:, None], h[:, :-1]], dim=1)


@wrong("scan_backward", "what comes from the next state is multiplied with a_t, not with a_{t+1}")
def scan_backward(a, h, h_0, g):
    e = torch.zeros_like(h_0)
    by_a, by_b = torch.zeros_like(a), torch.zeros_like(a)
    for t in reversed(range(a.shape[1])):
        e = g[:, t] + a[:, t] * e
        by_b[:, t] = e
        by_a[:, t] = e * (h[:, t - 1] if t > 0 else h_0)
    return by_a, by_b, a[:, 0] * e


@wrong("scan_backward", "the state before the first step is taken to be 0, so a_1 gets no gradient")
def scan_backward(a, h, h_0, g):
    e = _reaching(a, g)
    before = F.pad(h[:, :-1], (0, 0, 1, 0))
    return e * before, e, a[:, 0] * e[:, 0]


@wrong("scan_backward", "the gradient by a_t has h_t in it, not the state before")
def scan_backward(a, h, h_0, g):
    e = _reaching(a, g)
    return e * h, e, a[:, 0] * e[:, 0]


@wrong("scan_backward", "the gradient by h_0 lacks the first factor")
def scan_backward(a, h, h_0, g):
    e = _reaching(a, g)
    return e * _before(h, h_0), e, e[:, 0]


@wrong("scan_backward", "the gradient by b comes first, then that by a")
def scan_backward(a, h, h_0, g):
    e = _reaching(a, g)
    return e, e * _before(h, h_0), a[:, 0] * e[:, 0]


@wrong("scan_backward", "the gradient by h_0 is summed over the batch: right for a batch of one")
def scan_backward(a, h, h_0, g):
    e = _reaching(a, g)
    by_h_0 = (a[:, 0] * e[:, 0]).sum(dim=0, keepdim=True)
    return e * _before(h, h_0), e, by_h_0.expand(h_0.shape)


@wrong("scan_backward", "a sum is divided by products of factors, which fails at a factor of 0")
def scan_backward(a, h, h_0, g):
    product = a.cumprod(dim=1)
    e = (product * g).flip(1).cumsum(dim=1).flip(1) / product
    return e * _before(h, h_0), e, a[:, 0] * e[:, 0]


@wrong("scan_backward", "the caller's g is overwritten with what reaches each state")
def scan_backward(a, h, h_0, g):
    for t in range(a.shape[1] - 2, -1, -1):
        g[:, t] += a[:, t + 1] * g[:, t + 1]
    return g * _before(h, h_0), g, a[:, 0] * g[:, 0]


@wrong(
    "scan_backward",
    "the gradient by a has only what goes into the state directly",
    "the gradient by h_0 has only what goes into the first state directly",
)
def scan_backward(a, h, h_0, g):
    return g * _before(h, h_0), _reaching(a, g), a[:, 0] * g[:, 0]


@right("scan_backward", "NumPy, with the state before the first as one more step")
def scan_backward(a, h, h_0, g):
    a, h, h_0, g = (x.detach().cpu().numpy() for x in (a, h, h_0, g))
    states = np.concatenate([h_0[:, None], h], axis=1)
    reach = np.concatenate([np.zeros_like(h_0)[:, None], g], axis=1)  # a copy
    for t in range(a.shape[1], 0, -1):
        reach[:, t - 1] += a[:, t - 1] * reach[:, t]
    return reach[:, 1:] * states[:, :-1], reach[:, 1:], reach[:, 0]


@right("scan_backward", "a scan in rounds, over time turned round and factors moved by one")
def scan_backward(a, h, h_0, g):
    factors = torch.cat([torch.zeros_like(a[:, :1]), a.flip(1)[:, :-1]], dim=1)
    sums, reach = g.flip(1), 1
    while reach < a.shape[1]:
        joined = factors[:, reach:] * sums[:, :-reach] + sums[:, reach:]
        product = factors[:, reach:] * factors[:, :-reach]
        factors = torch.cat([factors[:, :reach], product], dim=1)
        sums = torch.cat([sums[:, :reach], joined], dim=1)
        reach *= 2
    e = sums.flip(1)
    by_a = torch.empty_like(a)
    by_a[:, 0] = e[:, 0] * h_0
    by_a[:, 1:] = e[:, 1:] * h[:, :-1]
    return by_a, e, e[:, 0] * a[:, 0]


@right("scan_backward", "a matrix of what each state passes on to each later one, and einsum")
def scan_backward(a, h, h_0, g):
    B, T, D = a.shape
    passes = a.new_zeros(B, D, T + 1, T + 1)  # from state s to state t, h_0 being the first
    for s in range(T + 1):
        passes[:, :, s, s] = 1
        passes[:, :, s, s + 1 :] = a[:, s:].cumprod(dim=1).mT
    e = torch.einsum("bdst,btd->bsd", passes[..., 1:], g)
    before = torch.cat([h_0.unsqueeze(1), h], dim=1)[:, :T]
    return torch.einsum("btd,btd->btd", e[:, 1:], before), e[:, 1:], e[:, 0]


# ------------------------------------------------------------------------------------- MinGRU


def _joined_pairs(first, second):
    return first[0] * second[0], second[0] * first[1] + second[1]


def _states(a, b, h_0=None):
    """Return the states (B, T, H) of the recurrence, by a scan."""
    factors, states = _rounds(_joined_pairs, a, b)
    return states if h_0 is None else states + factors * h_0[:, None]


@wrong("MinGRU", "a_t and 1 - a_t are exchanged: the gate lets the candidate in")
class MinGRU(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_a = nn.Linear(input_size, hidden_size)
        self.to_c = nn.Linear(input_size, hidden_size)
        self.gate = gate

    def forward(self, x, h_0=None):
        a = self.gate(self.to_a(x))
        states = _states(1 - a, a * self.to_c(x), h_0)
        return states, states[:, -1]


@wrong("MinGRU", "a sigmoid comes before the gate, which is one already")
class MinGRU(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_a = nn.Linear(input_size, hidden_size)
        self.to_c = nn.Linear(input_size, hidden_size)
        self.gate = gate

    def forward(self, x, h_0=None):
        a = self.gate(torch.sigmoid(self.to_a(x)))
        states = _states(a, (1 - a) * self.to_c(x), h_0)
        return states, states[:, -1]


@wrong("MinGRU", "the gate that is given is not used: it is a sigmoid always")
class MinGRU(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_a = nn.Linear(input_size, hidden_size)
        self.to_c = nn.Linear(input_size, hidden_size)

    def forward(self, x, h_0=None):
        a = torch.sigmoid(self.to_a(x))
        states = _states(a, (1 - a) * self.to_c(x), h_0)
        return states, states[:, -1]


@wrong("MinGRU", "h_0 is multiplied with a_t alone, not with all factors so far: right for T = 1")
class MinGRU(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_a = nn.Linear(input_size, hidden_size)
        self.to_c = nn.Linear(input_size, hidden_size)
        self.gate = gate

    def forward(self, x, h_0=None):
        a = self.gate(self.to_a(x))
        states = _states(a, (1 - a) * self.to_c(x))
        if h_0 is not None:
            states = states + a * h_0[:, None]
        return states, states[:, -1]


@wrong("MinGRU", "the layers have no bias")
class MinGRU(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_a = nn.Linear(input_size, hidden_size, bias=False)
        self.to_c = nn.Linear(input_size, hidden_size, bias=False)
        self.gate = gate

    def forward(self, x, h_0=None):
        a = self.gate(self.to_a(x))
        states = _states(a, (1 - a) * self.to_c(x), h_0)
        return states, states[:, -1]


@wrong("MinGRU", "the layers are input_size wide: right if that is hidden_size")
class MinGRU(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.hidden_size = hidden_size
        self.to_a = nn.Linear(input_size, input_size)
        self.to_c = nn.Linear(input_size, input_size)
        self.gate = gate

    def forward(self, x, h_0=None):
        a = self.gate(self.to_a(x))
        states = _states(a, (1 - a) * self.to_c(x), h_0)
        return states, states[:, -1]


@wrong("MinGRU", "a cumulative sum is divided by the product of all factors, which soon is 0")
class MinGRU(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_a = nn.Linear(input_size, hidden_size)
        self.to_c = nn.Linear(input_size, hidden_size)
        self.gate = gate

    def forward(self, x, h_0=None):
        a = self.gate(self.to_a(x))
        product = a.cumprod(dim=1)
        start = 0 if h_0 is None else h_0[:, None]
        states = product * (start + ((1 - a) * self.to_c(x) / product).cumsum(dim=1))
        return states, states[:, -1]


@wrong("MinGRU", "the factors are detached, so to_a never learns")
class MinGRU(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_a = nn.Linear(input_size, hidden_size)
        self.to_c = nn.Linear(input_size, hidden_size)
        self.gate = gate

    def forward(self, x, h_0=None):
        a = self.gate(self.to_a(x)).detach()
        states = _states(a, (1 - a) * self.to_c(x), h_0)
        return states, states[:, -1]


@wrong(
    "MinGRU",
    "the states are those before each step: from h_0 on, without the last",
    "the last state is (1, B, H), as that of an nn.GRU",
)
class MinGRU(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_a = nn.Linear(input_size, hidden_size)
        self.to_c = nn.Linear(input_size, hidden_size)
        self.gate = gate

    def forward(self, x, h_0=None):
        a, c = self.gate(self.to_a(x)), self.to_c(x)
        h = torch.zeros_like(c[:, 0]) if h_0 is None else h_0
        states = []
        for t in range(x.shape[1]):
            states.append(h)
            h = a[:, t] * h + (1 - a[:, t]) * c[:, t]
        return torch.stack(states, dim=1), h[None]


@right("MinGRU", "a loop over the steps with lerp, from the candidate to the state")
class MinGRU(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_a, self.to_c = (nn.Linear(input_size, hidden_size) for _ in range(2))
        self.gate = gate

    def forward(self, x, h_0=None):
        a, c = self.gate(self.to_a(x)), self.to_c(x)
        h = c.new_zeros(c.shape[0], c.shape[2]) if h_0 is None else h_0
        states = []
        for a_t, c_t in zip(a.unbind(1), c.unbind(1)):
            h = torch.lerp(c_t, h, a_t)
            states.append(h)
        return torch.stack(states, dim=1), h


@right("MinGRU", "h_0 is a step before the first, with a factor of 0, and is cut off later")
class MinGRU(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_a = nn.Linear(input_size, hidden_size)
        self.to_c = nn.Linear(input_size, hidden_size)
        self.gate = gate

    def forward(self, x, h_0=None):
        a, c = self.gate(self.to_a(x)), self.to_c(x)
        b = c - a * c
        if h_0 is not None:
            a = torch.cat([torch.zeros_like(a[:, :1]), a], dim=1)
            b = torch.cat([h_0[:, None], b], dim=1)
        states = _rounds(_joined_pairs, a, b)[1][:, -x.shape[1] :]
        return states, states[:, -1]


@right("MinGRU", "recursion over halves: the end of the first half is the h_0 of the second")
class MinGRU(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_a = nn.Linear(in_features=input_size, out_features=hidden_size)
        self.to_c = nn.Linear(in_features=input_size, out_features=hidden_size)
        self.gate = gate

    def halves(self, a, b):
        T = a.shape[1]
        if T == 1:
            return a, b
        a_1, b_1 = self.halves(a[:, : T // 2], b[:, : T // 2])
        a_2, b_2 = self.halves(a[:, T // 2 :], b[:, T // 2 :])
        b_2 = b_2 + a_2 * b_1[:, -1:]
        return torch.cat([a_1, a_2 * a_1[:, -1:]], dim=1), torch.cat([b_1, b_2], dim=1)

    def forward(self, x, h_0=None):
        a = self.gate(self.to_a(x))
        factors, states = self.halves(a, (1 - a) * self.to_c(x))
        if h_0 is not None:
            states = torch.einsum("bth,bh->bth", factors, h_0) + states
        return states, states.select(1, -1)


# ----------------------------------------------------------------------------- by_convolution


@wrong("by_convolution", "no room: the end of the sequence comes round to its beginning")
def by_convolution(a, b):
    T = b.shape[1]
    kernel = a ** torch.arange(T)[:, None]
    spectrum = torch.fft.rfft(kernel, dim=0) * torch.fft.rfft(b, dim=1)
    return torch.fft.irfft(spectrum, n=T, dim=1)


@wrong("by_convolution", "the room is 2T - 1, and irfft is not told so and takes it for even")
def by_convolution(a, b):
    T = b.shape[1]
    room = 2 * T - 1
    kernel = a ** torch.arange(T)[:, None]
    spectrum = torch.fft.rfft(kernel, room, dim=0) * torch.fft.rfft(b, room, dim=1)
    return torch.fft.irfft(spectrum, dim=1)[:, :T]


@wrong("by_convolution", "the kernel begins with a, not with 1")
def by_convolution(a, b):
    T = b.shape[1]
    kernel = a[None, :].expand(T, -1).cumprod(dim=0)
    spectrum = torch.fft.rfft(kernel, 2 * T, dim=0) * torch.fft.rfft(b, 2 * T, dim=1)
    return torch.fft.irfft(spectrum, 2 * T, dim=1)[:, :T]


@wrong("by_convolution", "the transforms run along the units, which are the last axis")
def by_convolution(a, b):
    T, D = b.shape[1:]
    kernel = a ** torch.arange(T)[:, None]
    spectrum = torch.fft.rfft(kernel, 2 * D) * torch.fft.rfft(b, 2 * D)
    return torch.fft.irfft(spectrum, 2 * D)[..., :D]


@wrong("by_convolution", "powers are taken by a logarithm: not a number for a factor below 0")
def by_convolution(a, b):
    T = b.shape[1]
    kernel = torch.exp(torch.arange(T)[:, None] * torch.log(a))
    spectrum = torch.fft.rfft(kernel, 2 * T, dim=0) * torch.fft.rfft(b, 2 * T, dim=1)
    return torch.fft.irfft(spectrum, 2 * T, dim=1)[:, :T]


@wrong("by_convolution", "the room is the power of two above T, which is enough only if T is one")
def by_convolution(a, b):
    T = b.shape[1]
    room = 2 ** math.ceil(math.log2(T + 1))
    kernel = a ** torch.arange(T)[:, None]
    spectrum = torch.fft.rfft(kernel, room, dim=0) * torch.fft.rfft(b, room, dim=1)
    return torch.fft.irfft(spectrum, room, dim=1)[:, :T]


@wrong("by_convolution", "the kernel of the first unit serves all: right if all have one factor")
def by_convolution(a, b):
    T = b.shape[1]
    kernel = (a[0] ** torch.arange(T)).unsqueeze(1)
    spectrum = torch.fft.rfft(kernel, 2 * T, dim=0) * torch.fft.rfft(b, 2 * T, dim=1)
    return torch.fft.irfft(spectrum, 2 * T, dim=1)[:, :T]


@wrong("by_convolution", "sequences are laid end to end, so one reaches into the next if B > 1")
def by_convolution(a, b):
    row = b.flatten(0, 1)
    steps = len(row)
    kernel = a ** torch.arange(steps)[:, None]
    spectrum = torch.fft.rfft(kernel, 2 * steps, dim=0) * torch.fft.rfft(row, 2 * steps, dim=0)
    return torch.fft.irfft(spectrum, 2 * steps, dim=0)[:steps].view(b.shape)


@wrong("by_convolution", "everything is computed in float32, whatever comes in")
def by_convolution(a, b):
    T = b.shape[1]
    kernel = a.float() ** torch.arange(T, dtype=torch.float32)[:, None]
    spectrum = torch.fft.rfft(kernel, 2 * T, dim=0) * torch.fft.rfft(b.float(), 2 * T, dim=1)
    return torch.fft.irfft(spectrum, 2 * T, dim=1)[:, :T]


@right("by_convolution", "time is the last axis, and the kernel a Vandermonde matrix")
def by_convolution(a, b):
    T = b.shape[1]
    kernel = torch.vander(a, T, increasing=True)  # (D, T)
    answers, inputs = torch.fft.rfft(kernel, 2 * T), torch.fft.rfft(b.mT, 2 * T)
    spectra = torch.einsum("df,bdf->bdf", answers, inputs)
    return torch.fft.irfft(spectra, 2 * T).narrow(2, 0, T).mT


@right("by_convolution", "room for exactly 2T - 1, an odd number, and powers one after the other")
def by_convolution(a, b):
    T = b.shape[1]
    room, powers = 2 * T - 1, [torch.ones_like(a)]
    while len(powers) < T:
        powers.append(powers[-1] * a)
    kernel = torch.stack(powers)[None]
    spectrum = torch.fft.rfft(b, n=room, dim=1) * torch.fft.rfft(kernel, n=room, dim=1)
    return torch.fft.irfft(spectrum, n=room, dim=1)[:, :T]


@right("by_convolution", "a loop over sequences and units, padded to a power of two with zeros")
def by_convolution(a, b):
    B, T, D = b.shape
    room = 2 ** math.ceil(math.log2(2 * T))
    states = torch.empty_like(b)
    for unit in range(D):
        kernel = torch.zeros(room, dtype=b.dtype)
        kernel[:T] = a[unit] ** torch.arange(T)
        answer = torch.fft.rfft(kernel)
        for sequence in range(B):
            inputs = torch.zeros(room, dtype=b.dtype)
            inputs[:T] = b[sequence, :, unit]
            states[sequence, :, unit] = torch.fft.irfft(torch.fft.rfft(inputs) * answer, room)[:T]
    return states


# ---------------------------------------------------------------------- linear_attention_step


@wrong("linear_attention_step", "it reads first and then writes")
def linear_attention_step(S, q_t, k_t, v_t):
    o_t = torch.einsum("bvk,bk->bv", S, q_t)
    return o_t, S + v_t[:, :, None] * k_t[:, None, :]


@wrong("linear_attention_step", "the state is keys by values: transposed, where it works at all")
def linear_attention_step(S, q_t, k_t, v_t):
    S = S + k_t[:, :, None] * v_t[:, None, :]
    return (q_t[:, None, :] @ S)[:, 0], S


@wrong("linear_attention_step", "the state that is given is overwritten")
def linear_attention_step(S, q_t, k_t, v_t):
    S += v_t[:, :, None] * k_t[:, None, :]
    return (S @ q_t[:, :, None])[:, :, 0], S


@wrong("linear_attention_step", "the state comes first, then the output")
def linear_attention_step(S, q_t, k_t, v_t):
    S = S + v_t[:, :, None] * k_t[:, None, :]
    return S, (S @ q_t[:, :, None])[:, :, 0]


@wrong("linear_attention_step", "products are summed over the batch: right for a batch of one")
def linear_attention_step(S, q_t, k_t, v_t):
    S = S + v_t.T @ k_t
    return (S @ q_t.unsqueeze(-1)).squeeze(-1), S


@wrong("linear_attention_step", "squeeze() takes the axis of a batch of one, or of one value, away")
def linear_attention_step(S, q_t, k_t, v_t):
    S = S + v_t.unsqueeze(2) @ k_t.unsqueeze(1)
    return (S @ q_t.unsqueeze(2)).squeeze(), S


@wrong("linear_attention_step", "the product takes the state's place: right if that was 0")
def linear_attention_step(S, q_t, k_t, v_t):
    S = torch.einsum("bv,bk->bvk", v_t, k_t)
    return torch.einsum("bvk,bk->bv", S, q_t), S


@wrong("linear_attention_step", "what is read is divided by the root of K, as scores of 6.2 are")
def linear_attention_step(S, q_t, k_t, v_t):
    S = S + v_t[:, :, None] * k_t[:, None, :]
    return (S @ q_t[:, :, None])[:, :, 0] / q_t.shape[1] ** 0.5, S


@wrong(
    "linear_attention_step",
    "the output is read under the key, not under the query",
    "the old state is returned",
)
def linear_attention_step(S, q_t, k_t, v_t):
    written = S + v_t[:, :, None] * k_t[:, None, :]
    return (written @ k_t[:, :, None])[:, :, 0], S


@right("linear_attention_step", "NumPy and einsum, and arrays come back")
def linear_attention_step(S, q_t, k_t, v_t):
    S, q_t, k_t, v_t = map(np.asarray, (S, q_t, k_t, v_t))
    S = S + np.einsum("bv,bk->bvk", v_t, k_t)
    return np.einsum("bvk,bk->bv", S, q_t), S


@right("linear_attention_step", "baddbmm in place, on a copy of its own")
def linear_attention_step(S, q_t, k_t, v_t):
    new = S.clone()
    new.baddbmm_(v_t.unsqueeze(2), k_t.unsqueeze(1))
    return torch.bmm(new, q_t.unsqueeze(2)).squeeze(2), new


@right("linear_attention_step", "sequence by sequence, and the output is a sum of two reads")
def linear_attention_step(S, q_t, k_t, v_t):
    outputs, states = [], []
    for state, q, k, v in zip(S, q_t, k_t, v_t):
        outputs.append(state @ q + (k @ q) * v)
        states.append(state + torch.outer(v, k))
    return torch.stack(outputs), torch.stack(states)


# ---------------------------------------------------------------------------- delta_rule_step


def _says(S, k_t):
    """Return (B, V): what a state (B, V, K) says to a key (B, K)."""
    return (S @ k_t[:, :, None])[:, :, 0]


@wrong("delta_rule_step", "the rate multiplies only the new value, and the old one goes entirely")
def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    u_t = beta_t[:, None] * v_t - _says(S, k_t)
    S = S + u_t[:, :, None] * k_t[:, None, :]
    return _says(S, q_t), S


@wrong("delta_rule_step", "keys are brought to length 1 first: right if they have that")
def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    k_t = F.normalize(k_t, dim=1)
    u_t = beta_t[:, None] * (v_t - _says(S, k_t))
    S = S + u_t[:, :, None] * k_t[:, None, :]
    return _says(S, q_t), S


@wrong("delta_rule_step", "the gradient is twice as large: the half of the error is forgotten")
def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    gradient = 2 * (_says(S, k_t) - v_t)[:, :, None] * k_t[:, None, :]
    S = S - beta_t[:, None, None] * gradient
    return _says(S, q_t), S


@wrong("delta_rule_step", "it reads the state as it was before the step")
def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    u_t = beta_t[:, None] * (v_t - _says(S, k_t))
    return _says(S, q_t), S + u_t[:, :, None] * k_t[:, None, :]


@wrong("delta_rule_step", "rates run along the values, not the batch: right for a batch of one")
def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    u_t = beta_t * (v_t - torch.einsum("bvk,bk->bv", S, k_t))
    S = S + torch.einsum("bv,bk->bvk", u_t, k_t)
    return torch.einsum("bvk,bk->bv", S, q_t), S


@wrong("delta_rule_step", "rates are cut at 1, so nothing can be turned over")
def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    u_t = beta_t.clamp(0, 1)[:, None] * (v_t - _says(S, k_t))
    S = S + u_t[:, :, None] * k_t[:, None, :]
    return _says(S, q_t), S


@wrong("delta_rule_step", "the error is the mean over the values, so the step is V times too small")
def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    off = (_says(S, k_t) - v_t) / v_t.shape[1]
    S = S - beta_t[:, None, None] * off[:, :, None] * k_t[:, None, :]
    return _says(S, q_t), S


@wrong("delta_rule_step", "the whole state fades by 1 - beta, not only what stands under the key")
def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    rate = beta_t[:, None, None]
    S = (1 - rate) * S + rate * v_t[:, :, None] * k_t[:, None, :]
    return _says(S, q_t), S


@wrong(
    "delta_rule_step",
    "the output is read under the key that was written, not under the query",
    "the state goes uphill: the difference has the wrong sign",
)
def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    step = beta_t[:, None, None] * (v_t - _says(S, k_t))[:, :, None] * k_t[:, None, :]
    return _says(S + step, k_t), S - step


@right("delta_rule_step", "the state times I - beta k k^T, and the new value is added")
def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    scaled = torch.diag(beta_t) @ k_t
    keep = torch.eye(k_t.shape[1], dtype=S.dtype) - torch.einsum("bi,bj->bij", scaled, k_t)
    S = S @ keep + torch.einsum("bv,bk->bvk", v_t, scaled)
    return torch.einsum("bvk,bk->bv", S, q_t), S


@right("delta_rule_step", "NumPy, in place on a copy of its own, one sequence after the other")
def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    S = np.array(S)
    q_t, k_t, v_t, beta_t = map(np.asarray, (q_t, k_t, v_t, beta_t))
    o_t = np.empty_like(v_t)
    for i in range(len(S)):
        S[i] += beta_t[i] * np.outer(v_t[i] - S[i] @ k_t[i], k_t[i])
        o_t[i] = S[i] @ q_t[i]
    return torch.from_numpy(o_t), torch.from_numpy(S)


@right("delta_rule_step", "each number of the matrix goes downhill by itself, in three loops")
def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    B, V, K = S.shape
    new = S.clone()
    for b in range(B):
        for i in range(V):
            off = sum(S[b, i, j] * k_t[b, j] for j in range(K)) - v_t[b, i]
            for j in range(K):
                new[b, i, j] = S[b, i, j] - beta_t[b] * off * k_t[b, j]
    return (new * q_t[:, None]).sum(dim=2), new


@right("delta_rule_step", "autograd takes the gradient of the error that the text gives")
def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    with torch.enable_grad():
        state = S.detach().clone().requires_grad_()
        said = torch.matmul(state, k_t.detach().unsqueeze(-1)).squeeze(-1)
        error = (said - v_t.detach()).square().sum() / 2
        (gradient,) = torch.autograd.grad(error, state)
    S = S - beta_t.view(-1, 1, 1) * gradient
    return torch.matmul(S, q_t.unsqueeze(-1)).squeeze(-1), S


# --------------------------------------------------------------------- mark_recurrence_claims


@wrong("mark_recurrence_claims", "A is taken to be right: keys and values are no state")
def mark_recurrence_claims():
    return {"A": 0, "B": 7, "C": 2, "D": 5, "E": 0, "F": 0, "G": 1, "H": 3}


@wrong("mark_recurrence_claims", "F gets the correction about places, which says the same again")
def mark_recurrence_claims():
    return {"A": 4, "B": 7, "C": 2, "D": 5, "E": 0, "F": 6, "G": 1, "H": 3}


@wrong("mark_recurrence_claims", "the corrections of A and C are exchanged")
def mark_recurrence_claims():
    return {"A": 2, "B": 7, "C": 4, "D": 5, "E": 0, "F": 0, "G": 1, "H": 3}


@wrong("mark_recurrence_claims", "H is taken to be right: at a rate of 2 it is forgotten twice")
def mark_recurrence_claims():
    return {"A": 4, "B": 7, "C": 2, "D": 5, "E": 0, "F": 0, "G": 1, "H": 0}


@wrong("mark_recurrence_claims", "D is taken to be right: gates cannot be run in parallel")
def mark_recurrence_claims():
    return {"A": 4, "B": 7, "C": 2, "D": 0, "E": 0, "F": 0, "G": 1, "H": 3}


@wrong("mark_recurrence_claims", "G gets the correction about places, which belongs to none")
def mark_recurrence_claims():
    return {"A": 4, "B": 7, "C": 2, "D": 5, "E": 0, "F": 0, "G": 6, "H": 3}


@wrong("mark_recurrence_claims", "the claims that are right are left out")
def mark_recurrence_claims():
    return {"A": 4, "B": 7, "C": 2, "D": 5, "G": 1, "H": 3}


@wrong("mark_recurrence_claims", "corrections are counted from 0, and a claim that is right has -1")
def mark_recurrence_claims():
    return {"A": 3, "B": 6, "C": 1, "D": 4, "E": -1, "F": -1, "G": 0, "H": 2}


@wrong("mark_recurrence_claims", "B is taken to be right: without the softmax it is approximate")
def mark_recurrence_claims():
    return dict(zip("ABCDEFGH", (4, 0, 2, 5, 0, 0, 1, 3)))


@right("mark_recurrence_claims", "zipped from a string of digits")
def mark_recurrence_claims():
    return dict(zip("ABCDEFGH", map(int, "47250013")))


@right("mark_recurrence_claims", "all are right at first, then those that are not are updated")
def mark_recurrence_claims():
    marks = dict.fromkeys("HGFEDCBA", 0)
    marks.update(A=4, B=7, C=2, D=5, G=1, H=3)
    return marks


@right("mark_recurrence_claims", "the other way about: where does each correction belong?")
def mark_recurrence_claims():
    belongs = {1: "G", 2: "C", 3: "H", 4: "A", 5: "D", 7: "B"}
    wrong_ones = {letter: correction for correction, letter in belongs.items()}
    return {letter: wrong_ones.get(letter, 0) for letter in map(chr, range(65, 73))}
