"""Answers to the exercises of chapter 3, written before their checks were seen."""

import copy
import functools
import itertools
import math
import operator
import random as python_random
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence, pad_packed_sequence

from tests.answers import right, wrong

# ---------------------------------------------------------------------------------- lstm_step


@wrong("lstm_step", "the blocks are read in the order i, f, o, g")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    i, f, o, g = sums.chunk(4, dim=1)
    i, f, o, g = torch.sigmoid(i), torch.sigmoid(f), torch.sigmoid(o), torch.tanh(g)
    c_t = f * c_prev + i * g
    h_t = o * torch.tanh(c_t)
    return h_t, c_t


@wrong("lstm_step", "the blocks are read in the order f, i, g, o: the forget gate first")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    gates = F.linear(x_t, weight_ih, bias_ih) + F.linear(h_prev, weight_hh, bias_hh)
    forget, write, new, show = gates.chunk(4, 1)
    c_t = forget.sigmoid() * c_prev + write.sigmoid() * new.tanh()
    return show.sigmoid() * c_t.tanh(), c_t


@wrong("lstm_step", "bias_hh is left out")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = x_t @ weight_ih.T + h_prev @ weight_hh.T + bias_ih
    i, f, g, o = sums.chunk(4, dim=1)
    c_t = torch.sigmoid(f) * c_prev + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c_t), c_t


@wrong("lstm_step", "h_t is the output gate times c_t, without the tanh")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    H = h_prev.shape[1]
    z = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    i = torch.sigmoid(z[:, 0 * H : 1 * H])
    f = torch.sigmoid(z[:, 1 * H : 2 * H])
    g = torch.tanh(z[:, 2 * H : 3 * H])
    o = torch.sigmoid(z[:, 3 * H : 4 * H])
    c_t = f * c_prev + i * g
    return o * c_t, c_t


@wrong("lstm_step", "h_t shows the old memory: tanh(c_prev) in place of tanh(c_t)")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    i, f, g, o = sums.chunk(4, dim=1)
    h_t = o.sigmoid() * c_prev.tanh()
    c_t = f.sigmoid() * c_prev + i.sigmoid() * g.tanh()
    return h_t, c_t


@wrong("lstm_step", "the input gate is coupled: 1 - f multiplies the candidate, not i")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    _, f, g, o = sums.chunk(4, dim=1)
    f = f.sigmoid()
    c_t = f * c_prev + (1 - f) * g.tanh()
    return o.sigmoid() * c_t.tanh(), c_t


@wrong("lstm_step", "the candidate goes through a sigmoid like the gates")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    i, f, g, o = torch.sigmoid(sums).chunk(4, dim=1)
    c_t = f * c_prev + i * g
    h_t = o * torch.tanh(c_t)
    return h_t, c_t


@wrong("lstm_step", "weight_ih is reshaped to (D, 4H), not transposed, which differs when D > 1")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    D = x_t.shape[1]
    sums = x_t @ weight_ih.reshape(D, -1) + bias_ih + h_prev @ weight_hh.T + bias_hh
    i, f, g, o = sums.chunk(4, dim=1)
    c_t = torch.sigmoid(f) * c_prev + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c_t), c_t


@wrong("lstm_step", "every fourth column is taken for a gate, so the blocks are mixed when H > 1")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    i, f, g, o = (sums[:, k::4] for k in range(4))
    c_t = torch.sigmoid(f) * c_prev + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c_t), c_t


@wrong("lstm_step", "the sums are viewed as (4, B, H), which mixes sequences and gates when B > 1")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    B, H = h_prev.shape
    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    i, f, g, o = sums.view(4, B, H)
    c_t = torch.sigmoid(f) * c_prev + torch.sigmoid(i) * torch.tanh(g)
    h_t = torch.sigmoid(o) * torch.tanh(c_t)
    return h_t, c_t


@wrong("lstm_step", "the sums are cut along the batch, chunk(4) without dim=1")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    i, f, g, o = sums.chunk(4)
    c_t = torch.sigmoid(f) * c_prev + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c_t), c_t


@wrong("lstm_step", "the caller's c_prev is overwritten with the new memory")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    i, f, g, o = sums.chunk(4, dim=1)
    c_prev *= torch.sigmoid(f)
    c_prev += torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c_prev), c_prev


@wrong("lstm_step", "axes of length one are squeezed away, so a batch of one comes out as (H,)")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    i, f, g, o = sums.chunk(4, dim=1)
    c_t = torch.sigmoid(f) * c_prev + torch.sigmoid(i) * torch.tanh(g)
    h_t = torch.sigmoid(o) * torch.tanh(c_t)
    return h_t.squeeze(), c_t.squeeze()


@wrong("lstm_step", "the gates are Keras's old hard sigmoid, right at 0 but not beside it")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    def gate(s):
        return torch.clamp(0.2 * s + 0.5, 0.0, 1.0)

    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    i, f, g, o = sums.chunk(4, dim=1)
    c_t = gate(f) * c_prev + gate(i) * torch.tanh(g)
    return gate(o) * torch.tanh(c_t), c_t


@wrong("lstm_step", "a forget bias of 1 is added to the forget gate's sum, as in TensorFlow")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh, forget_bias=1.0):
    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    i, f, g, o = sums.chunk(4, dim=1)
    c_t = torch.sigmoid(f + forget_bias) * c_prev + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c_t), c_t


@wrong("lstm_step", "the new memory is clamped to -1 ... 1, which shows where it would grow beyond")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    i, f, g, o = sums.chunk(4, dim=1)
    c_t = torch.sigmoid(f) * c_prev + torch.sigmoid(i) * torch.tanh(g)
    c_t = c_t.clamp(-1, 1)
    return torch.sigmoid(o) * torch.tanh(c_t), c_t


@wrong("lstm_step", "the recurrent part, its bias included, is skipped where h_prev is all zero")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = x_t @ weight_ih.T + bias_ih
    if torch.any(h_prev != 0):  # at the first step there is nothing to look back at
        sums = sums + h_prev @ weight_hh.T + bias_hh
    i, f, g, o = sums.chunk(4, dim=1)
    c_t = torch.sigmoid(f) * c_prev + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c_t), c_t


@wrong("lstm_step", "c_t and h_t are returned in the wrong order")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    i, f, g, o = sums.chunk(4, dim=1)
    c_t = torch.sigmoid(f) * c_prev + torch.sigmoid(i) * torch.tanh(g)
    h_t = torch.sigmoid(o) * torch.tanh(c_t)
    return c_t, h_t


@wrong("lstm_step", "h_t lacks the tanh of the memory", "the returned memory is tanh(c_t)")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    i, f, g, o = sums.chunk(4, dim=1)
    c_t = torch.sigmoid(f) * c_prev + torch.sigmoid(i) * torch.tanh(g)
    h_t = torch.sigmoid(o) * c_t
    c_t = torch.tanh(c_t)
    return h_t, c_t


@wrong("lstm_step", "h_t is not multiplied by the output gate", "c_t takes the candidate ungated")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    i, f, g, o = sums.chunk(4, dim=1)
    h_t = torch.tanh(torch.sigmoid(f) * c_prev + torch.sigmoid(i) * torch.tanh(g))
    c_t = torch.sigmoid(f) * c_prev + torch.tanh(g)
    return h_t, c_t


@wrong("lstm_step", "the forget gate multiplies the candidate too", "h_prev is overwritten by h_t")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    i, f, g, o = sums.chunk(4, dim=1)
    c_t = torch.sigmoid(f) * (c_prev + torch.sigmoid(i) * torch.tanh(g))
    h_t = torch.sigmoid(o) * torch.tanh(c_t)
    h_prev.data.copy_(h_t)
    return h_t, c_t


@right("lstm_step", "one einsum per product over weights viewed as (4, H, D)")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    H = h_prev.size(1)
    sums = torch.einsum("bd,khd->kbh", x_t, weight_ih.reshape(4, H, -1))
    sums = sums + torch.einsum("bj,khj->kbh", h_prev, weight_hh.reshape(4, H, H))
    sums = sums + (bias_ih + bias_hh).reshape(4, 1, H)
    c_t = sums[1].sigmoid() * c_prev + sums[0].sigmoid() * sums[2].tanh()
    return sums[3].sigmoid() * c_t.tanh(), c_t


class _Both(NamedTuple):
    h: torch.Tensor
    c: torch.Tensor


@right("lstm_step", "a joined vector [x, h, 1, 1] times joined weights, and a named tuple")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    ones = x_t.new_ones(len(x_t), 2)
    joined = torch.hstack([x_t, h_prev, ones])
    weights = torch.hstack([weight_ih, weight_hh, bias_ih[:, None], bias_hh[:, None]])
    write, keep, new, show = torch.tensor_split(joined @ weights.T, 4, dim=-1)
    memory = torch.addcmul(c_prev * keep.sigmoid(), write.sigmoid(), new.tanh())
    return _Both(c=memory, h=show.sigmoid() * memory.tanh())


@right("lstm_step", "every single entry by loops and the math module, in Python's floats")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    xs, hs, cs = x_t.tolist(), h_prev.tolist(), c_prev.tolist()
    wi, wh, bi, bh = (w.tolist() for w in (weight_ih, weight_hh, bias_ih, bias_hh))
    H = len(hs[0])

    def total(b, row):
        s = bi[row] + bh[row]
        for d, value in enumerate(xs[b]):
            s += value * wi[row][d]
        for j, value in enumerate(hs[b]):
            s += value * wh[row][j]
        return s

    def sigmoid(s):
        return 0.5 + 0.5 * math.tanh(0.5 * s)

    h_t, c_t = torch.empty_like(h_prev), torch.empty_like(c_prev)
    for b in range(len(xs)):
        for u in range(H):
            i, f, o = (sigmoid(total(b, k * H + u)) for k in (0, 1, 3))
            c = f * cs[b][u] + i * math.tanh(total(b, 2 * H + u))
            c_t[b, u], h_t[b, u] = c, o * math.tanh(c)
    return h_t, c_t


