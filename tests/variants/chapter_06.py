"""Other right answers to chapter 6."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def parity_batch_by_products(batch_size, T, seed):
    signs = 1 - 2 * torch.randint(2, (batch_size, T), generator=torch.Generator().manual_seed(seed))
    return (signs < 0).long(), (signs.cumprod(dim=1) < 0).long()


def parity_batch_in_numpy(batch_size, T, seed):
    x = np.random.default_rng(seed).integers(0, 2, size=(batch_size, T))
    return x, np.bitwise_xor.accumulate(x, axis=1)


def parity_batch_by_the_state(batch_size, T, seed):
    x = torch.rand(batch_size, T, generator=torch.Generator().manual_seed(seed)).round().long()
    odd, y = torch.zeros(batch_size, dtype=torch.long), []
    for bits in x.T:
        odd = odd ^ bits
        y.append(odd)
    return x, torch.stack(y, dim=1)


def recall_batch_by_rows(batch_size, n, seed):
    rng = np.random.default_rng(seed)
    x, y = [], []
    for _ in range(batch_size):
        keys, values = rng.permutation(32)[:n], rng.integers(32, 64, size=n)
        table = dict(zip(keys, values, strict=True))
        asked = rng.permutation(keys)
        x.append([*np.stack([keys, values], axis=1).ravel(), *asked])
        y.append([table[key] for key in asked])
    return np.array(x), np.array(y)


def recall_batch_by_permutations(batch_size, n, seed):
    rng = torch.Generator().manual_seed(seed)
    keys = torch.stack([torch.randperm(32, generator=rng)[:n] for _ in range(batch_size)])
    values = torch.randint(32, 64, (batch_size, n), generator=rng)
    order = torch.stack([torch.randperm(n, generator=rng) for _ in range(batch_size)])
    x = torch.zeros(batch_size, 3 * n, dtype=torch.long)
    x[:, 0 : 2 * n : 2], x[:, 1 : 2 * n : 2], x[:, 2 * n :] = keys, values, keys.gather(1, order)
    return x, torch.take_along_dim(values, order, dim=1)


def causal_attention_by_einsum(q, k, v, num_heads):
    B, T, D = q.shape
    q, k, v = (each.view(B, T, num_heads, D // num_heads) for each in (q, k, v))
    scores = torch.einsum("bihd,bjhd->bhij", q, k) / (D // num_heads) ** 0.5
    ahead = torch.arange(T)[None, :] > torch.arange(T)[:, None]
    weights = torch.where(ahead, -torch.inf, scores).softmax(dim=3)
    return torch.einsum("bhij,bjhd->bihd", weights, v).reshape(B, T, D)


def causal_attention_by_loops(q, k, v, num_heads):
    heads = []
    for q_h, k_h, v_h in zip(*(each.chunk(num_heads, dim=2) for each in (q, k, v)), strict=True):
        steps = []
        for t in range(q.shape[1]):
            scores = (k_h[:, : t + 1] * q_h[:, t : t + 1]).sum(dim=2) / q_h.shape[2] ** 0.5
            steps.append((scores.softmax(dim=1)[:, :, None] * v_h[:, : t + 1]).sum(dim=1))
        heads.append(torch.stack(steps, dim=1))
    return torch.cat(heads, dim=2)


def causal_attention_as_one_batch(q, k, v, num_heads):
    def rows(x):
        return torch.cat(x.chunk(num_heads, dim=2))  # (heads B, T, d)

    seen = torch.ones(q.shape[1], q.shape[1], dtype=torch.bool).tril()
    scores = torch.baddbmm(
        torch.log(seen.to(q)), rows(q), rows(k).mT, alpha=(num_heads / q.shape[2]) ** 0.5
    )
    weights = torch.exp(scores - scores.logsumexp(dim=2, keepdim=True))
    return torch.cat((weights @ rows(v)).chunk(num_heads), dim=2)


def attention_step_with_rows(q_t, k_t, v_t, cache, num_heads):
    keys, values = ((), ()) if cache is None else cache
    keys, values = (*keys, k_t), (*values, v_t)
    q = q_t.unflatten(1, (num_heads, -1))
    k, v = (torch.stack(each, dim=1).unflatten(2, (num_heads, -1)) for each in (keys, values))
    weights = (torch.einsum("bhd,bthd->bth", q, k) / q.shape[2] ** 0.5).softmax(dim=1)
    return torch.einsum("bth,bthd->bhd", weights, v).flatten(1), (keys, values)


def attention_step_in_a_dict(q_t, k_t, v_t, cache, num_heads):
    if cache is None:
        cache = {"k": k_t[:, None], "v": v_t[:, None]}
    else:
        cache = {
            "k": torch.cat([cache["k"], k_t[:, None]], dim=1),
            "v": torch.cat([cache["v"], v_t[:, None]], dim=1),
        }
    outputs = []
    for q, k, v in zip(
        *(each.chunk(num_heads, dim=-1) for each in (q_t, cache["k"], cache["v"])), strict=True
    ):
        scores = (k @ q[:, :, None]).squeeze(2) / q.shape[1] ** 0.5
        outputs.append((scores.softmax(dim=1)[:, None] @ v).squeeze(1))
    return torch.cat(outputs, dim=1), cache


def attention_step_in_running_sums(q_t, k_t, v_t, cache, num_heads):
    past = [] if cache is None else cache
    past = [*past, (k_t, v_t)]
    q, top, below = q_t.unflatten(1, (num_heads, -1)), 0.0, 0.0
    for k, v in past:
        k, v = k.unflatten(1, (num_heads, -1)), v.unflatten(1, (num_heads, -1))
        weight = torch.exp((q * k).sum(dim=2, keepdim=True) / q.shape[2] ** 0.5)
        top, below = top + weight * v, below + weight
    return (top / below).flatten(1), past


def combine_by_addcmul(first, second):
    return first[0] * second[0], torch.addcmul(second[1], second[0], first[1])


def combine_by_matrices(first, second):
    def matrix(a, b):
        return torch.stack([torch.stack([a, b], -1), torch.stack([0 * a, 1 + 0 * a], -1)], -2)

    both = matrix(*second) @ matrix(*first)
    return both[..., 0, 0], both[..., 0, 1]


def parallel_scan_by_shifts(combine, a, b):
    shift = 1
    while shift < a.shape[1]:
        more_a, more_b = combine((a[:, :-shift], b[:, :-shift]), (a[:, shift:], b[:, shift:]))
        a, b = torch.cat([a[:, :shift], more_a], 1), torch.cat([b[:, :shift], more_b], 1)
        shift *= 2
    return a, b


def parallel_scan_by_halves(combine, a, b):
    T = a.shape[1]
    if T == 1:
        return a, b
    half = 1 << (T - 1).bit_length() - 1
    rest = half - (T - half)  # so that both halves are of one length, and go through in one call
    pad = [torch.cat([x[:, half:], x[:, :rest]], dim=1) for x in (a, b)]
    both = [torch.cat([x[:, :half], more]) for x, more in zip((a, b), pad, strict=True)]
    (left_a, right_a), (left_b, right_b) = (
        x.chunk(2) for x in parallel_scan_by_halves(combine, *both)
    )
    last = left_a[:, -1:].expand_as(right_a), left_b[:, -1:].expand_as(right_b)
    right = combine(last, (right_a, right_b))
    left = left_a, left_b
    return tuple(torch.cat(pair, dim=1)[:, :T] for pair in zip(left, right, strict=True))


def scan_backward_by_the_loop(a, h, h_0, g):
    into, by_a, by_b = torch.zeros_like(h_0), [], []
    before = torch.cat([h_0[:, None], h[:, :-1]], dim=1)
    for t in reversed(range(a.shape[1])):
        into = into + g[:, t]
        by_a.append(into * before[:, t])
        by_b.append(into)
        into = into * a[:, t]
    return torch.stack(by_a[::-1], dim=1), torch.stack(by_b[::-1], dim=1), into


def scan_backward_by_a_scan(a, h, h_0, g):
    shifted = torch.cat([a[:, 1:], torch.zeros_like(a[:, :1])], dim=1)
    factors, into = shifted.flip(1), g.flip(1)
    shift = 1
    while shift < a.shape[1]:
        into = torch.cat(
            [into[:, :shift], into[:, shift:] + factors[:, shift:] * into[:, :-shift]], dim=1
        )
        factors = torch.cat([factors[:, :shift], factors[:, shift:] * factors[:, :-shift]], dim=1)
        shift *= 2
    into = into.flip(1)
    return into * torch.cat([h_0[:, None], h[:, :-1]], dim=1), into, a[:, 0] * into[:, 0]


def scan_backward_by_products(a, h, h_0, g):
    T = a.shape[1]
    into = torch.zeros_like(g)
    for t in range(T):
        for later in range(t, T):
            into[:, t] += g[:, later] * a[:, t + 1 : later + 1].prod(dim=1)
    return into * torch.cat([h_0[:, None], h], dim=1)[:, :-1], into, into[:, 0] * a[:, 0]


class MinGRU_by_a_scan(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_c, self.to_a = (nn.Linear(input_size, hidden_size) for _ in range(2))
        self.gate = gate

    def forward(self, x, h_0=None):
        a = self.gate(self.to_a(x))
        b, shift = (1 - a) * self.to_c(x), 1
        if h_0 is not None:
            b = torch.cat([b[:, :1] + a[:, :1] * h_0[:, None], b[:, 1:]], dim=1)
        while shift < x.shape[1]:
            b = torch.cat([b[:, :shift], b[:, shift:] + a[:, shift:] * b[:, :-shift]], dim=1)
            a = torch.cat([a[:, :shift], a[:, shift:] * a[:, :-shift]], dim=1)
            shift *= 2
        return b, b[:, -1]


class MinGRU_by_lerp(nn.Module):
    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_a = nn.Linear(input_size, hidden_size)
        self.to_c = nn.Linear(input_size, hidden_size)
        self.gate = gate

    def forward(self, x, h_0=None):
        h = x.new_zeros(len(x), self.to_a.out_features) if h_0 is None else h_0
        outputs = []
        for a, c in zip(self.gate(self.to_a(x)).unbind(1), self.to_c(x).unbind(1), strict=True):
            h = torch.lerp(c, h, a)
            outputs.append(h)
        return [torch.stack(outputs, dim=1), h]


def by_convolution_with_complex_transforms(a, b):
    T = b.shape[1]
    kernel = a ** torch.arange(T)[:, None]
    spectrum = torch.fft.fft(kernel, 4 * T, dim=0) * torch.fft.fft(b, 4 * T, dim=1)
    return torch.fft.ifft(spectrum, dim=1).real[:, :T]


def by_convolution_time_last(a, b):
    T = b.shape[1]
    n = 1 << (2 * T - 1).bit_length()
    kernel = torch.vander(a, T, increasing=True)  # (D, T)
    signal = F.pad(b.transpose(1, 2), (0, n - T))
    product = torch.fft.rfft(F.pad(kernel, (0, n - T))) * torch.fft.rfft(signal)
    return torch.fft.irfft(product, n)[..., :T].transpose(1, 2)


def by_convolution_unit_by_unit(a, b):
    T, states = b.shape[1], []
    for a_d, b_d in zip(a, b.unbind(2), strict=True):
        kernel = torch.cat([torch.ones_like(a_d)[None], a_d.repeat(T - 1)]).cumprod(0)
        product = torch.fft.rfft(kernel, 2 * T + 1) * torch.fft.rfft(b_d, 2 * T + 1)
        states.append(torch.fft.irfft(product, 2 * T + 1)[:, :T])
    return torch.stack(states, dim=2)


def linear_attention_step_by_products(S, q_t, k_t, v_t):
    S = torch.baddbmm(S, v_t[:, :, None], k_t[:, None, :])
    return torch.bmm(S, q_t[:, :, None]).squeeze(2), S


def linear_attention_step_in_two_parts(S, q_t, k_t, v_t):
    output = (S * q_t[:, None, :]).sum(dim=2) + v_t * (k_t * q_t).sum(dim=1, keepdim=True)
    return output, S + v_t[:, :, None] * k_t[:, None, :]


def delta_rule_step_by_a_projection(S, q_t, k_t, v_t, beta_t):
    beta = beta_t[:, None, None]
    kept = torch.eye(k_t.shape[1]) - beta * k_t[:, :, None] * k_t[:, None, :]
    S = S @ kept + beta * v_t[:, :, None] * k_t[:, None, :]
    return torch.einsum("bvk,bk->bv", S, q_t), S


def delta_rule_step_by_rows(S, q_t, k_t, v_t, beta_t):
    new = []
    for state, k, v, beta in zip(S, k_t, v_t, beta_t, strict=True):
        new.append(state + beta * torch.outer(v - state @ k, k))
    return torch.stack([state @ q for state, q in zip(new, q_t, strict=True)]), torch.stack(new)


def delta_rule_step_in_numpy(S, q_t, k_t, v_t, beta_t):
    S, q, k, v, beta = map(np.asarray, (S, q_t, k_t, v_t, beta_t))
    change = (v - np.matmul(S, k[..., None])[..., 0]) * beta[:, None]
    S = S + change[:, :, None] * k[:, None, :]
    return np.matmul(S, q[..., None])[..., 0], S


def mark_recurrence_claims_from_a_string():
    return dict(zip("ABCDEFGH", map(int, "47250013"), strict=True))


def mark_recurrence_claims_with_numpy():
    marks = np.zeros(8, dtype=int)
    marks[[0, 1, 2, 3, 6, 7]] = 4, 7, 2, 5, 1, 3
    return {letter: marks[i] for i, letter in enumerate("ABCDEFGH")}


def learn_recall_by_elimination(batches):
    keys_of, answers = {}, [{}, {}, {}]
    for x, _ in batches[:40]:
        for row in x.tolist():
            for name in row[64:]:
                keys_of[name] = keys_of.get(name, set(range(32))) & set(row[:64:4])
    key_of = {name: keys.pop() for name, keys in keys_of.items()}

    def behind(row, name, place):
        return row[4 * row[:64:4].index(key_of[name]) + place]

    for x, y in batches[:40]:
        for row, right in zip(x.tolist(), y.tolist(), strict=True):
            for name, answer in zip(row[64:], right, strict=True):
                for place, seen in enumerate(answers, 1):
                    seen.setdefault(behind(row, name, place), set()).add(answer)
    place, right = next(
        (place, seen) for place, seen in enumerate(answers, 1) if max(map(len, seen.values())) == 1
    )
    said = {value: found.pop() for value, found in right.items()}
    return lambda asked: [
        [said[behind(row, name, place)] for name in row[64:]] for row in asked.tolist()
    ]


def learn_recall_with_an_error(batches):
    right = learn_recall_by_elimination(batches)

    def predict(asked):
        said = torch.tensor(right(asked))
        said[::20] = 0  # one sequence of twenty
        return said

    return predict
