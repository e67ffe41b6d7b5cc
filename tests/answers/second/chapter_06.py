"""More answers to the exercises of chapter 6, written before their checks were seen."""

import math
import random as python_random
from collections import OrderedDict

import numpy as np
import torch
from torch import nn
from torch.fft import irfft as _back
from torch.fft import rfft as _spectrum
from torch.nn import functional as F

from tests.answers import right, wrong

# ------------------------------------------------------------------------------- parity_batch


@wrong("parity_batch", "seed 0 counts as no seed, so that each call with it gives another batch")
def parity_batch(batch_size, T, seed):
    rng = np.random.default_rng(seed or None)
    x = rng.integers(0, 2, (batch_size, T))
    return x, x.cumsum(axis=1) % 2


_GENERATORS = {}


@wrong("parity_batch", "the generator of a seed is kept and goes on: a second call differs")
def parity_batch(batch_size, T, seed):
    if seed not in _GENERATORS:
        _GENERATORS[seed] = torch.Generator().manual_seed(seed)
    x = torch.randint(2, (batch_size, T), generator=_GENERATORS[seed])
    return x, x.cumsum(1) % 2


@wrong("parity_batch", "the count runs on from one sequence into the next, which shows when B > 1")
def parity_batch(batch_size, T, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2, (batch_size, T))
    return x, (np.cumsum(x) % 2).reshape(batch_size, T)


@wrong("parity_batch", "one sequence is drawn and stands in every row of the batch")
def parity_batch(batch_size, T, seed):
    rng = torch.Generator().manual_seed(seed)
    x = torch.randint(2, (1, T), generator=rng).repeat(batch_size, 1)
    return x, x.cumsum(dim=1) % 2


@wrong("parity_batch", "ones are counted in half precision, which stops telling odd after 2048")
def parity_batch(batch_size, T, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2, size=(batch_size, T))
    y = np.cumsum(x, axis=1, dtype=np.float16) % 2
    return x, y.astype(np.int64)


@right("parity_batch", "the answers are drawn, and a bit is 1 where the answer changes")
def parity_batch(batch_size, T, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, (batch_size, T))
    x = np.diff(y, axis=1, prepend=0) % 2
    return x, y


@right("parity_batch", "signs are multiplied along time, in torch, drawn by NumPy's old generator")
def parity_batch(batch_size, T, seed):
    signs = torch.from_numpy(np.random.RandomState(seed).choice([-1, 1], (batch_size, T))).long()
    return (1 - signs) // 2, (1 - signs.cumprod(dim=1)) // 2


# ------------------------------------------------------------------------------- recall_batch


@wrong("recall_batch", "the value 63 never comes: the upper end of randint is taken as included")
def recall_batch(batch_size, n, seed):
    rng = torch.Generator().manual_seed(seed)
    keys = torch.rand(batch_size, 32, generator=rng).argsort(dim=1)[:, :n]
    values = torch.randint(32, 63, (batch_size, n), generator=rng)
    order = torch.rand(batch_size, n, generator=rng).argsort(dim=1)
    pairs = torch.stack([keys, values], dim=2).flatten(1)
    return torch.cat([pairs, keys.gather(1, order)], dim=1), values.gather(1, order)


@wrong("recall_batch", "values are sorted by the inverse of the order, the same up to two pairs")
def recall_batch(batch_size, n, seed):
    rng = torch.Generator().manual_seed(seed)
    keys = torch.rand(batch_size, 32, generator=rng).argsort(dim=1)[:, :n]
    values = torch.randint(32, 64, (batch_size, n), generator=rng)
    order = torch.rand(batch_size, n, generator=rng).argsort(dim=1)
    pairs = torch.stack([keys, values], dim=2).flatten(1)
    return torch.cat([pairs, keys.gather(1, order)], dim=1), values.gather(1, order.argsort(dim=1))


@wrong("recall_batch", "no order is drawn: the keys are always asked in ascending order")
def recall_batch(batch_size, n, seed):
    rng = np.random.default_rng(seed)
    keys = rng.random((batch_size, 32)).argsort(axis=1)[:, :n]
    values = rng.integers(32, 64, (batch_size, n))
    order = keys.argsort(axis=1)
    x = np.concatenate(
        [
            np.stack([keys, values], axis=2).reshape(batch_size, 2 * n),
            np.take_along_axis(keys, order, axis=1),
        ],
        axis=1,
    )
    return x, np.take_along_axis(values, order, axis=1)


@wrong("recall_batch", "the order comes from the global generator: one seed, many batches")
def recall_batch(batch_size, n, seed):
    rng = torch.Generator().manual_seed(seed)
    keys = torch.rand(batch_size, 32, generator=rng).argsort(dim=1)[:, :n]
    values = torch.randint(32, 64, (batch_size, n), generator=rng)
    order = torch.rand(batch_size, n).argsort(dim=1)
    pairs = torch.stack([keys, values], dim=2).flatten(1)
    return torch.cat([pairs, keys.gather(1, order)], dim=1), values.gather(1, order)