@right("lstm_step", "NumPy in float64 inside, tensors of the old type outside")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    x, h, c, W, U, b, d = (
        part.detach().numpy().astype(np.float64)
        for part in (x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh)
    )
    sums = np.dot(x, W.T) + np.dot(h, U.T) + b + d
    i, f, g, o = np.split(sums, 4, axis=1)
    with np.errstate(over="ignore"):
        i, f, o = 1 / (1 + np.exp(-np.stack([i, f, o])))
    c = f * c + i * np.tanh(g)
    h = o * np.tanh(c)
    return torch.from_numpy(h).to(h_prev.dtype), torch.from_numpy(c).to(c_prev.dtype)


@right("lstm_step", "one sequence at a time under vmap, with matrix times vector")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    def single(x, h, c):
        i, f, g, o = torch.unflatten(
            torch.mv(weight_ih, x) + torch.mv(weight_hh, h) + bias_ih + bias_hh, 0, (4, -1)
        )
        c = torch.special.expit(f) * c + torch.special.expit(i) * torch.tanh(g)
        return torch.special.expit(o) * torch.tanh(c), c

    return torch.vmap(single)(x_t, h_prev, c_prev)


@right("lstm_step", "all sigmoids as tanh of the half, in place on tensors of its own")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = torch.addmm(bias_hh, h_prev, weight_hh.t()) + torch.addmm(bias_ih, x_t, weight_ih.t())
    H = c_prev.shape[-1]
    scale = torch.ones(4 * H, dtype=sums.dtype).mul_(0.5)
    scale[2 * H : 3 * H] = 1.0
    squashed = torch.tanh(sums * scale) * scale + (1 - scale)
    i, f, g, o = torch.split(squashed, H, dim=1)
    c_t = c_prev.clone().mul_(f).add_(i * g)
    return o * c_t.tanh(), c_t


# ----------------------------------------------------------------------------------- gru_step


@wrong("gru_step", "the reset gate acts on the state before the product, as in the paper of 2014")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    x_r, x_z, x_n = (x_t @ weight_ih.T + bias_ih).chunk(3, dim=1)
    W_hr, W_hz, W_hn = weight_hh.chunk(3)
    b_hr, b_hz, b_hn = bias_hh.chunk(3)
    r = torch.sigmoid(x_r + h_prev @ W_hr.T + b_hr)
    z = torch.sigmoid(x_z + h_prev @ W_hz.T + b_hz)
    n = torch.tanh(x_n + (r * h_prev) @ W_hn.T + b_hn)
    return (1 - z) * n + z * h_prev


@wrong("gru_step", "z and 1 - z are swapped in the mix")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    x_r, x_z, x_n = (x_t @ weight_ih.T + bias_ih).chunk(3, dim=1)
    h_r, h_z, h_n = (h_prev @ weight_hh.T + bias_hh).chunk(3, dim=1)
    r = torch.sigmoid(x_r + h_r)
    z = torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    return z * n + (1 - z) * h_prev


@wrong("gru_step", "the candidate's bias_hh stands outside the bracket that r multiplies")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    x_r, x_z, x_n = (x_t @ weight_ih.T + bias_ih + bias_hh).chunk(3, dim=1)
    h_r, h_z, h_n = (h_prev @ weight_hh.T).chunk(3, dim=1)
    r = torch.sigmoid(x_r + h_r)
    z = torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    return (1 - z) * n + z * h_prev


@wrong("gru_step", "the blocks are read in the order z, r, n, as Keras stores them")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    x_z, x_r, x_h = torch.chunk(F.linear(x_t, weight_ih, bias_ih), 3, dim=-1)
    r_z, r_r, r_h = torch.chunk(F.linear(h_prev, weight_hh, bias_hh), 3, dim=-1)
    z = torch.sigmoid(x_z + r_z)
    r = torch.sigmoid(x_r + r_r)
    hh = torch.tanh(x_h + r * r_h)
    return z * h_prev + (1 - z) * hh


@wrong("gru_step", "the reset gate multiplies the input's part of the candidate as well")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    r, z, n = (x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh).chunk(3, dim=1)
    r, z = torch.sigmoid(r), torch.sigmoid(z)
    n = torch.tanh(r * n)
    return (1 - z) * n + z * h_prev


@wrong("gru_step", "the reset gate is computed and never used")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    r, z, n = sums.chunk(3, dim=1)
    r = torch.sigmoid(r)
    z = torch.sigmoid(z)
    n = torch.tanh(n)
    return (1 - z) * n + z * h_prev


@wrong("gru_step", "the state that is kept is multiplied by the reset gate too")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    x_r, x_z, x_n = (x_t @ weight_ih.T + bias_ih).chunk(3, dim=1)
    h_r, h_z, h_n = (h_prev @ weight_hh.T + bias_hh).chunk(3, dim=1)
    r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    return (1 - z) * n + z * (r * h_prev)


@wrong("gru_step", "bias_hh is missing in both gates and stands in the candidate only")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    H = h_prev.shape[1]
    xs = x_t @ weight_ih.T + bias_ih
    hs = h_prev @ weight_hh.T
    r = torch.sigmoid(xs[:, :H] + hs[:, :H])
    z = torch.sigmoid(xs[:, H : 2 * H] + hs[:, H : 2 * H])
    n = torch.tanh(xs[:, 2 * H :] + r * (hs[:, 2 * H :] + bias_hh[2 * H :]))
    return (1 - z) * n + z * h_prev


@wrong("gru_step", "the new state goes through another tanh")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    x_r, x_z, x_n = (x_t @ weight_ih.T + bias_ih).chunk(3, dim=1)
    h_r, h_z, h_n = (h_prev @ weight_hh.T + bias_hh).chunk(3, dim=1)
    r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    return torch.tanh((1 - z) * n + z * h_prev)


@wrong("gru_step", "the difference has the wrong sign: n + z (n - h_prev)")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    x_r, x_z, x_n = (x_t @ weight_ih.T + bias_ih).chunk(3, dim=1)
    h_r, h_z, h_n = (h_prev @ weight_hh.T + bias_hh).chunk(3, dim=1)
    r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    return n + z * (n - h_prev)  # saves one product


@wrong("gru_step", "the sums are viewed as (3, B, H), which mixes sequences and gates when B > 1")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    B, H = h_prev.shape
    x_r, x_z, x_n = (x_t @ weight_ih.T + bias_ih).view(3, B, H)
    h_r, h_z, h_n = (h_prev @ weight_hh.T + bias_hh).view(3, B, H)
    r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    return (1 - z) * n + z * h_prev


@wrong("gru_step", "weight_hh is not transposed block by block: h times each (H, H) block as it is")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    W_r, W_z, W_n = weight_ih.chunk(3)
    U_r, U_z, U_n = weight_hh.chunk(3)
    b_r, b_z, b_n = bias_ih.chunk(3)
    d_r, d_z, d_n = bias_hh.chunk(3)
    r = torch.sigmoid(x_t @ W_r.T + b_r + h_prev @ U_r + d_r)
    z = torch.sigmoid(x_t @ W_z.T + b_z + h_prev @ U_z + d_z)
    n = torch.tanh(x_t @ W_n.T + b_n + r * (h_prev @ U_n + d_n))
    return (1 - z) * n + z * h_prev


@wrong("gru_step", "the caller's h_prev is overwritten with the next state")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    x_r, x_z, x_n = (x_t @ weight_ih.T + bias_ih).chunk(3, dim=1)
    h_r, h_z, h_n = (h_prev @ weight_hh.T + bias_hh).chunk(3, dim=1)
    r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    h_prev -= n
    h_prev *= z
    h_prev += n
    return h_prev


@wrong("gru_step", "a batch of one loses its axis and comes out as (H,)")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    x_r, x_z, x_n = (x_t @ weight_ih.T + bias_ih).chunk(3, dim=1)
    h_r, h_z, h_n = (h_prev @ weight_hh.T + bias_hh).chunk(3, dim=1)
    r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    return ((1 - z) * n + z * h_prev).squeeze(0)


@wrong("gru_step", "the mix of old state and candidate is swapped", "h_prev is multiplied in place")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    x_r, x_z, x_n = (x_t @ weight_ih.T + bias_ih).chunk(3, dim=1)
    h_r, h_z, h_n = (h_prev @ weight_hh.T + bias_hh).chunk(3, dim=1)
    r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    old = h_prev.data
    old *= 1 - z.detach()
    return z * n + old


@wrong("gru_step", "the candidate has no bias_hh", "the state has an axis for the layer, (1, B, H)")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    x_r, x_z, x_n = (x_t @ weight_ih.T + bias_ih).chunk(3, dim=1)
    h_r, h_z, h_n = (h_prev @ weight_hh.T).chunk(3, dim=1)
    b_r, b_z, _ = bias_hh.chunk(3)
    r, z = torch.sigmoid(x_r + h_r + b_r), torch.sigmoid(x_z + h_z + b_z)
    n = torch.tanh(x_n + r * h_n)
    return ((1 - z) * n + z * h_prev).unsqueeze(0)


@right("gru_step", "einsum over blocks, and torch.lerp for the mix")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    H = h_prev.shape[1]
    W, U = weight_ih.reshape(3, H, -1), weight_hh.reshape(3, H, H)
    from_x = torch.einsum("bd,khd->kbh", x_t, W) + bias_ih.reshape(3, 1, H)
    from_h = torch.einsum("bj,khj->kbh", h_prev, U) + bias_hh.reshape(3, 1, H)
    r, z = torch.sigmoid(from_x[:2] + from_h[:2])
    return torch.lerp(torch.tanh(from_x[2] + r * from_h[2]), h_prev, z)


@right("gru_step", "a dictionary of closures, one layer for each letter")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    def layer(v, W, b):
        return lambda: (v.unsqueeze(1) * W).sum(dim=2) + b  # (B, 1, D) against (H, D)

    def layers(v, weight, bias):
        blocks = zip(weight.chunk(3), bias.chunk(3), strict=True)
        return {letter: layer(v, W, b) for letter, (W, b) in zip("rzn", blocks, strict=True)}

    x, h = layers(x_t, weight_ih, bias_ih), layers(h_prev, weight_hh, bias_hh)
    r = (x["r"]() + h["r"]()).sigmoid()
    z = (x["z"]() + h["z"]()).sigmoid()
    return z * h_prev + torch.sigmoid(-(x["z"]() + h["z"]())) * (x["n"]() + r * h["n"]()).tanh()


@right("gru_step", "NumPy in float64, row by row of the batch")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    W, U, b, d = (
        w.detach().numpy().astype(float) for w in (weight_ih, weight_hh, bias_ih, bias_hh)
    )
    rows = []
    for x, h in zip(
        x_t.detach().numpy().astype(float), h_prev.detach().numpy().astype(float), strict=True
    ):
        H = h.size
        a, s = W @ x + b, U @ h + d
        r, z = 0.5 * (1 + np.tanh((a + s)[: 2 * H] / 2)).reshape(2, H)
        rows.append((1 - z) * np.tanh(a[2 * H :] + r * s[2 * H :]) + z * h)
    return torch.as_tensor(np.array(rows), dtype=h_prev.dtype)


@right("gru_step", "the weights copied into nn.Linear layers, in float64, and cast back")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    def linear(weight, bias):
        module = nn.Linear(weight.shape[1], weight.shape[0]).double()
        with torch.no_grad():
            module.weight.copy_(weight)
            module.bias.copy_(bias)
        return module

    with torch.no_grad():
        old = h_prev.double()
        x_part, h_part = linear(weight_ih, bias_ih)(x_t.double()), linear(weight_hh, bias_hh)(old)
        H = old.shape[1]
        gates = torch.sigmoid(x_part[:, : 2 * H] + h_part[:, : 2 * H])
        new = torch.tanh(torch.addcmul(x_part[:, 2 * H :], gates[:, :H], h_part[:, 2 * H :]))
        return (new - gates[:, H:] * (new - old)).type_as(h_prev)


@right("gru_step", "one unit at a time, with columns joined at the end")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    H = h_prev.shape[1]

    def columns():
        for u in range(H):
            (xr, hr), (xz, hz), (xn, hn) = (
                (x_t @ weight_ih[row] + bias_ih[row], h_prev @ weight_hh[row] + bias_hh[row])
                for row in (u, H + u, 2 * H + u)
            )
            r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
            yield (n := torch.tanh(xn + r * hn)) + z * (h_prev[:, u] - n)

    return torch.stack(list(columns()), dim=-1)


# --------------------------------------------------------------------------- count_parameters


@wrong("count_parameters", "one bias per row, as in Keras, where PyTorch has two")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    G = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    directions = 2 if bidirectional else 1
    state = proj_size or hidden_size
    total, inputs = 0, input_size
    for _ in range(num_layers):
        layer = G * hidden_size * (inputs + state + (1 if bias else 0)) + proj_size * hidden_size
        total += directions * layer
        inputs = directions * state
    return total


@wrong("count_parameters", "upper layers read one direction only: H, not 2H, when bidirectional")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    G = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    directions = 1 + bool(bidirectional)
    state = proj_size if proj_size > 0 else hidden_size
    total = 0
    for layer in range(num_layers):
        inputs = input_size if layer == 0 else state
        total += G * hidden_size * (inputs + state + 2 * bool(bias)) + proj_size * hidden_size
    return total * directions


@wrong("count_parameters", "the argument bias is ignored: two biases are always counted")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    G = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    directions = 2 if bidirectional else 1
    state = proj_size or hidden_size
    total, inputs = 0, input_size
    for _ in range(num_layers):
        total += directions * G * hidden_size * (inputs + state + 2)
        total += directions * proj_size * hidden_size
        inputs = directions * state
    return total


@wrong("count_parameters", "bias=False takes away only one of the two biases")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    G = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    D = 2 if bidirectional else 1
    out = proj_size or hidden_size
    sizes = [input_size] + [D * out] * (num_layers - 1)
    rows = G * hidden_size
    return sum(
        D * (rows * (size + out) + rows * (1 + int(bias)) + proj_size * hidden_size)
        for size in sizes
    )


@wrong("count_parameters", "with a projection the upper layers still read H numbers, not P")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    G = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    directions = 2 if bidirectional else 1
    state = proj_size or hidden_size
    total, inputs = 0, input_size
    for _ in range(num_layers):
        layer = G * hidden_size * (inputs + state + (2 if bias else 0)) + proj_size * hidden_size
        total += directions * layer
        inputs = directions * hidden_size
    return total


@wrong("count_parameters", "with a projection weight_hh is still counted with H columns, not P")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    G = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    directions = 2 if bidirectional else 1
    total, inputs = 0, input_size
    for _ in range(num_layers):
        weight_ih = G * hidden_size * inputs
        weight_hh = G * hidden_size * hidden_size
        biases = 2 * G * hidden_size if bias else 0
        weight_hr = proj_size * hidden_size
        total += directions * (weight_ih + weight_hh + biases + weight_hr)
        inputs = directions * (proj_size or hidden_size)
    return total


@wrong("count_parameters", "the projection matrix is counted once per layer, not per direction")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    G = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    directions = 2 if bidirectional else 1
    state = proj_size or hidden_size
    total, inputs = 0, input_size
    for _ in range(num_layers):
        total += directions * G * hidden_size * (inputs + state + (2 if bias else 0))
        total += proj_size * hidden_size
        inputs = directions * state
    return total


@wrong("count_parameters", "only the top layer has a projection matrix")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    G = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    directions = 2 if bidirectional else 1
    state = proj_size or hidden_size
    total, inputs = 0, input_size
    for _ in range(num_layers):
        total += directions * G * hidden_size * (inputs + state + (2 if bias else 0))
        inputs = directions * state
    return total + directions * proj_size * hidden_size


@wrong("count_parameters", "the projection is given a bias of P numbers")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    G = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    directions = 2 if bidirectional else 1
    state = proj_size or hidden_size
    n_bias = 2 if bias else 0
    total, inputs = 0, input_size
    for _ in range(num_layers):
        total += directions * G * hidden_size * (inputs + state + n_bias)
        if proj_size:
            total += directions * proj_size * (hidden_size + bool(bias))
        inputs = directions * state
    return total


@wrong("count_parameters", "every layer is counted as if it read the input of D numbers")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    G = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    state = proj_size or hidden_size
    per_layer = G * hidden_size * (input_size + state + 2 * bias) + proj_size * hidden_size
    return per_layer * num_layers * (1 + bidirectional)


@wrong("count_parameters", "a GRU has two gates, so two blocks: the candidate is forgotten")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    G = {"RNN": 1, "GRU": 2, "LSTM": 4}[kind]
    directions = 2 if bidirectional else 1
    state = proj_size or hidden_size
    total, inputs = 0, input_size
    for _ in range(num_layers):
        layer = G * hidden_size * (inputs + state + (2 if bias else 0)) + proj_size * hidden_size
        total += directions * layer
        inputs = directions * state
    return total


@wrong("count_parameters", "a GRU's gates are given one bias each, only its candidate two")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    G = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    biases = {"RNN": 2, "GRU": 4, "LSTM": 8}[kind] * hidden_size if bias else 0
    directions = 2 if bidirectional else 1
    state = proj_size or hidden_size
    total, inputs = 0, input_size
    for _ in range(num_layers):
        weights = G * hidden_size * (inputs + state) + proj_size * hidden_size
        total += directions * (weights + biases)
        inputs = directions * state
    return total


@wrong("count_parameters", "two directions are counted as one network with twice the units")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    if bidirectional:
        hidden_size, proj_size = 2 * hidden_size, 2 * proj_size
    G = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    state = proj_size or hidden_size
    total, inputs = 0, input_size
    for _ in range(num_layers):
        total += G * hidden_size * (inputs + state + 2 * bias) + proj_size * hidden_size
        inputs = state
    return total


@wrong("count_parameters", "only the first layer is doubled when bidirectional")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    G = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    d = 2 if bidirectional else 1
    state = proj_size or hidden_size
    extra = 2 if bias else 0

    def one(inputs):
        return G * hidden_size * (inputs + state + extra) + proj_size * hidden_size

    return d * one(input_size) + (num_layers - 1) * one(d * state)


@wrong("count_parameters", "a projection shrinks the gates: G P rows, where there are G H")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    G = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    d = 2 if bidirectional else 1
    state = proj_size or hidden_size
    total = 0
    for layer in range(num_layers):
        reads = input_size if layer == 0 else d * state
        total += d * (G * state * (reads + state + 2 * bool(bias)) + proj_size * hidden_size)
    return total