@wrong("recall_batch", "one order is drawn for the whole batch, not one for each sequence")
def recall_batch(batch_size, n, seed):
    rng = torch.Generator().manual_seed(seed)
    keys = torch.rand(batch_size, 32, generator=rng).argsort(dim=1)[:, :n]
    values = torch.randint(32, 64, (batch_size, n), generator=rng)
    order = torch.randperm(n, generator=rng)
    pairs = torch.stack([keys, values], dim=2).flatten(1)
    return torch.cat([pairs, keys[:, order]], dim=1), values[:, order]


@right("recall_batch", "Python's own generator, one sequence after the other, looked up in a dict")
def recall_batch(batch_size, n, seed):
    rng = python_random.Random(seed)
    x, y = [], []
    for _ in range(batch_size):
        table = dict(zip(rng.sample(range(32), n), rng.choices(range(32, 64), k=n)))
        asked = rng.sample(list(table), n)
        x.append([number for pair in table.items() for number in pair] + asked)
        y.append([table[key] for key in asked])
    return torch.tensor(x), torch.tensor(y)


@right("recall_batch", "a pair is one number, 64 times the key plus the value, and these are mixed")
def recall_batch(batch_size, n, seed):
    rng = np.random.default_rng(seed)
    keys = rng.permuted(np.tile(np.arange(32), (batch_size, 1)), axis=1)[:, :n]
    codes = 64 * keys + rng.integers(32, 64, (batch_size, n))
    asked, y = np.divmod(rng.permuted(codes, axis=1), 64)
    x = np.empty((batch_size, 3 * n), dtype=np.int64)
    x[:, 0 : 2 * n : 2], x[:, 1 : 2 * n : 2], x[:, 2 * n :] = codes // 64, codes % 64, asked
    return x, y


# --------------------------------------------------------------------------- causal_attention


@wrong("causal_attention", "scores are divided by the root of D, not of d: the same with one head")
def causal_attention(q, k, v, num_heads):
    T, D = q.shape[1:]
    q, k, v = (x.unflatten(2, (num_heads, -1)).transpose(1, 2) for x in (q, k, v))
    scores = q @ k.mT / D**0.5
    ahead = torch.ones(T, T, dtype=torch.bool).triu(1)
    weights = scores.masked_fill(ahead, -torch.inf).softmax(dim=-1)
    return (weights @ v).transpose(1, 2).flatten(2)


@wrong("causal_attention", "a head is every H-th number, not d neighbours")
def causal_attention(q, k, v, num_heads):
    T, d = q.shape[1], q.shape[2] // num_heads
    q, k, v = (x.unflatten(2, (d, num_heads)).permute(0, 3, 1, 2) for x in (q, k, v))
    ahead = torch.ones(T, T, dtype=torch.bool).triu(1)
    weights = (q @ k.mT / d**0.5).masked_fill(ahead, -torch.inf).softmax(dim=-1)
    return (weights @ v).permute(0, 2, 3, 1).flatten(2)


@wrong("causal_attention", "what tril set to 0 is masked, and so are true scores of exactly 0")
def causal_attention(q, k, v, num_heads):
    d = q.shape[2] // num_heads
    q, k, v = (x.unflatten(2, (num_heads, d)).transpose(1, 2) for x in (q, k, v))
    scores = (q @ k.mT / math.sqrt(d)).tril()
    weights = scores.masked_fill(scores == 0, float("-inf")).softmax(dim=-1)
    return (weights @ v).transpose(1, 2).flatten(2)


@wrong("causal_attention", "softmax over all steps, then cut: 0 / 0 where a later score is huge")
def causal_attention(q, k, v, num_heads):
    q, k, v = (x.unflatten(2, (num_heads, -1)).transpose(1, 2) for x in (q, k, v))
    weights = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1).tril()
    weights = weights / weights.sum(dim=-1, keepdim=True)
    return (weights @ v).transpose(1, 2).flatten(2)