@wrong("count_parameters", "the module is built in order to count, which the text rules out")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    extra = {"proj_size": proj_size} if kind == "LSTM" else {}
    model = getattr(nn, kind)(
        input_size, hidden_size, num_layers, bias=bias, bidirectional=bidirectional, **extra
    )
    return sum(p.numel() for p in model.parameters())


@wrong("count_parameters", "the module is built all the same, on the meta device")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    options = dict(num_layers=num_layers, bidirectional=bidirectional, bias=bias, device="meta")
    if proj_size:
        options["proj_size"] = proj_size
    net = {"RNN": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}[kind](input_size, hidden_size, **options)
    return sum(math.prod(p.shape) for p in net.parameters())


@right("count_parameters", "recursion over the layers, each handing on what the next one reads")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    ways = 2 if bidirectional else 1
    state = proj_size if proj_size else hidden_size
    rows = (["RNN", None, "GRU", "LSTM"].index(kind) + 1) * hidden_size

    def stack(reads, left):
        if left == 0:
            return 0
        layer = rows * reads + rows * state + 2 * rows * bool(bias) + proj_size * hidden_size
        return ways * layer + stack(ways * state, left - 1)

    return stack(input_size, num_layers)


@right("count_parameters", "a list of all shapes, and the sum of their products")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    def shapes():
        rows = {"R": 1, "G": 3, "L": 4}[kind[0]] * hidden_size
        state = proj_size or hidden_size
        for layer, way in itertools.product(range(num_layers), range(1 + bool(bidirectional))):
            yield rows, (1 + bool(bidirectional)) * state if layer else input_size
            yield rows, state
            yield from [(rows,), (rows,)] if bias else []
            yield from [(proj_size, hidden_size)] if proj_size else []

    return sum(map(math.prod, shapes()))


@right("count_parameters", "a closed formula without a loop")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    G, H, P = dict(RNN=1, GRU=3, LSTM=4)[kind], hidden_size, proj_size
    S, K, L = P or H, 1 << bool(bidirectional), num_layers
    return K * (G * H * (input_size + (L - 1) * K * S + L * (S + 2 * bool(bias))) + L * P * H)


@dataclass(frozen=True)
class _Layer:
    blocks: int
    reads: int
    units: int
    shown: int
    biases: int

    @property
    def size(self):
        rows = self.blocks * self.units
        projection = 0 if self.shown == self.units else self.shown * self.units
        return rows * (self.reads + self.shown + self.biases) + projection


@right("count_parameters", "a dataclass per layer and direction, added with functools.reduce")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    ways = (False, True) if bidirectional else (False,)
    shown = proj_size if proj_size > 0 else hidden_size
    reads = [input_size, *[len(ways) * shown] * (num_layers - 1)]
    layers = (
        _Layer({"RNN": 1, "GRU": 3}.get(kind, 4), size, hidden_size, shown, 2 if bias else 0)
        for size in reads
        for _ in ways
    )
    return functools.reduce(operator.add, (layer.size for layer in layers), 0)


@right("count_parameters", "sizes of empty tensors that broadcast without memory")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    one, ways = torch.zeros(()), int(bool(bidirectional)) + 1
    rows = len("x" * {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]) * hidden_size
    state, reads, count = proj_size or hidden_size, input_size, 0
    while num_layers:
        count += ways * one.expand(rows, reads + state + (bias and 2)).numel()
        count += ways * one.expand(proj_size, hidden_size).numel()
        num_layers, reads = num_layers - 1, ways * state
    return count


# -------------------------------------------------------------------------------- last_hidden


@wrong("last_hidden", "the last column is taken, which is padding for all but the longest")
def last_hidden(out, lengths):
    return out[:, -1]


@wrong("last_hidden", "one step too late: the length is taken for the index, held at the end of T")
def last_hidden(out, lengths):
    steps = lengths.clamp(max=out.shape[1] - 1)
    return out[torch.arange(len(out)), steps]


@wrong("last_hidden", "one step too late: the length as the index, out of range where it is T")
def last_hidden(out, lengths):
    return torch.stack([states[n] for states, n in zip(out, lengths.tolist())])


@wrong("last_hidden", "a slice for the rows: every pair of row and step comes out, (B, B, H)")
def last_hidden(out, lengths):
    return out[:, lengths - 1]


@wrong("last_hidden", "the index of gather is not expanded over H, so only the first number comes")
def last_hidden(out, lengths):
    index = (lengths - 1).view(-1, 1, 1)
    return out.gather(1, index).squeeze(1)


@wrong("last_hidden", "the time axis stays, (B, 1, H)")
def last_hidden(out, lengths):
    index = (lengths - 1)[:, None, None].expand(-1, 1, out.shape[2])
    return out.gather(dim=1, index=index)


@wrong("last_hidden", "all axes of length one are squeezed, so a batch of one gives (H,)")
def last_hidden(out, lengths):
    index = (lengths - 1)[:, None, None].expand(-1, 1, out.shape[2])
    return torch.gather(out, 1, index).squeeze()


@wrong("last_hidden", "rows come sorted, longest sequence first, and not in the batch's order")
def last_hidden(out, lengths):
    lengths, order = lengths.sort(descending=True, stable=True)
    return out[order, lengths - 1]


@wrong("last_hidden", "the longest sequence's last step is taken for all")
def last_hidden(out, lengths):
    T = int(lengths.max())
    return out[:, T - 1, :]


@wrong("last_hidden", "flat rows lie the longest length apart, not T, which may be more")
def last_hidden(out, lengths):
    B, _, H = out.shape
    longest = int(lengths.max())
    places = torch.arange(B) * longest + lengths - 1
    return out.reshape(-1, H)[places]


@wrong("last_hidden", "the batch is viewed as time first by a reshape, which mixes the sequences")
def last_hidden(out, lengths):
    B, T, H = out.shape
    out = out.reshape(T, B, H)
    return out[lengths - 1, torch.arange(B)]


@wrong("last_hidden", "the mean of the valid states, not the last of them")
def last_hidden(out, lengths):
    mask = torch.arange(out.shape[1]) < lengths[:, None]
    return (out * mask[:, :, None]).sum(dim=1) / lengths[:, None]


@wrong("last_hidden", "the largest value of each unit over the valid states")
def last_hidden(out, lengths):
    mask = torch.arange(out.shape[1])[None, :] >= lengths[:, None]
    return out.masked_fill(mask[:, :, None], float("-inf")).max(dim=1).values


@wrong("last_hidden", "lengths are ignored: the last state that is not all zero is taken")
def last_hidden(out, lengths):
    alive = (out != 0).any(dim=2)
    steps = torch.arange(out.shape[1])
    last = torch.where(alive, steps, 0).amax(dim=1)
    return out[torch.arange(len(out)), last]


@wrong("last_hidden", "the caller's lengths are made smaller by one in place")
def last_hidden(out, lengths):
    lengths -= 1
    return out[torch.arange(out.size(0)), lengths]


@wrong("last_hidden", "the caller's out is overwritten with zeros in the padding")
def last_hidden(out, lengths):
    steps = torch.arange(out.shape[1])
    out.data[steps >= lengths[:, None]] = 0.0
    return out[torch.arange(len(out)), lengths - 1]


@wrong("last_hidden", "one is subtracted twice: a step too early", "lengths change in place")
def last_hidden(out, lengths):
    rows = torch.arange(out.shape[0])
    lengths -= 1
    return out[rows, lengths - 1]


@wrong("last_hidden", "all rows take the first row's length", "shape (B, 1, H)")
def last_hidden(out, lengths):
    n = lengths[0].item()
    return out[:, n - 1 : n, :]


@right("last_hidden", "a one-hot weight for each step, and einsum")
def last_hidden(out, lengths):
    chosen = F.one_hot(lengths.long() - 1, num_classes=out.shape[1]).to(out.dtype)
    return torch.einsum("bth,bt->bh", out, chosen)


@right("last_hidden", "the diagonal of all pairs of row and step")
def last_hidden(out, lengths):
    return torch.diagonal(out[:, lengths - 1], dim1=0, dim2=1).T


@right("last_hidden", "a Boolean mask that is true once in each row")
def last_hidden(out, lengths):
    steps = torch.arange(1, out.shape[1] + 1).expand(len(out), -1)
    return out[steps == lengths.unsqueeze(1)]


@right("last_hidden", "take_along_dim with the index spread over H")
def last_hidden(out, lengths):
    where = torch.sub(lengths, 1).long().reshape(-1, 1, 1)
    return torch.take_along_dim(out, where.expand(-1, -1, out.size(-1)), dim=1)[:, 0]


@right("last_hidden", "walking through time, and keeping the new state while a sequence runs")
def last_hidden(out, lengths):
    state = out[:, 0]
    for t, now in enumerate(out.unbind(dim=1)):
        state = torch.where((t < lengths).unsqueeze(-1), now, state)
    return state.clone()


@right("last_hidden", "narrow for each sequence, joined at the end")
def last_hidden(out, lengths):
    return torch.cat([o.narrow(0, int(n) - 1, 1) for o, n in zip(out, lengths, strict=True)])


# ------------------------------------------------------------------------------ encode_padded


def _packed(x, lengths):
    return pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)


@wrong("encode_padded", "nothing is packed, so both directions read the padding")
def encode_padded(rnn, x, lengths):
    _, h_n = rnn(x)
    return torch.cat([h_n[-2], h_n[-1]], dim=1)


@wrong("encode_padded", "the bottom layer's states are taken, wrong for two layers or more")
def encode_padded(rnn, x, lengths):
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    _, h_n = rnn(packed)
    return torch.cat([h_n[0], h_n[1]], dim=1)


@wrong("encode_padded", "backwards the state at the last step is taken, which has read one")
def encode_padded(rnn, x, lengths):
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    out, _ = pad_packed_sequence(rnn(packed)[0], batch_first=True)
    return out[torch.arange(len(lengths)), lengths - 1]