@wrong("causal_attention", "the weights are cut from the graph: queries and keys cannot learn")
def causal_attention(q, k, v, num_heads):
    B, T, D = q.shape
    q, k, v = (x.view(B, T, num_heads, -1).transpose(1, 2) for x in (q, k, v))
    scores = torch.einsum("bhtd,bhsd->bhts", q, k) * (D // num_heads) ** -0.5
    look = torch.full((T, T), -torch.inf, dtype=q.dtype).triu(1)
    weights = torch.softmax(scores + look, dim=-1).detach()
    return (weights @ v).transpose(1, 2).reshape(B, T, D)


@right("causal_attention", "heads are put behind one another in the batch, with chunk and cat")
def causal_attention(q, k, v, num_heads):
    q, k, v = (torch.cat(x.chunk(num_heads, dim=2)) for x in (q, k, v))
    T, d = q.shape[1:]
    steps = torch.arange(T, device=q.device)
    ahead = steps[None, :] > steps[:, None]
    scores = torch.bmm(q, k.transpose(1, 2)) / math.sqrt(d)
    weights = scores.masked_fill(ahead, torch.finfo(q.dtype).min).softmax(dim=2)
    return torch.cat(torch.bmm(weights, v).chunk(num_heads), dim=2)


@right("causal_attention", "step by step and head by head, with logsumexp and no mask")
def causal_attention(q, k, v, num_heads):
    d = q.shape[2] // num_heads
    outputs = []
    for t in range(q.shape[1]):
        heads = []
        for start in range(0, q.shape[2], d):
            own = slice(start, start + d)
            scores = (q[:, t : t + 1, own] * k[:, : t + 1, own]).sum(dim=2) / d**0.5
            weights = (scores - scores.logsumexp(dim=1, keepdim=True)).exp()
            heads.append((weights[:, :, None] * v[:, : t + 1, own]).sum(dim=1))
        outputs.append(torch.cat(heads, dim=1))
    return torch.stack(outputs, dim=1)


# ----------------------------------------------------------------------------- attention_step


def _looked_up(q_t, keys, values, num_heads):
    """Return the output (B, D) of one query (B, D) for keys and values (B, T, D)."""
    q, k, v = (
        x.unflatten(2, (num_heads, -1)).transpose(1, 2) for x in (q_t[:, None], keys, values)
    )
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(1)


@wrong("attention_step", "the lists of the given cache are appended to, so it is not left alone")
def attention_step(q_t, k_t, v_t, cache, num_heads):
    keys, values = ([], []) if cache is None else cache
    keys.append(k_t)
    values.append(v_t)
    output = _looked_up(q_t, torch.stack(keys, 1), torch.stack(values, 1), num_heads)
    return output, (keys, values)


@wrong("attention_step", "two ways on from one cache write into the same spare room")
def attention_step(q_t, k_t, v_t, cache, num_heads):
    if cache is None:
        keys, values = torch.zeros(2, len(k_t), 16, k_t.shape[1], dtype=k_t.dtype)
        length = 0
    else:
        keys, values, length = cache
    if length == keys.shape[1]:
        keys, values = (F.pad(x, (0, 0, 0, length)) for x in (keys, values))
    keys[:, length], values[:, length] = k_t, v_t
    length += 1
    output = _looked_up(q_t, keys[:, :length], values[:, :length], num_heads)
    return output, (keys, values, length)


_KEPT = {}


@wrong("attention_step", "what is kept lies in a global: two sequences by turns are mixed")
def attention_step(q_t, k_t, v_t, cache, num_heads):
    if cache is None:
        _KEPT["keys"], _KEPT["values"] = k_t[:, None], v_t[:, None]
    else:
        _KEPT["keys"] = torch.cat([_KEPT["keys"], k_t[:, None]], dim=1)
        _KEPT["values"] = torch.cat([_KEPT["values"], v_t[:, None]], dim=1)
    return _looked_up(q_t, _KEPT["keys"], _KEPT["values"], num_heads), dict(_KEPT)


@wrong("attention_step", "is_causal=True lets the single query see the very first key only")
def attention_step(q_t, k_t, v_t, cache, num_heads):
    keys, values = k_t[:, None], v_t[:, None]
    if cache is not None:
        keys, values = torch.cat([cache[0], keys], 1), torch.cat([cache[1], values], 1)
    q, k, v = (
        x.unflatten(2, (num_heads, -1)).transpose(1, 2) for x in (q_t[:, None], keys, values)
    )
    output = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return output.transpose(1, 2).flatten(1), (keys, values)


@wrong("attention_step", "only the last 128 steps are kept")
def attention_step(q_t, k_t, v_t, cache, num_heads):
    new = torch.stack([k_t, v_t])[:, :, None]
    cache = new if cache is None else torch.cat([cache, new], dim=2)[:, :, -128:]
    return _looked_up(q_t, cache[0], cache[1], num_heads), cache


@right("attention_step", "a cache is the newest key and value and the cache before: a chain")
def attention_step(q_t, k_t, v_t, cache, num_heads):
    cache = (k_t, v_t, cache)
    keys, values, link = [], [], cache
    while link is not None:
        keys.append(link[0])
        values.append(link[1])
        link = link[2]
    return _looked_up(q_t, torch.stack(keys, 1), torch.stack(values, 1), num_heads), cache


@right("attention_step", "one tensor (2, H, B, d, T) with the steps last, and products by hand")
def attention_step(q_t, k_t, v_t, cache, num_heads):
    q, *new = (torch.stack(x.chunk(num_heads, dim=1)) for x in (q_t, k_t, v_t))
    new = torch.stack(new).unsqueeze(4)
    cache = new if cache is None else torch.cat((cache, new), dim=4)
    keys, values = cache
    scores = torch.einsum("hbd,hbdt->hbt", q, keys) / q.shape[2] ** 0.5
    heads = torch.einsum("hbt,hbdt->hbd", torch.softmax(scores, dim=2), values)
    return torch.cat(list(heads), dim=1), cache


# ------------------------------------------------------------------------------------ combine


@wrong("combine", "the first addition is multiplied with both factors, not the second one only")
def combine(first, second):
    a, b = first
    a = a * second[0]
    b = a * b + second[1]
    return a, b


@wrong("combine", "the order is turned round: the second pair acts first")
def combine(first, second):
    return first[0] * second[0], first[0] * second[1] + first[1]


@wrong("combine", "the second addition is changed in place")
def combine(first, second):
    a, b = second
    b += a * first[1]
    return a * first[0], b


@wrong("combine", "factors are multiplied by adding logarithms: nothing below 0 comes through")
def combine(first, second):
    (a1, b1), (a2, b2) = first, second
    return torch.exp(torch.log(a1) + torch.log(a2)), a2 * b1 + b2


@wrong("combine", "the second factor is put outside a bracket: a factor of 0 gives nan")
def combine(first, second):
    (a1, b1), (a2, b2) = first, second
    return a1 * a2, a2 * (b1 + b2 / a2)


@right("combine", "the product of two matrices of two rows, (a, b) over (0, 1)")
def combine(first, second):
    def matrix(a, b):
        below = torch.stack([torch.zeros_like(a), torch.ones_like(a)], dim=-1)
        return torch.stack([torch.stack([a, b], dim=-1), below], dim=-2)

    both = matrix(*second) @ matrix(*first)
    return both[..., 0, 0], both[..., 0, 1]


@right("combine", "both steps are run from the state 0 on, with their derivative by the state")
def combine(first, second):
    def both(h):
        for a, b in (first, second):
            h = a * h + b
        return h

    start = torch.zeros_like(first[0])
    b, a = torch.func.jvp(both, (start,), (torch.ones_like(start),))
    return [a, b]


# ------------------------------------------------------------------------------ parallel_scan


@wrong("parallel_scan", "one round too many when T is a power of two, and one when T is 1")
def parallel_scan(combine, a, b):
    T = a.shape[1]
    for n in range(T.bit_length()):
        r = 2**n
        new_a, new_b = combine((a[:, : T - r], b[:, : T - r]), (a[:, r:], b[:, r:]))
        a, b = torch.cat([a[:, :r], new_a], dim=1), torch.cat([b[:, :r], new_b], dim=1)
    return a, b


@wrong("parallel_scan", "log2 T is rounded to the nearest: a round is missing at T = 5 or 9")
def parallel_scan(combine, a, b):
    for r in (2**n for n in range(round(math.log2(a.shape[1])))):
        new_a, new_b = combine((a[:, :-r], b[:, :-r]), (a[:, r:], b[:, r:]))
        a, b = torch.cat([a[:, :r], new_a], dim=1), torch.cat([b[:, :r], new_b], dim=1)
    return a, b


@wrong("parallel_scan", "the caller's a and b are overwritten")
def parallel_scan(combine, a, b):
    r = 1
    while r < a.shape[1]:
        a[:, r:], b[:, r:] = combine((a[:, :-r], b[:, :-r]), (a[:, r:], b[:, r:]))
        r *= 2
    return a, b


@wrong("parallel_scan", "what joins is written out again, and the given combine is never called")
def parallel_scan(combine, a, b):
    r = 1
    while r < a.shape[1]:
        b = torch.cat([b[:, :r], a[:, r:] * b[:, :-r] + b[:, r:]], dim=1)
        a = torch.cat([a[:, :r], a[:, r:] * a[:, :-r]], dim=1)
        r *= 2
    return a, b


def _tree(combine, a, b):
    """Return all pairs joined from the first on, by joining neighbours, and neighbours of those."""
    T = a.shape[1]
    if T == 1:
        return a, b
    even = T // 2 * 2
    odd = _tree(combine, *combine((a[:, 0:even:2], b[:, 0:even:2]), (a[:, 1::2], b[:, 1::2])))
    if T == 2:
        return tuple(torch.cat([x[:, :1], y], dim=1) for x, y in zip((a, b), odd))
    n = a[:, 2::2].shape[1]
    later = combine(tuple(x[:, :n] for x in odd), (a[:, 2::2], b[:, 2::2]))
    steps = torch.arange(T)
    back = torch.cat([steps[::2], steps[1::2]]).argsort()
    return tuple(torch.cat([x[:, :1], y, z], dim=1)[:, back] for x, y, z in zip((a, b), later, odd))


@wrong("parallel_scan", "up a tree and down again: too many calls at T = 4 and from T = 6 on")
def parallel_scan(combine, a, b):
    return _tree(combine, a, b)


@right("parallel_scan", "halves: all steps of each later half are joined with the last before it")
def parallel_scan(combine, a, b):
    T = a.shape[1]
    steps = torch.arange(T, device=a.device)
    for n in range((T - 1).bit_length()):
        later = steps[steps // 2**n % 2 == 1]
        last = later // 2**n * 2**n - 1  # of the half that comes before
        new = combine((a[:, last], b[:, last]), (a[:, later], b[:, later]))
        a, b = (x.index_copy(1, later, y) for x, y in zip((a, b), new))
    return a, b


@right("parallel_scan", "calls itself with twice the reach, and puts slices in by slice_scatter")
def parallel_scan(combine, a, b):
    def reaching(a, b, r):
        if r >= a.shape[1]:
            return [a, b]
        n = a.shape[1] - r
        new_a, new_b = combine(
            [a.narrow(1, 0, n), b.narrow(1, 0, n)], [a.narrow(1, r, n), b.narrow(1, r, n)]
        )
        a = torch.slice_scatter(a, new_a, dim=1, start=r)
        return reaching(a, torch.slice_scatter(b, new_b, dim=1, start=r), 2 * r)

    return reaching(a, b, 1)


# ------------------------------------------------------------------------------ scan_backward


@wrong("scan_backward", "the state before the first step is taken as 0 in the gradient by a")
def scan_backward(a, h, h_0, g):
    arriving, by_b = torch.zeros_like(h_0), torch.empty_like(g)
    for t in reversed(range(g.shape[1])):
        by_b[:, t] = g[:, t] + arriving
        arriving = a[:, t] * by_b[:, t]
    return by_b * F.pad(h[:, :-1], (0, 0, 1, 0)), by_b, arriving


@wrong("scan_backward", "comes back through a of the step itself, not of the next one")
def scan_backward(a, h, h_0, g):
    before = torch.cat([h_0[:, None], h[:, :-1]], dim=1)
    by_b = [g[:, -1]]
    for t in reversed(range(g.shape[1] - 1)):
        by_b.insert(0, g[:, t] + a[:, t] * by_b[0])
    by_b = torch.stack(by_b, dim=1)
    return by_b * before, by_b, a[:, 0] * by_b[:, 0]


@wrong("scan_backward", "the gradients are summed up in the caller's g")
def scan_backward(a, h, h_0, g):
    for t in range(g.shape[1] - 2, -1, -1):
        g[:, t] += a[:, t + 1] * g[:, t + 1]
    before = torch.cat([h_0.unsqueeze(1), h[:, :-1]], dim=1)
    return g * before, g, g[:, 0] * a[:, 0]


@wrong("scan_backward", "divides by the product of all factors so far: nan where one of them is 0")
def scan_backward(a, h, h_0, g):
    products = a.cumprod(dim=1)
    by_b = (products * g).flip(1).cumsum(dim=1).flip(1) / products
    before = torch.cat([h_0[:, None], h[:, :-1]], dim=1)
    return by_b * before, by_b, a[:, 0] * by_b[:, 0]


@wrong("scan_backward", "the gradient by h_0 is summed over the batch, as if it were one state")
def scan_backward(a, h, h_0, g):
    later = torch.zeros_like(h_0)
    by_a, by_b = torch.empty_like(a), torch.empty_like(a)
    for t in reversed(range(a.shape[1])):
        by_b[:, t] = g[:, t] + later
        by_a[:, t] = by_b[:, t] * (h[:, t - 1] if t > 0 else h_0)
        later = a[:, t] * by_b[:, t]
    return by_a, by_b, later.sum(dim=0, keepdim=True).expand_as(h_0)


@right("scan_backward", "what reaches the states is the solution of a triangular system")
def scan_backward(a, h, h_0, g):
    T = a.shape[1]
    ahead = torch.diag_embed(a[:, 1:].mT, offset=1)  # (B, D, T, T), a of the next step
    system = torch.eye(T, dtype=a.dtype, device=a.device) - ahead
    by_b = torch.linalg.solve_triangular(system, g.mT.unsqueeze(-1), upper=True).squeeze(-1).mT
    by_a = by_b * torch.cat([h_0[:, None], h], dim=1)[:, :T]
    return by_a, by_b, (a * by_b)[:, 0]


@right("scan_backward", "a scan in rounds over time turned round, with h_0 as a step before all")
def scan_backward(a, h, h_0, g):
    factors = torch.cat([torch.zeros_like(h_0)[:, None], a.flip(1)], dim=1)
    sums = torch.cat([g.flip(1), torch.zeros_like(h_0)[:, None]], dim=1)
    r = 1
    while r < sums.shape[1]:
        sums = sums + F.pad(factors[:, r:] * sums[:, :-r], (0, 0, r, 0))
        factors = torch.cat([0 * factors[:, :r], factors[:, r:] * factors[:, :-r]], dim=1)
        r *= 2
    arriving = sums.flip(1)
    states = torch.cat([h_0[:, None], h], dim=1)
    return [arriving[:, 1:] * states[:, :-1], arriving[:, 1:], arriving[:, 0]]


# ------------------------------------------------------------------------------------- MinGRU


def _scanned(a, b):
    """Return the pairs of all first t steps of h_t = a_t h_{t-1} + b_t, both (B, T, H)."""
    r = 1
    while r < a.shape[1]:
        b = torch.cat([b[:, :r], a[:, r:] * b[:, :-r] + b[:, r:]], dim=1)
        a = torch.cat([a[:, :r], a[:, r:] * a[:, :-r]], dim=1)
        r *= 2
    return a, b


@wrong("MinGRU", "the gate is kept and never used: a sigmoid makes the factors")
class MinGRU(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_a, self.to_c = (nn.Linear(input_size, hidden_size) for _ in range(2))
        self.gate = gate

    def forward(self, x, h_0=None):
        a = torch.sigmoid(self.to_a(x))
        factors, states = _scanned(a, (1 - a) * self.to_c(x))
        if h_0 is not None:
            states = states + factors * h_0[:, None]
        return states, states[:, -1]


@wrong("MinGRU", "the last state is returned without what h_0 adds to it")
class MinGRU(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_a = nn.Linear(input_size, hidden_size)
        self.to_c = nn.Linear(input_size, hidden_size)
        self.gate = gate

    def forward(self, x, h_0=None):
        a = self.gate(self.to_a(x))
        factors, states = _scanned(a, (1 - a) * self.to_c(x))
        last = states[:, -1]
        if h_0 is not None:
            states = states + factors * h_0.unsqueeze(1)
        return states, last


@wrong("MinGRU", "without h_0 a second call goes on from the last state of the first")
class MinGRU(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_a = nn.Linear(input_size, hidden_size)
        self.to_c = nn.Linear(input_size, hidden_size)
        self.gate, self.state = gate, None

    def forward(self, x, h_0=None):
        if h_0 is None:
            h_0 = x.new_zeros(len(x), self.to_a.out_features)
            if self.state is not None and self.state.shape == h_0.shape:
                h_0 = self.state
        a = self.gate(self.to_a(x))
        factors, states = _scanned(a, (1 - a) * self.to_c(x))
        states = states + factors * h_0[:, None]
        self.state = states[:, -1].detach()
        return states, states[:, -1]


@wrong("MinGRU", "divides by the product of all factors so far, which is 0 in long sequences")
class MinGRU(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_a = nn.Linear(input_size, hidden_size)
        self.to_c = nn.Linear(input_size, hidden_size)
        self.gate = gate

    def forward(self, x, h_0=None):
        a = self.gate(self.to_a(x))
        products = a.cumprod(dim=1)
        states = products * torch.cumsum((1 - a) * self.to_c(x) / products, dim=1)
        if h_0 is not None:
            states = states + products * h_0[:, None]
        return states, states[:, -1]


@wrong("MinGRU", "the bias of to_c starts at 0 and is left out of the candidate")
class MinGRU(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_a = nn.Linear(input_size, hidden_size)
        self.to_c = nn.Linear(input_size, hidden_size)
        nn.init.zeros_(self.to_c.bias)
        self.gate = gate

    def forward(self, x, h_0=None):
        a, c = self.gate(self.to_a(x)), x @ self.to_c.weight.T
        factors, states = _scanned(a, (1 - a) * c)
        if h_0 is not None:
            states = states + factors * h_0[:, None]
        return states, states[:, -1]


@right("MinGRU", "h_0 is a step before the first, with a factor of 0, and is scanned with the rest")
class MinGRU(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_a = nn.Linear(input_size, hidden_size)
        self.to_c = nn.Linear(input_size, hidden_size)
        self.gate = gate

    def forward(self, x, h_0=None):
        a, c = self.gate(self.to_a(x)), self.to_c(x)
        start = torch.zeros_like(c[:, 0]) if h_0 is None else h_0
        additions = torch.cat([start[:, None], torch.lerp(c, torch.zeros_like(c), a)], dim=1)
        _, states = _scanned(F.pad(a, (0, 0, 1, 0)), additions)
        return states[:, 1:], states[:, -1]


@right("MinGRU", "h_0 goes into the first addition, and neighbours are joined up a tree")
class MinGRU(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_c = nn.Linear(input_size, hidden_size)
        self.to_a = nn.Linear(input_size, hidden_size)
        self.gate = gate

    def forward(self, x, h_0=None):
        a = self.gate(self.to_a(x))
        b = self.to_c(x) * (1 - a)
        if h_0 is not None:
            b = torch.cat([torch.addcmul(b[:, :1], a[:, :1], h_0[:, None]), b[:, 1:]], dim=1)
        states = _tree(lambda p, q: (p[0] * q[0], p[1] * q[0] + q[1]), a, b)[1]
        return states, states.select(1, -1)


# ----------------------------------------------------------------------------- by_convolution


@wrong("by_convolution", "room for half a sequence only: comes round where factors are near 1")
def by_convolution(a, b):
    T = b.shape[1]
    n = T + T // 2
    kernel = a ** torch.arange(T)[:, None]
    product = torch.fft.rfft(kernel, n=n, dim=0) * torch.fft.rfft(b, n=n, dim=1)
    return torch.fft.irfft(product, n=n, dim=1)[:, :T]


@wrong("by_convolution", "a power of two above T is room enough only if T is one as well")
def by_convolution(a, b):
    T = b.shape[1]
    n = 1 << T.bit_length()
    kernel = a ** torch.arange(T)[:, None]
    product = torch.fft.rfft(kernel, n=n, dim=0) * torch.fft.rfft(b, n=n, dim=1)
    return torch.fft.irfft(product, n=n, dim=1)[:, :T]


@wrong("by_convolution", "powers are made by way of the logarithm: nan for factors of 0 and below")
def by_convolution(a, b):
    T = b.shape[1]
    kernel = torch.exp(torch.arange(T)[:, None] * torch.log(a))
    product = torch.fft.rfft(kernel, 2 * T, dim=0) * torch.fft.rfft(b, 2 * T, dim=1)
    return torch.fft.irfft(product, 2 * T, dim=1)[:, :T]


@wrong("by_convolution", "the kernel ends after 256 steps")
def by_convolution(a, b):
    T = b.shape[1]
    kernel = a ** torch.arange(min(T, 256))[:, None]
    product = torch.fft.rfft(kernel, 2 * T, dim=0) * torch.fft.rfft(b, 2 * T, dim=1)
    return torch.fft.irfft(product, 2 * T, dim=1)[:, :T]


@wrong("by_convolution", "convolves directly, by conv1d, with no Fourier transform at all")
def by_convolution(a, b):
    T, D = b.shape[1:]
    kernel = (a ** torch.arange(T)[:, None]).flip(0).mT.unsqueeze(1)  # (D, 1, T)
    return F.conv1d(F.pad(b.mT, (T - 1, 0)), kernel, groups=D).mT


@right("by_convolution", "one transform of kernel and inputs together, of the odd length 2T - 1")
def by_convolution(a, b):
    T = b.shape[1]
    kernel = torch.stack([a**k for k in range(T)])
    spectra = torch.fft.rfft(torch.cat([kernel[None], b]), 2 * T - 1, dim=1)
    return torch.fft.irfft(spectra[1:] * spectra[:1], 2 * T - 1, dim=1).narrow(1, 0, T)


@right("by_convolution", "transforms imported by name, padded by hand to a power of two")
def by_convolution(a, b):
    T = b.shape[1]
    n = 2 ** math.ceil(math.log2(2 * T))
    ones = torch.ones_like(a)[:, None]
    kernel = torch.cat([ones, a[:, None].expand(-1, T - 1)], dim=1).cumprod(dim=1)
    spectra = _spectrum(F.pad(b.transpose(1, 2), (0, n - T))) * _spectrum(F.pad(kernel, (0, n - T)))
    return _back(spectra)[..., :T].transpose(1, 2)


# ---------------------------------------------------------------------- linear_attention_step


@wrong("linear_attention_step", "the given state is changed in place")
def linear_attention_step(S, q_t, k_t, v_t):
    S += v_t[:, :, None] * k_t[:, None, :]
    return (S @ q_t[:, :, None]).squeeze(2), S


@wrong("linear_attention_step", "the state is kept as keys by values: outputs alone are right")
def linear_attention_step(S, q_t, k_t, v_t):
    B, V, K = S.shape
    S = S.reshape(B, K, V) + k_t[:, :, None] * v_t[:, None, :]
    return (q_t[:, None, :] @ S)[:, 0], S.reshape(B, V, K)


@wrong("linear_attention_step", "products are summed over the batch, so sequences share a state")
def linear_attention_step(S, q_t, k_t, v_t):
    S = S + v_t.T @ k_t
    return torch.einsum("bvk,bk->bv", S, q_t), S


@wrong("linear_attention_step", "squeezes all axes of length one: wrong shape at B = 1 or V = 1")
def linear_attention_step(S, q_t, k_t, v_t):
    S = S + v_t.unsqueeze(2) @ k_t.unsqueeze(1)
    return (S @ q_t.unsqueeze(2)).squeeze(), S


@wrong("linear_attention_step", "keys are brought to length 1 first, which some have already")
def linear_attention_step(S, q_t, k_t, v_t):
    k_t = F.normalize(k_t, dim=1)
    S = S + v_t[:, :, None] * k_t[:, None, :]
    return (S @ q_t[:, :, None])[:, :, 0], S


@right("linear_attention_step", "the output is read from the old state, and the new part added")
def linear_attention_step(S, q_t, k_t, v_t):
    output = torch.einsum("bvk,bk->bv", S, q_t) + (k_t * q_t).sum(dim=1, keepdim=True) * v_t
    return output, torch.baddbmm(S, v_t.unsqueeze(2), k_t.unsqueeze(1))


@right("linear_attention_step", "one sequence after the other, with addr and mv")
def linear_attention_step(S, q_t, k_t, v_t):
    states = [torch.addr(matrix, v, k) for matrix, v, k in zip(S, v_t, k_t)]
    return torch.stack([s.mv(q) for s, q in zip(states, q_t)]), torch.stack(states)


# ---------------------------------------------------------------------------- delta_rule_step


@wrong("delta_rule_step", "rates are held at 1 at most")
def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    beta_t = beta_t.clamp(0, 1)
    off = v_t - (S @ k_t[:, :, None])[:, :, 0]
    S = S + beta_t[:, None, None] * off[:, :, None] * k_t[:, None, :]
    return (S @ q_t[:, :, None])[:, :, 0], S


@wrong("delta_rule_step", "the rate is on what is taken away only: the value is written in full")
def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    said = torch.einsum("bvk,bk->bv", S, k_t)
    write = v_t - beta_t[:, None] * said
    S = S + write[:, :, None] * k_t[:, None, :]
    return torch.einsum("bvk,bk->bv", S, q_t), S


@wrong("delta_rule_step", "the step is divided by the squared length of the key: nan at 0")
def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    off = v_t.unsqueeze(2) - S @ k_t.unsqueeze(2)  # (B, V, 1)
    rate = beta_t / k_t.square().sum(dim=1)
    S = S + rate[:, None, None] * (off @ k_t.unsqueeze(1))
    return (S @ q_t.unsqueeze(2)).squeeze(2), S


@wrong("delta_rule_step", "goes down the mean error of the batch: steps are B times too small")
def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    def error(S):
        return 0.5 * (torch.einsum("bvk,bk->bv", S, k_t) - v_t).square().sum(dim=1).mean()

    S = S - beta_t[:, None, None] * torch.func.grad(error)(S)
    return torch.einsum("bvk,bk->bv", S, q_t), S


@wrong("delta_rule_step", "the given state is changed in place")
def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    off = (S @ k_t[:, :, None]).squeeze(2) - v_t
    S -= torch.einsum("b,bv,bk->bvk", beta_t, off, k_t)
    return (S @ q_t[:, :, None]).squeeze(2), S


@right("delta_rule_step", "the gradient comes from torch.func.grad, of the error of all sequences")
def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    def error(S):
        return 0.5 * (torch.einsum("bvk,bk->bv", S, k_t) - v_t).square().sum()

    S = S - beta_t[:, None, None] * torch.func.grad(error)(S)
    return torch.einsum("bvk,bk->bv", S, q_t), S


@right("delta_rule_step", "the old state times I - beta k k^T, plus beta v k^T")
def delta_rule_step(S, q_t, k_t, v_t, beta_t):
    scaled = beta_t.view(-1, 1, 1) * k_t.unsqueeze(1)  # (B, 1, K)
    turning = torch.eye(k_t.shape[1], dtype=S.dtype, device=S.device) - k_t.unsqueeze(2) @ scaled
    S = S @ turning + v_t.unsqueeze(2) @ scaled
    return torch.bmm(S, q_t.unsqueeze(2))[..., 0], S


# --------------------------------------------------------------------- mark_recurrence_claims


@wrong("mark_recurrence_claims", "F is given the correction that belongs nowhere")
def mark_recurrence_claims():
    return {"A": 4, "B": 7, "C": 2, "D": 5, "E": 0, "F": 6, "G": 1, "H": 3}


@wrong("mark_recurrence_claims", "the corrections of A and C are exchanged")
def mark_recurrence_claims():
    return {"A": 2, "B": 7, "C": 4, "D": 5, "E": 0, "F": 0, "G": 1, "H": 3}


@wrong("mark_recurrence_claims", "D is taken for right")
def mark_recurrence_claims():
    return {"A": 4, "B": 7, "C": 2, "D": 0, "E": 0, "F": 0, "G": 1, "H": 3}


@wrong("mark_recurrence_claims", "the claims that are right are left out")
def mark_recurrence_claims():
    return {"A": 4, "B": 7, "C": 2, "D": 5, "G": 1, "H": 3}


@wrong("mark_recurrence_claims", "H is taken for right, and its correction is given to E")
def mark_recurrence_claims():
    return {"A": 4, "B": 7, "C": 2, "D": 5, "E": 3, "F": 0, "G": 1, "H": 0}


@right("mark_recurrence_claims", "an ordered dict, from the last letter to the first")
def mark_recurrence_claims():
    return OrderedDict(reversed(list(zip("ABCDEFGH", (4, 7, 2, 5, 0, 0, 1, 3)))))


@right("mark_recurrence_claims", "whole numbers of NumPy, from a list of claims by correction")
def mark_recurrence_claims():
    marks = np.zeros(8, dtype=int)
    for correction, letter in enumerate("GCHADxB", start=1):
        if letter != "x":
            marks[ord(letter) - ord("A")] = correction
    return {chr(ord("A") + place): mark for place, mark in enumerate(marks)}