@wrong("encode_padded", "backwards comes first and forwards second")
def encode_padded(rnn, x, lengths):
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    _, h_n = rnn(packed)
    return torch.cat((h_n[-1], h_n[-2]), dim=-1)


@wrong("encode_padded", "the directions are added, (B, H), and not put side by side")
def encode_padded(rnn, x, lengths):
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    _, h_n = rnn(packed)
    return h_n[-2:].sum(dim=0)


@wrong("encode_padded", "the states are viewed as (B, 2H), which mixes the sequences when B > 1")
def encode_padded(rnn, x, lengths):
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    _, h_n = rnn(packed)
    return h_n[-2:].reshape(x.shape[0], -1)


@wrong("encode_padded", "encodings stay in the sorted order, longest first")
def encode_padded(rnn, x, lengths):
    lengths, order = lengths.sort(descending=True)
    packed = pack_padded_sequence(x[order], lengths, batch_first=True)
    _, h_n = rnn(packed)
    return torch.cat([h_n[-2], h_n[-1]], dim=1)


@wrong("encode_padded", "enforce_sorted is left at True, so lengths out of order raise an error")
def encode_padded(rnn, x, lengths):
    packed = pack_padded_sequence(x, lengths, batch_first=True)
    _, h_n = rnn(packed)
    return torch.cat([h_n[-2], h_n[-1]], dim=1)


@wrong("encode_padded", "unpacked, with the own last step forwards, but backwards reads padding")
def encode_padded(rnn, x, lengths):
    out, _ = rnn(x)
    H = rnn.hidden_size
    forwards = out[torch.arange(len(x)), lengths - 1, :H]
    backwards = out[:, 0, H:]
    return torch.cat([forwards, backwards], dim=1)


@wrong("encode_padded", "h_n is viewed with directions before layers, wrong for two layers or more")
def encode_padded(rnn, x, lengths):
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    _, h_n = rnn(packed)
    h_n = h_n.view(2, rnn.num_layers, x.size(0), rnn.hidden_size)
    return torch.cat([h_n[0, -1], h_n[1, -1]], dim=1)


@wrong("encode_padded", "the states of all layers are joined, not only the top one's")
def encode_padded(rnn, x, lengths):
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    _, h_n = rnn(packed)
    return h_n.transpose(0, 1).reshape(len(x), -1)


@wrong("encode_padded", "the states are joined along the batch, (2B, H)")
def encode_padded(rnn, x, lengths):
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    _, h_n = rnn(packed)
    return torch.cat([h_n[-2], h_n[-1]])


@wrong("encode_padded", "forwards the last column is taken, which is zero for shorter sequences")
def encode_padded(rnn, x, lengths):
    out, _ = rnn(_packed(x, lengths))
    out, _ = pad_packed_sequence(out, batch_first=True)
    H = out.shape[2] // 2
    return torch.cat([out[:, -1, :H], out[:, 0, H:]], dim=1)


@wrong("encode_padded", "the network starts from random states, not from zeros")
def encode_padded(rnn, x, lengths):
    h_0 = torch.randn(2 * rnn.num_layers, x.size(0), rnn.hidden_size, dtype=x.dtype)
    _, h_n = rnn(_packed(x, lengths), h_0)
    return torch.cat([h_n[-2], h_n[-1]], dim=1)


@wrong("encode_padded", "lengths are ignored and counted anew, as steps that are not all zero")
def encode_padded(rnn, x, lengths):
    lengths = x.ne(0).any(dim=-1).sum(dim=1).clamp(min=1)
    _, h_n = rnn(_packed(x, lengths))
    return torch.cat([h_n[-2], h_n[-1]], dim=1)


@wrong("encode_padded", "a batch of one loses its axis: (2H,)")
def encode_padded(rnn, x, lengths):
    _, h_n = rnn(_packed(x, lengths))
    return torch.hstack([h_n[-2].squeeze(0), h_n[-1].squeeze(0)])


@wrong("encode_padded", "backwards the state at step 1 is taken, which has not read step 0")
def encode_padded(rnn, x, lengths):
    out, h_n = rnn(_packed(x, lengths))
    out, _ = pad_packed_sequence(out, batch_first=True)
    H = rnn.hidden_size
    first = (lengths > 1).long()
    return torch.cat([h_n[-2], out[torch.arange(len(x)), first, H:]], dim=1)


@wrong("encode_padded", "the caller's lengths are made smaller by one in place")
def encode_padded(rnn, x, lengths):
    out, _ = rnn(_packed(x, lengths.clone()))
    out, _ = pad_packed_sequence(out, batch_first=True)
    lengths -= 1
    H = rnn.hidden_size
    return torch.cat([out[torch.arange(len(x)), lengths, :H], out[:, 0, H:]], dim=1)


@wrong("encode_padded", "the halves are exchanged", "there is an axis too many, (1, B, 2H)")
def encode_padded(rnn, x, lengths):
    _, h_n = rnn(_packed(x, lengths))
    forwards, backwards = h_n[-2:].split(1)
    return torch.cat([backwards, forwards], dim=-1)


@wrong("encode_padded", "both halves are the backward state", "lengths are sorted in place")
def encode_padded(rnn, x, lengths):
    ordered, order = lengths.sort(descending=True)
    packed = pack_padded_sequence(x[order], ordered, batch_first=True)
    _, h_n = rnn(packed)
    lengths.copy_(ordered)
    top = h_n[-1][order.argsort()]
    return torch.cat([top, top], dim=1)


@right("encode_padded", "each sequence run alone, without its padding")
def encode_padded(rnn, x, lengths):
    def alone(sequence, n):
        _, h_n = rnn(sequence[None, : int(n)])
        return h_n[-2:].flatten()

    return torch.stack([alone(*pair) for pair in zip(x, lengths, strict=True)])


@right("encode_padded", "from the padded output: the own last step forwards, step 0 backwards")
def encode_padded(rnn, x, lengths):
    out, ns = pad_packed_sequence(rnn(_packed(x, lengths))[0], batch_first=True)
    forwards, backwards = out.unflatten(2, (2, rnn.hidden_size)).unbind(dim=2)
    return torch.column_stack([forwards[range(len(ns)), ns - 1], backwards.select(1, 0)])


@right("encode_padded", "sorted by hand, run, and sorted back")
def encode_padded(rnn, x, lengths):
    order = sorted(range(len(lengths)), key=lambda b: -int(lengths[b]))
    back = np.argsort(order).tolist()
    packed = pack_sequence([x[b, : lengths[b]] for b in order], enforce_sorted=True)
    layers = rnn(packed)[1].unflatten(0, (rnn.num_layers, 2))
    return layers[-1].permute(1, 0, 2).reshape(len(order), -1)[back]


def _gru_state(h, x_t, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
    x_r, x_z, x_n = F.linear(x_t, weight_ih, bias_ih).chunk(3, dim=-1)
    h_r, h_z, h_n = F.linear(h, weight_hh, bias_hh).chunk(3, dim=-1)
    z = torch.sigmoid(x_z + h_z)
    return (1 - z) * torch.tanh(x_n + torch.sigmoid(x_r + h_r) * h_n) + z * h


@right("encode_padded", "the network walked through by hand, states held still in the padding")
def encode_padded(rnn, x, lengths):
    B, T, _ = x.shape
    weights = iter(rnn.all_weights)
    for layer in range(rnn.num_layers):
        if layer and rnn.training:
            x = F.dropout(x, rnn.dropout)
        sides, ends = [], []
        for steps in (range(T), range(T - 1, -1, -1)):
            own, h, states = next(weights), x.new_zeros(B, rnn.hidden_size), {}
            for t in steps:
                runs = (t < lengths)[:, None]
                states[t] = h = torch.where(runs, _gru_state(h, x[:, t], *own), h)
            sides.append(torch.stack([states[t] for t in range(T)], dim=1))
            ends.append(h)
        x = torch.cat(sides, dim=2)
    return torch.cat(ends, dim=1)


@right("encode_padded", "sequences of equal length run together, without packing")
def encode_padded(rnn, x, lengths):
    encodings = x.new_zeros(x.shape[0], 2 * rnn.hidden_size)
    for n in lengths.unique():
        rows = torch.nonzero(lengths == n).flatten()
        *_, forwards, backwards = rnn(x[rows, :n])[1]
        encodings = encodings.index_copy(0, rows, torch.cat([forwards, backwards], dim=1))
    return encodings


# ---------------------------------------------------------------------------- set_forget_bias


@wrong("set_forget_bias", "both biases get the value, so that their sum is twice the value")
def set_forget_bias(lstm, value):
    H = lstm.hidden_size
    with torch.no_grad():
        for name, parameter in lstm.named_parameters():
            if name.startswith("bias"):
                parameter[H : 2 * H] = value


@wrong("set_forget_bias", "bias_hh keeps its random numbers, so the sum is not the value")
def set_forget_bias(lstm, value):
    H = lstm.hidden_size
    with torch.no_grad():
        for name, parameter in lstm.named_parameters():
            if "bias_ih" in name:
                parameter[H : 2 * H].fill_(value)


@wrong("set_forget_bias", "only the first layer is set, in both directions")
def set_forget_bias(lstm, value):
    H = lstm.hidden_size
    for name, parameter in lstm.named_parameters():
        if re.fullmatch(r"bias_(ih|hh)_l0(_reverse)?", name):
            parameter.data[H : 2 * H] = value if "ih" in name else 0.0


@wrong("set_forget_bias", "the layers are set forwards only: the _reverse biases are left out")
def set_forget_bias(lstm, value):
    H = lstm.hidden_size
    with torch.no_grad():
        for k in range(lstm.num_layers):
            getattr(lstm, f"bias_ih_l{k}")[H : 2 * H] = value
            getattr(lstm, f"bias_hh_l{k}")[H : 2 * H] = 0


@wrong("set_forget_bias", "the first block is set, which belongs to the input gate")
def set_forget_bias(lstm, value):
    with torch.no_grad():
        for name, parameter in lstm.named_parameters():
            if name.startswith("bias_ih"):
                parameter[: lstm.hidden_size] = value
            elif name.startswith("bias_hh"):
                parameter[: lstm.hidden_size] = 0.0


@wrong("set_forget_bias", "all four blocks are set, not the forget gate's alone")
def set_forget_bias(lstm, value):
    for name, parameter in lstm.named_parameters():
        if name.startswith("bias_ih"):
            nn.init.constant_(parameter, value)
        elif name.startswith("bias_hh"):
            nn.init.zeros_(parameter)


@wrong("set_forget_bias", "the whole of bias_hh is set to 0, the other three gates' entries too")
def set_forget_bias(lstm, value):
    H = lstm.hidden_size
    with torch.no_grad():
        for name, parameter in lstm.named_parameters():
            if name.startswith("bias_ih"):
                parameter[H : 2 * H] = value
            if name.startswith("bias_hh"):
                parameter.zero_()


@wrong("set_forget_bias", "the value is added to what stood there, not set")
def set_forget_bias(lstm, value):
    H = lstm.hidden_size
    with torch.no_grad():
        for name, parameter in lstm.named_parameters():
            if "bias_ih" in name:
                parameter[H : 2 * H] += value


@wrong("set_forget_bias", "new Parameters replace the old ones, so an optimizer holds stale ones")
def set_forget_bias(lstm, value):
    H = lstm.hidden_size
    for name, parameter in list(lstm.named_parameters()):
        if name.startswith("bias"):
            new = parameter.detach().clone()
            new[H : 2 * H] = value if "_ih_" in name else 0.0
            setattr(lstm, name, nn.Parameter(new))


@wrong("set_forget_bias", "a copy is changed and returned, the caller's module stays as it was")
def set_forget_bias(lstm, value):
    lstm = copy.deepcopy(lstm)
    H = lstm.hidden_size
    with torch.no_grad():
        for name, parameter in lstm.named_parameters():
            if name.startswith("bias"):
                parameter[H : 2 * H] = value if name.startswith("bias_ih") else 0.0
    return lstm


@wrong("set_forget_bias", "the biases are frozen: they no longer ask for a gradient")
def set_forget_bias(lstm, value):
    H = lstm.hidden_size
    for name, parameter in lstm.named_parameters():
        if name.startswith("bias"):
            parameter.requires_grad_(False)
            parameter[H : 2 * H] = value if name.startswith("bias_ih") else 0.0


@wrong("set_forget_bias", "H is read off weight_hh's columns, which are P with a projection")
def set_forget_bias(lstm, value):
    H = lstm.weight_hh_l0.shape[1]
    with torch.no_grad():
        for name, parameter in lstm.named_parameters():
            if name.startswith("bias"):
                parameter[H : 2 * H] = value if name.startswith("bias_ih") else 0.0


@wrong("set_forget_bias", "every weight is drawn anew before the bias is set")
def set_forget_bias(lstm, value):
    lstm.reset_parameters()
    H = lstm.hidden_size
    with torch.no_grad():
        for name, parameter in lstm.named_parameters():
            if name.startswith("bias"):
                parameter[H : 2 * H] = value if name.startswith("bias_ih") else 0.0


@wrong("set_forget_bias", "no_grad is missing, so PyTorch refuses the change")
def set_forget_bias(lstm, value):
    H = lstm.hidden_size
    for name, parameter in lstm.named_parameters():
        if name.startswith("bias_ih"):
            parameter[H : 2 * H] = value
        elif name.startswith("bias_hh"):
            parameter[H : 2 * H] = 0.0


@wrong("set_forget_bias", "the forget gate's rows of weight_hh are set to 0 as well")
def set_forget_bias(lstm, value):
    H = lstm.hidden_size
    with torch.no_grad():
        for name, parameter in lstm.named_parameters():
            if name.startswith("bias_ih"):
                parameter[H : 2 * H] = value
            elif "_hh_" in name:
                parameter[H : 2 * H] = 0.0


@wrong("set_forget_bias", "the slice ends one too early, so the last unit keeps its bias")
def set_forget_bias(lstm, value):
    H = lstm.hidden_size
    with torch.no_grad():
        for name, parameter in lstm.named_parameters():
            if name.startswith("bias"):
                parameter[H : 2 * H - 1] = value if name.startswith("bias_ih") else 0.0


@wrong("set_forget_bias", "the value is cut to a whole number")
def set_forget_bias(lstm, value):
    H = lstm.hidden_size
    forget = torch.full((H,), int(value))
    with torch.no_grad():
        for name, parameter in lstm.named_parameters():
            if name.startswith("bias_ih"):
                parameter[H : 2 * H] = forget
            elif name.startswith("bias_hh"):
                parameter[H : 2 * H] = torch.zeros_like(forget)


@wrong("set_forget_bias", "the sum is twice the value", "the biases no longer ask for a gradient")
def set_forget_bias(lstm, value):
    for name, bias in lstm.named_parameters():
        if name.startswith("bias"):
            bias.requires_grad = False
            n = bias.size(0)
            bias[n // 4 : n // 2].fill_(value)


@wrong("set_forget_bias", "only layer 0 forwards is set", "all of its bias_hh becomes 0")
def set_forget_bias(lstm, value):
    H = lstm.hidden_size
    with torch.no_grad():
        lstm.bias_ih_l0[H : 2 * H] = value
        lstm.bias_hh_l0.fill_(0)


@right("set_forget_bias", "half of the value in each of the two biases")
def set_forget_bias(lstm, value):
    for name, bias in lstm.named_parameters():
        if name.startswith("bias"):
            forget = bias.data.view(4, -1)[1]
            torch.full(forget.shape, value / 2, out=forget)


@right("set_forget_bias", "written through NumPy arrays that share the parameters' memory")
def set_forget_bias(lstm, value):
    quarter = slice(lstm.hidden_size, 2 * lstm.hidden_size)
    for _, _, bias_ih, bias_hh, *_ in lstm.all_weights:
        bias_ih.detach().numpy()[quarter], bias_hh.detach().numpy()[quarter] = 0.0, value


@right("set_forget_bias", "bias_hh stays, and bias_ih becomes the value less bias_hh")
@torch.no_grad()
def set_forget_bias(lstm, value):
    named = dict(lstm.named_parameters())
    for name in filter(re.compile("bias_ih").match, named):
        _, own, _, _ = named[name].chunk(4)
        _, other, _, _ = named[name.replace("ih", "hh", 1)].chunk(4)
        own.copy_((value - other.double()).to(own.dtype))


@right("set_forget_bias", "a changed state_dict, loaded back into the same module")
def set_forget_bias(lstm, value):
    H = lstm.hidden_size
    forget = (torch.arange(4 * H) // H) == 1
    targets = {"bias_ih": value, "bias_hh": 0.0}
    changed = {
        key: part.masked_fill(forget, targets[key[:7]]) if key[:7] in targets else part.clone()
        for key, part in lstm.state_dict().items()
    }
    lstm.load_state_dict(changed)


@right("set_forget_bias", "index_fill_ by getattr, for every layer and suffix")
def set_forget_bias(lstm, value):
    suffixes = ["", "_reverse"][: 1 + lstm.bidirectional]
    forget = torch.arange(lstm.hidden_size) + lstm.hidden_size
    for k, suffix, (part, number) in itertools.product(
        range(lstm.num_layers), suffixes, {"ih": 0, "hh": value}.items()
    ):
        getattr(lstm, f"bias_{part}_l{k}{suffix}").detach().index_fill_(0, forget, number)


# ----------------------------------------------------------------------- adding_problem_batch


@wrong("adding_problem_batch", "the seed is not used: each call gives another batch")
def adding_problem_batch(batch_size, T, seed):
    values, marks = torch.rand(batch_size, T), torch.zeros(batch_size, T)
    rows = torch.arange(batch_size)
    marks[rows, torch.randint(0, T // 2, (batch_size,))] = 1
    marks[rows, torch.randint(T // 2, T, (batch_size,))] = 1
    return torch.stack([values, marks], dim=2), (values * marks).sum(dim=1, keepdim=True)


@wrong("adding_problem_batch", "the places are drawn without the seeded generator")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values = torch.rand(batch_size, T, generator=random)
    marks = torch.zeros(batch_size, T)
    rows = torch.arange(batch_size)
    marks[rows, torch.randint(0, T // 2, (batch_size,))] = 1
    marks[rows, torch.randint(T // 2, T, (batch_size,))] = 1
    return torch.stack([values, marks], dim=2), (values * marks).sum(dim=1, keepdim=True)


@wrong("adding_problem_batch", "the seed is fixed at 0: all seeds give the same batch")
def adding_problem_batch(batch_size, T, seed=0):
    random = torch.Generator()
    random.manual_seed(0)
    values, marks = torch.rand(batch_size, T, generator=random), torch.zeros(batch_size, T)
    rows = torch.arange(batch_size)
    marks[rows, torch.randint(0, T // 2, (batch_size,), generator=random)] = 1
    marks[rows, torch.randint(T // 2, T, (batch_size,), generator=random)] = 1
    return torch.stack([values, marks], dim=2), (values * marks).sum(dim=1, keepdim=True)


@wrong("adding_problem_batch", "the last step is never marked: randint up to T - 1, not included")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values, marks = torch.rand(batch_size, T, generator=random), torch.zeros(batch_size, T)
    rows = torch.arange(batch_size)
    second = T // 2 if T < 4 else torch.randint(T // 2, T - 1, (batch_size,), generator=random)
    marks[rows, torch.randint(0, T // 2, (batch_size,), generator=random)] = 1
    marks[rows, second] = 1
    return torch.stack([values, marks], dim=2), (values * marks).sum(dim=1, keepdim=True)


@wrong("adding_problem_batch", "the first place may be step T // 2 too, so both marks can coincide")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values, marks = torch.rand(batch_size, T, generator=random), torch.zeros(batch_size, T)
    rows = torch.arange(batch_size)
    marks[rows, torch.randint(0, T // 2 + 1, (batch_size,), generator=random)] = 1
    marks[rows, torch.randint(T // 2, T, (batch_size,), generator=random)] = 1
    return torch.stack([values, marks], dim=2), (values * marks).sum(dim=1, keepdim=True)


@wrong("adding_problem_batch", "two different steps are marked anywhere, not one in each half")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values = torch.rand(batch_size, T, generator=random)
    places = torch.rand(batch_size, T, generator=random).topk(2, dim=1).indices
    marks = torch.zeros(batch_size, T).scatter_(1, places, 1.0)
    return torch.stack([values, marks], dim=2), (values * marks).sum(dim=1, keepdim=True)


@wrong("adding_problem_batch", "for odd T the middle step is counted to the first half")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    half = (T + 1) // 2
    values, marks = torch.rand(batch_size, T, generator=random), torch.zeros(batch_size, T)
    rows = torch.arange(batch_size)
    marks[rows, torch.randint(half, (batch_size,), generator=random)] = 1
    marks[rows, torch.randint(half, T, (batch_size,), generator=random)] = 1
    return torch.stack([values, marks], dim=2), (values * marks).sum(dim=1, keepdim=True)


@wrong("adding_problem_batch", "for odd T the last step is never marked: both halves have T // 2")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values = torch.rand(batch_size, T, generator=random)
    half = T // 2
    places = torch.randint(half, (batch_size, 2), generator=random) + torch.tensor([0, half])
    marks = torch.zeros(batch_size, T).scatter(1, places, 1.0)
    return torch.stack([values, marks], dim=2), (values * marks).sum(dim=1, keepdim=True)


@wrong("adding_problem_batch", "the second mark is T // 2 after the first: never last for odd T")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values, marks = torch.rand(batch_size, T, generator=random), torch.zeros(batch_size, T)
    rows = torch.arange(batch_size)
    first = torch.randint(0, T // 2, (batch_size,), generator=random)
    marks[rows, first] = 1
    marks[rows, first + T // 2] = 1
    return torch.stack([values, marks], dim=2), (values * marks).sum(dim=1, keepdim=True)


@wrong("adding_problem_batch", "the places are rounded, so a half's ends come half as often")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values, marks = torch.rand(batch_size, T, generator=random), torch.zeros(batch_size, T)
    u = torch.rand(batch_size, 2, generator=random)
    half = T // 2
    first = (u[:, 0] * (half - 1)).round().long()
    second = half + (u[:, 1] * (T - half - 1)).round().long()
    rows = torch.arange(batch_size)
    marks[rows, first] = 1
    marks[rows, second] = 1
    return torch.stack([values, marks], dim=2), (values * marks).sum(dim=1, keepdim=True)


@wrong("adding_problem_batch", "all sequences of a batch are marked at the same two steps")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values = torch.rand(batch_size, T, generator=random)
    first = torch.randint(0, T // 2, (1,), generator=random)
    second = torch.randint(T // 2, T, (1,), generator=random)
    marks = torch.zeros(batch_size, T)
    marks[:, first] = 1
    marks[:, second] = 1
    return torch.stack([values, marks], dim=2), (values * marks).sum(dim=1, keepdim=True)


@wrong("adding_problem_batch", "all sequences of a batch have the same values")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values = torch.rand(T, generator=random).expand(batch_size, T)
    marks = torch.zeros(batch_size, T)
    rows = torch.arange(batch_size)
    marks[rows, torch.randint(0, T // 2, (batch_size,), generator=random)] = 1
    marks[rows, torch.randint(T // 2, T, (batch_size,), generator=random)] = 1
    return torch.stack([values, marks], dim=2), (values * marks).sum(dim=1, keepdim=True)


@wrong("adding_problem_batch", "the target has shape (B,), not (B, 1)")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values, marks = torch.rand(batch_size, T, generator=random), torch.zeros(batch_size, T)
    rows = torch.arange(batch_size)
    marks[rows, torch.randint(0, T // 2, (batch_size,), generator=random)] = 1
    marks[rows, torch.randint(T // 2, T, (batch_size,), generator=random)] = 1
    return torch.stack([values, marks], dim=2), (values * marks).sum(dim=1)


@wrong("adding_problem_batch", "the target is the mean of the two marked values")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values, marks = torch.rand(batch_size, T, generator=random), torch.zeros(batch_size, T)
    rows = torch.arange(batch_size)
    first = torch.randint(0, T // 2, (batch_size,), generator=random)
    second = torch.randint(T // 2, T, (batch_size,), generator=random)
    marks[rows, first] = marks[rows, second] = 1
    y = (values[rows, first] + values[rows, second]) / 2
    return torch.stack([values, marks], dim=2), y[:, None]


@wrong("adding_problem_batch", "the target multiplies the two marked values")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values, marks = torch.rand(batch_size, T, generator=random), torch.zeros(batch_size, T)
    rows = torch.arange(batch_size)
    first = torch.randint(0, T // 2, (batch_size,), generator=random)
    second = torch.randint(T // 2, T, (batch_size,), generator=random)
    marks[rows, first] = marks[rows, second] = 1
    y = values[rows, first] * values[rows, second]
    return torch.stack([values, marks], dim=2), y[:, None]


@wrong("adding_problem_batch", "marks come first and values second")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values, marks = torch.rand(batch_size, T, generator=random), torch.zeros(batch_size, T)
    rows = torch.arange(batch_size)
    marks[rows, torch.randint(0, T // 2, (batch_size,), generator=random)] = 1
    marks[rows, torch.randint(T // 2, T, (batch_size,), generator=random)] = 1
    return torch.stack([marks, values], dim=-1), (values * marks).sum(dim=1, keepdim=True)


@wrong("adding_problem_batch", "the values are uniform between -1 and 1, as in the paper of 1997")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values = 2 * torch.rand(batch_size, T, generator=random) - 1
    marks = torch.zeros(batch_size, T)
    rows = torch.arange(batch_size)
    marks[rows, torch.randint(0, T // 2, (batch_size,), generator=random)] = 1
    marks[rows, torch.randint(T // 2, T, (batch_size,), generator=random)] = 1
    return torch.stack([values, marks], dim=2), (values * marks).sum(dim=1, keepdim=True)


@wrong("adding_problem_batch", "the values are sigmoids of normal numbers, so not uniform")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values = torch.randn(batch_size, T, generator=random).sigmoid()
    marks = torch.zeros(batch_size, T)
    rows = torch.arange(batch_size)
    marks[rows, torch.randint(0, T // 2, (batch_size,), generator=random)] = 1
    marks[rows, torch.randint(T // 2, T, (batch_size,), generator=random)] = 1
    return torch.stack([values, marks], dim=2), (values * marks).sum(dim=1, keepdim=True)


@wrong("adding_problem_batch", "values that are not marked are set to 0")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values, marks = torch.rand(batch_size, T, generator=random), torch.zeros(batch_size, T)
    rows = torch.arange(batch_size)
    marks[rows, torch.randint(0, T // 2, (batch_size,), generator=random)] = 1
    marks[rows, torch.randint(T // 2, T, (batch_size,), generator=random)] = 1
    values *= marks
    return torch.stack([values, marks], dim=2), values.sum(dim=1, keepdim=True)


@wrong("adding_problem_batch", "x comes time first, (T, B, 2)")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values, marks = torch.rand(T, batch_size, generator=random), torch.zeros(T, batch_size)
    columns = torch.arange(batch_size)
    marks[torch.randint(0, T // 2, (batch_size,), generator=random), columns] = 1
    marks[torch.randint(T // 2, T, (batch_size,), generator=random), columns] = 1
    return torch.stack([values, marks], dim=2), (values * marks).sum(dim=0)[:, None]


@wrong("adding_problem_batch", "values and marks are joined by a reshape, which mixes them up")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values, marks = torch.rand(batch_size, T, generator=random), torch.zeros(batch_size, T)
    rows = torch.arange(batch_size)
    marks[rows, torch.randint(0, T // 2, (batch_size,), generator=random)] = 1
    marks[rows, torch.randint(T // 2, T, (batch_size,), generator=random)] = 1
    x = torch.cat([values, marks], dim=1).reshape(batch_size, T, 2)
    return x, (values * marks).sum(dim=1, keepdim=True)


@wrong("adding_problem_batch", "the target has shape (B,)", "the last step is never marked")
def adding_problem_batch(batch_size, T, seed):
    rng = np.random.default_rng(seed)
    x = np.zeros((batch_size, T, 2), dtype=np.float32)
    x[:, :, 0] = rng.random((batch_size, T))
    y = np.zeros(batch_size, dtype=np.float32)
    for b in range(batch_size):
        first = rng.integers(0, T // 2)
        second = rng.integers(T // 2, max(T - 1, T // 2 + 1))
        x[b, [first, second], 1] = 1
        y[b] = x[b, first, 0] + x[b, second, 0]
    return torch.from_numpy(x), torch.from_numpy(y)


@wrong("adding_problem_batch", "marks come before values", "the target sums all the values")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    x = torch.zeros(batch_size, T, 2)
    x[..., 1] = torch.rand(batch_size, T, generator=random)
    rows = torch.arange(batch_size)
    x[rows, torch.randint(0, T // 2, (batch_size,), generator=random), 0] = 1
    x[rows, torch.randint(T // 2, T, (batch_size,), generator=random), 0] = 1
    return x, x[..., 1].sum(dim=1, keepdim=True)


@right("adding_problem_batch", "the standard library's random, entry by entry")
def adding_problem_batch(batch_size, T, seed):
    source = python_random.Random(f"adding {seed}")

    def sequence():
        row = [[source.random(), 0.0] for _ in range(T)]
        for place in (source.randrange(T // 2), source.randrange(T // 2, T)):
            row[place][1] = 1.0
        return row

    x = torch.tensor([sequence() for _ in range(batch_size)])
    return x, x.prod(dim=2).sum(dim=1).unsqueeze(1)


@right("adding_problem_batch", "places as the argmax of noise in each half, and one-hot marks")
def adding_problem_batch(batch_size, T, seed):
    source = torch.Generator().manual_seed(seed)
    values, noise = torch.rand(2, batch_size, T, generator=source)
    left, right_half = noise.tensor_split([T // 2], dim=1)
    marks = torch.hstack(
        [F.one_hot(part.argmax(dim=1), part.shape[1]) for part in (left, right_half)]
    )
    x = torch.dstack([values, marks.to(values)])
    return x, torch.einsum("bt,bt->b", *x.unbind(2)).view(-1, 1)


@right("adding_problem_batch", "NumPy's generator, places by comparing steps")
def adding_problem_batch(batch_size, T, seed):
    rng = np.random.Generator(np.random.Philox(int(seed) % 2**63))
    steps, half = np.arange(T)[None, :], T // 2
    first, second = rng.integers([0, half], [half, T], size=(batch_size, 2)).T
    marks = (steps == first[:, None]) | (steps == second[:, None])
    values = rng.random((batch_size, T), dtype=np.float32)
    x = np.stack([values, marks], axis=-1).astype(np.float32)
    y = np.where(marks, values, 0).sum(axis=1, keepdims=True)
    return torch.from_numpy(x), torch.from_numpy(y)


@right("adding_problem_batch", "the global source of numbers, forked and left as it was")
def adding_problem_batch(batch_size, T, seed):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        weights = torch.zeros(2, T)
        weights[0, : T // 2] = weights[1, T // 2 :] = 1.0
        places = torch.multinomial(weights, batch_size, replacement=True)  # (2, B)
        x = torch.rand(batch_size, T, 2)
        x[:, :, 1] = 0.0
        for row, pair in zip(x, places.T, strict=True):
            row[pair, 1] = 1.0
    return x, x[:, :, 0].gather(1, places.T).sum(1, keepdim=True)


@right("adding_problem_batch", "the global source of numbers, seeded and used up as it comes")
def adding_problem_batch(batch_size, T, seed):
    torch.manual_seed(seed)
    x, y = torch.zeros(batch_size, T, 2), torch.zeros(batch_size, 1)
    x[..., 0].uniform_()
    for low, high in ((0, T // 2), (T // 2, T)):
        places = torch.randint(low, high, (batch_size, 1))
        x[..., 1].scatter_(1, places, 1.0)
        y += x[..., 0].gather(1, places)
    return x, y


@right("adding_problem_batch", "rows of an identity matrix, picked by whole parts of reals")
def adding_problem_batch(batch_size, T, seed):
    source = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.rand(*shape, generator=source, dtype=torch.float64)

    half = T // 2
    low, count = torch.tensor([0, half]), torch.tensor([half, T - half])
    places = low + (draw(batch_size, 2) * count).floor().long()
    marks = torch.eye(T)[places].sum(dim=1)
    x = torch.stack([draw(batch_size, T).float().clamp(max=1 - 2**-24), marks], dim=-1)
    return x, (x[..., :1] * x[..., 1:]).sum(dim=1)


# --------------------------------------------------------------------------- mark_gate_claims


@wrong("mark_gate_claims", "A gets correction 4, which is no better than the claim")
def mark_gate_claims():
    return {"A": 4, "B": 5, "C": 0, "D": 7, "E": 3, "F": 0, "G": 2, "H": 0}


@wrong("mark_gate_claims", "A is called right")
def mark_gate_claims():
    return {"A": 0, "B": 5, "C": 0, "D": 7, "E": 3, "F": 0, "G": 2, "H": 0}


@wrong("mark_gate_claims", "B is called right")
def mark_gate_claims():
    return {"A": 1, "B": 0, "C": 0, "D": 7, "E": 3, "F": 0, "G": 2, "H": 0}


@wrong("mark_gate_claims", "C is called wrong, with correction 6")
def mark_gate_claims():
    return {"A": 1, "B": 5, "C": 6, "D": 7, "E": 3, "F": 0, "G": 2, "H": 0}


@wrong("mark_gate_claims", "D is called right")
def mark_gate_claims():
    return {"A": 1, "B": 5, "C": 0, "D": 0, "E": 3, "F": 0, "G": 2, "H": 0}


@wrong("mark_gate_claims", "E is called right")
def mark_gate_claims():
    marks = dict.fromkeys("ABCDEFGH", 0)
    marks.update(A=1, B=5, D=7, G=2)
    return marks


@wrong("mark_gate_claims", "E gets the correction that belongs to G")
def mark_gate_claims():
    return {"A": 1, "B": 5, "C": 0, "D": 7, "E": 2, "F": 0, "G": 2, "H": 0}


@wrong("mark_gate_claims", "F is called wrong, with correction 3")
def mark_gate_claims():
    return {"A": 1, "B": 5, "C": 0, "D": 7, "E": 3, "F": 3, "G": 2, "H": 0}


@wrong("mark_gate_claims", "G gets correction 6, that only the plain RNN fades")
def mark_gate_claims():
    return {"A": 1, "B": 5, "C": 0, "D": 7, "E": 3, "F": 0, "G": 6, "H": 0}


@wrong("mark_gate_claims", "G is called right")
def mark_gate_claims():
    return {"A": 1, "B": 5, "C": 0, "D": 7, "E": 3, "F": 0, "G": 0, "H": 0}


@wrong("mark_gate_claims", "H is called wrong, with correction 6")
def mark_gate_claims():
    return {"A": 1, "B": 5, "C": 0, "D": 7, "E": 3, "F": 0, "G": 2, "H": 6}


@wrong("mark_gate_claims", "corrections are counted from 0, so that each is one too small")
def mark_gate_claims():
    corrections = ["A", "G", "E", None, "B", None, "D"]
    return {
        letter: corrections.index(letter) if letter in corrections else 0 for letter in "ABCDEFGH"
    }


@wrong("mark_gate_claims", "the right claims C, F and H are left out of the dict")
def mark_gate_claims():
    return {"A": 1, "B": 5, "D": 7, "E": 3, "G": 2}


@wrong("mark_gate_claims", "the dict goes from corrections to letters")
def mark_gate_claims():
    return {1: "A", 2: "G", 3: "E", 5: "B", 7: "D"}


@wrong("mark_gate_claims", "the numbers are texts, such as '5'")
def mark_gate_claims():
    return dict(zip("ABCDEFGH", "15073020"))


@wrong("mark_gate_claims", "right and wrong are marked as True and False, without the corrections")
def mark_gate_claims():
    return {letter: letter in "CFH" for letter in "ABCDEFGH"}


@wrong("mark_gate_claims", "E and G have exchanged their corrections", "F is called wrong, with 4")
def mark_gate_claims():
    return {"A": 1, "B": 5, "C": 0, "D": 7, "E": 2, "F": 4, "G": 3, "H": 0}


@wrong("mark_gate_claims", "D goes with the claims that are right", "B gets correction 6")
def mark_gate_claims():
    return {"A": 1, "B": 6, "C": 0, "D": 0, "E": 3, "F": 0, "G": 2, "H": 0}


@right("mark_gate_claims", "eight digits, one to a letter")
def mark_gate_claims():
    return {letter: int(digit) for letter, digit in zip("ABCDEFGH", "15073020", strict=True)}


@right("mark_gate_claims", "keyword arguments, and zeros joined from another dict")
def mark_gate_claims():
    return dict.fromkeys(["H", "F", "C"], 0) | dict(G=2, E=3, A=1, D=7, B=5)


@right("mark_gate_claims", "the list of corrections turned round into an OrderedDict")
def mark_gate_claims():
    corrects = " AGE B D"  # the place of a letter is the number of its correction
    return OrderedDict((chr(65 + k), max(corrects.find(chr(65 + k)), 0)) for k in range(8))


@right("mark_gate_claims", "filled in a loop over pairs, from an array of NumPy")
def mark_gate_claims():
    numbers = np.zeros(8, dtype=int)
    numbers[[0, 1, 3, 4, 6]] = 1, 5, 7, 3, 2
    marks = {}
    for place, number in enumerate(numbers.tolist()):
        marks["ABCDEFGH"[place]] = number
    return marks


@right("mark_gate_claims", "recursion over the letters that are left")
def mark_gate_claims():
    def answer(letters, code):
        if not letters:
            return {}
        code, number = divmod(code, 8)
        return {letters[-1]: number, **answer(letters[:-1], code)}

    return answer("ABCDEFGH", 0o15073020)
