"""Answers to the exercises of chapter 1, written before their checks were seen."""

import collections
import functools
import itertools
import math
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tests.answers import right, wrong


def _plain_step(x_t, h, W_xh, W_hh, b_h):
    return torch.tanh(x_t @ W_xh + h @ W_hh + b_h)


def _cut(state):
    if isinstance(state, tuple):
        return tuple(part.detach() for part in state)
    return state.detach()


# 1.2.1 rnn_step


@wrong("rnn_step", "no tanh: the sum is returned as it is")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    h_t = x_t @ W_xh + h_prev @ W_hh + b_h
    return h_t


@wrong("rnn_step", "the logistic sigmoid stands in place of tanh")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    return torch.sigmoid(torch.matmul(x_t, W_xh) + torch.matmul(h_prev, W_hh) + b_h)


@wrong("rnn_step", "W_hh is transposed, as if it were PyTorch's weight_hh")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    return torch.tanh(x_t @ W_xh + F.linear(h_prev, W_hh) + b_h)


@wrong("rnn_step", "tanh squashes only the recurrent part; the input's part is added outside")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    input_part = x_t @ W_xh
    memory_part = torch.tanh(h_prev @ W_hh + b_h)
    return input_part + memory_part


@wrong("rnn_step", "the bias is added down the rows, one entry per sequence, not one per unit")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    z = x_t @ W_xh + h_prev @ W_hh + b_h.unsqueeze(1)
    return z.tanh()


@wrong("rnn_step", "the old state meets W_hh entry by entry on its diagonal; units do not mix")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    return torch.tanh(x_t @ W_xh + h_prev * torch.diagonal(W_hh) + b_h)


@wrong("rnn_step", "the old state is added once more outside of tanh, as a residual")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    update = torch.tanh(x_t @ W_xh + h_prev @ W_hh + b_h)
    return h_prev + update


@wrong("rnn_step", "the axis of a batch of one (or of a single unit) is squeezed away")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    h_t = torch.tanh(torch.mm(x_t, W_xh) + torch.mm(h_prev, W_hh) + b_h)
    return h_t.squeeze()


@wrong("rnn_step", "tanh from its formula with exp, which overflows to NaN for large sums")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    z = x_t @ W_xh + h_prev @ W_hh + b_h
    return (torch.exp(z) - torch.exp(-z)) / (torch.exp(z) + torch.exp(-z))


@wrong("rnn_step", "a hard tanh, the sum cut off at -1 and 1, which agrees only for small sums")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    return F.hardtanh(x_t @ W_xh + h_prev @ W_hh + b_h)


@wrong("rnn_step", "the sequences of a batch share one old state, their mean")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    h = h_prev.mean(dim=0)
    return torch.tanh(x_t @ W_xh + h @ W_hh + b_h)


@wrong("rnn_step", "the new state is written over h_prev, so the caller's old state is lost")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    h_prev[:] = torch.tanh(x_t @ W_xh + h_prev @ W_hh + b_h)
    return h_prev


@wrong("rnn_step", "state and input are joined in another order than their weights")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    joined = torch.cat([h_prev, x_t], dim=1)
    weights = torch.cat([W_xh, W_hh], dim=0)
    return torch.tanh(joined @ weights + b_h)


@wrong("rnn_step", "the bias is left out", "h_prev is squashed and overwritten in place")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    new = x_t @ W_xh + h_prev @ W_hh
    h_prev.copy_(new).tanh_()
    return h_prev.clone()


@wrong("rnn_step", "ReLU stands in place of tanh", "the result has a layer axis, (1, B, H)")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    return torch.relu(x_t @ W_xh + h_prev @ W_hh + b_h).unsqueeze(0)


@right("rnn_step", "einsum over named axes")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    from_input = torch.einsum("bd,dh->bh", x_t, W_xh)
    from_state = torch.einsum("bg,gh->bh", h_prev, W_hh)
    return (from_input + from_state + b_h[None, :]).tanh()


@right("rnn_step", "loops over single entries")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    rows = []
    for b in range(x_t.shape[0]):
        row = []
        for j in range(b_h.shape[0]):
            z = b_h[j]
            for d in range(x_t.shape[1]):
                z = z + x_t[b, d] * W_xh[d, j]
            for i in range(h_prev.shape[1]):
                z = z + h_prev[b, i] * W_hh[i, j]
            row.append(torch.tanh(z))
        rows.append(torch.stack(row))
    return torch.stack(rows)


@right("rnn_step", "PyTorch's own cell function with transposed weights and a second bias of 0")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    return torch.rnn_tanh_cell(x_t, h_prev, W_xh.t(), W_hh.t(), b_h, torch.zeros_like(b_h))


@right("rnn_step", "NumPy in float64 inside, and back to the dtype of the weights")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    x, h, W, U, b = (a.detach().numpy().astype(np.float64) for a in (x_t, h_prev, W_xh, W_hh, b_h))
    return torch.from_numpy(np.tanh(np.c_[x, h] @ np.r_[W, U] + b)).to(W_hh.dtype)


@right("rnn_step", "one sequence at a time under vmap, tanh as a shifted sigmoid in float64")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    def one(x, h):
        z = (W_xh.T.double() @ x.double()) + (W_hh.T.double() @ h.double()) + b_h.double()
        return (2 * torch.sigmoid(2 * z) - 1).to(h.dtype)

    return torch.vmap(one)(x_t, h_prev)


@right("rnn_step", "nested addmm on a copy, squashed in place")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    return torch.addmm(torch.addmm(b_h, x_t, W_xh), h_prev, W_hh).tanh_()


# 1.3.1 rnn_forward


@wrong("rnn_forward", "the state is not carried: every step starts from h_0")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    states = [_plain_step(x[:, t], h_0, W_xh, W_hh, b_h) for t in range(x.shape[1])]
    return torch.stack(states, dim=1), states[-1]


@wrong("rnn_forward", "h_0 is counted among the states, which are then T + 1")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    states = [h_0]
    for t in range(x.size(1)):
        states.append(_plain_step(x[:, t], states[-1], W_xh, W_hh, b_h))
    return torch.stack(states, dim=1), states[-1]


@wrong("rnn_forward", "the states are stacked time first, (T, B, H)")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    h, states = h_0, []
    for t in range(x.size(1)):
        h = _plain_step(x[:, t, :], h, W_xh, W_hh, b_h)
        states.append(h)
    return torch.stack(states), h


@wrong("rnn_forward", "each state is stored before its step, so the states begin with h_0")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    h, states = h_0, []
    for t in range(x.size(1)):
        states.append(h)
        h = _plain_step(x[:, t], h, W_xh, W_hh, b_h)
    return torch.stack(states, dim=1), h


@wrong("rnn_forward", "the stacked (T, B, H) is viewed as (B, T, H): steps and sequences mix")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    B, T, _ = x.shape
    h, states = h_0, []
    for t in range(T):
        h = _plain_step(x[:, t], h, W_xh, W_hh, b_h)
        states.append(h)
    return torch.stack(states).view(B, T, -1), h


@wrong("rnn_forward", "the last state is taken along the batch: all states of the last sequence")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    h, states = h_0, []
    for x_t in x.unbind(1):
        h = _plain_step(x_t, h, W_xh, W_hh, b_h)
        states.append(h)
    states = torch.stack(states, 1)
    return states, states[-1]


@wrong("rnn_forward", "the loop is as long as the batch, not as the sequence")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    h, states = h_0, []
    for t in range(len(x)):
        h = _plain_step(x[:, t], h, W_xh, W_hh, b_h)
        states.append(h)
    return torch.stack(states, dim=1), h


@wrong("rnn_forward", "h_0 is ignored: the first step always starts from zeros")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    batch_size, seq_len, _ = x.shape
    h = torch.zeros(batch_size, W_hh.shape[0], dtype=x.dtype)
    outputs = x.new_zeros(batch_size, seq_len, W_hh.shape[0])
    for t in range(seq_len):
        h = _plain_step(x[:, t], h, W_xh, W_hh, b_h)
        outputs[:, t] = h
    return outputs, h


@wrong("rnn_forward", "the last state has an axis for layers in front, (1, B, H), as nn.RNN has it")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    h, states = h_0, []
    for t in range(x.size(1)):
        h = _plain_step(x[:, t], h, W_xh, W_hh, b_h)
        states.append(h.unsqueeze(1))
    return torch.cat(states, dim=1), h.unsqueeze(0)


@wrong("rnn_forward", "one buffer is updated in place: every stored state is the last, h_0 is lost")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    h, states = h_0, []
    for t in range(x.size(1)):
        h.copy_(_plain_step(x[:, t], h, W_xh, W_hh, b_h))
        states.append(h)
    return torch.stack(states, dim=1), h


@wrong("rnn_forward", "h_0 is overwritten in place, though what is returned is right")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    states = []
    for t in range(x.size(1)):
        h_0[...] = _plain_step(x[:, t], h_0, W_xh, W_hh, b_h)
        states.append(h_0.clone())
    return torch.stack(states, dim=1), states[-1]


@wrong("rnn_forward", "axes of length one are squeezed out of the states")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    h, states = h_0, []
    for t in range(x.size(1)):
        h = _plain_step(x[:, t], h, W_xh, W_hh, b_h)
        states.append(h)
    return torch.stack(states, dim=1).squeeze(), h


@wrong("rnn_forward", "the bias acts at the first step only")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    h, states = h_0, []
    for t in range(x.size(1)):
        h = _plain_step(x[:, t], h, W_xh, W_hh, b_h if t == 0 else torch.zeros_like(b_h))
        states.append(h)
    return torch.stack(states, dim=1), h


@wrong("rnn_forward", "the sequence is read from its end", "h_T is the state before the last")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    h, states = h_0, []
    for t in reversed(range(x.size(1))):
        before, h = h, _plain_step(x[:, t], h, W_xh, W_hh, b_h)
        states.append(h)
    return torch.stack(states, dim=1), before


@wrong("rnn_forward", "the state of the last step stays 0 in the states", "h_T is their mean")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    states = x.new_zeros(x.size(0), x.size(1), h_0.size(1))
    h = h_0
    for t in range(x.size(1) - 1):
        h = _plain_step(x[:, t], h, W_xh, W_hh, b_h)
        states[:, t] = h
    return states, states.mean(dim=1)


@wrong("rnn_forward", "the states are side by side, (B, T*H)", "h_T is the first state")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    states = [_plain_step(x[:, 0], h_0, W_xh, W_hh, b_h)]
    for t in range(1, x.size(1)):
        states.append(_plain_step(x[:, t], states[-1], W_xh, W_hh, b_h))
    return torch.cat(states, dim=1), states[0]


@right("rnn_forward", "recursion on the length of the sequence")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    def up_to(T):
        if T == 0:
            return h_0.unsqueeze(1)[:, :0], h_0
        states, h = up_to(T - 1)
        h = _plain_step(x[:, T - 1], h, W_xh, W_hh, b_h)
        return torch.cat([states, h.unsqueeze(1)], dim=1), h

    return up_to(x.shape[1])


@right("rnn_forward", "itertools.accumulate with an initial state that is dropped afterwards")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    step = lambda h, x_t: _plain_step(x_t, h, W_xh, W_hh, b_h)
    _, *states = itertools.accumulate(x.unbind(dim=1), step, initial=h_0)
    return torch.stack(states, dim=1), states[-1]


@right("rnn_forward", "all inputs multiplied at once, states written into an empty tensor")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    z = torch.einsum("btd,dh->tbh", x, W_xh) + b_h
    states = torch.empty(*x.shape[:2], h_0.shape[-1], dtype=h_0.dtype)
    h = h_0
    for t, z_t in enumerate(z):
        states[:, t] = (h := (z_t + h @ W_hh).tanh())
    return states, h


@right("rnn_forward", "one sequence after the other, each by itself, from a generator")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    def states_of(sequence, h):
        for x_t in sequence:
            h = torch.tanh(x_t @ W_xh + h @ W_hh + b_h)
            yield h

    states = torch.stack([torch.stack(list(states_of(s, h))) for s, h in zip(x, h_0)])
    return states, states[:, -1, :].clone()


@right("rnn_forward", "functools.reduce over steps that appends to a growing tensor")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    def longer(states, x_t):
        h = _plain_step(x_t, states[-1], W_xh, W_hh, b_h)
        return torch.cat((states, h.unsqueeze(0)), dim=0)

    states = functools.reduce(longer, x.transpose(0, 1), h_0.unsqueeze(0))[1:]
    return states.permute(1, 0, 2), states[-1]


# 1.4.1 rnn_shapes


@wrong("rnn_shapes", "batch_first also swaps the axes of h_n")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    d = 2 if bidirectional else 1
    if B is None:
        return (T, d * hidden_size), (d * num_layers, hidden_size)
    if batch_first:
        return (B, T, d * hidden_size), (B, d * num_layers, hidden_size)
    return (T, B, d * hidden_size), (d * num_layers, B, hidden_size)


@wrong("rnn_shapes", "batch_first is read the wrong way round")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    d = 1 + bool(bidirectional)
    if B is None:
        return ((T, d * hidden_size), (d * num_layers, hidden_size))
    first = (T, B) if batch_first else (B, T)
    return ((*first, d * hidden_size), (d * num_layers, B, hidden_size))


@wrong("rnn_shapes", "out has hidden_size features in both directions, as if they were added")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    states = num_layers * (2 if bidirectional else 1)
    if B is None:
        return (T, hidden_size), (states, hidden_size)
    out = (B, T, hidden_size) if batch_first else (T, B, hidden_size)
    return out, (states, B, hidden_size)


@wrong("rnn_shapes", "h_n has num_layers states, whatever the number of directions")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    directions = 2 if bidirectional else 1
    if B is None:
        return (T, directions * hidden_size), (num_layers, hidden_size)
    out = (B, T) if batch_first else (T, B)
    return out + (directions * hidden_size,), (num_layers, B, hidden_size)


@wrong("rnn_shapes", "h_n has the features of both directions side by side, as out has")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    directions = 2 if bidirectional else 1
    features = directions * hidden_size
    if B is None:
        return (T, features), (directions * num_layers, features)
    out = (B, T, features) if batch_first else (T, B, features)
    return out, (directions * num_layers, B, features)


@wrong("rnn_shapes", "the states of all layers stand side by side in out")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    directions = 2 if bidirectional else 1
    n = directions * num_layers
    if B is None:
        return (T, n * hidden_size), (n, hidden_size)
    return ((B, T) if batch_first else (T, B)) + (n * hidden_size,), (n, B, hidden_size)


@wrong("rnn_shapes", "the second direction adds one state to h_n instead of doubling their number")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    both = int(bidirectional)
    batch = () if B is None else (B,)
    steps = batch + (T,) if batch_first else (T,) + batch
    return steps + (hidden_size * (1 + both),), (num_layers + both,) + batch + (hidden_size,)


@wrong("rnn_shapes", "a sequence without a batch axis gives results with a batch of one")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    if B is None:
        B = 1
    directions = 2 if bidirectional else 1
    out = (B, T) if batch_first else (T, B)
    return (*out, directions * hidden_size), (directions * num_layers, B, hidden_size)


@wrong("rnn_shapes", "a batch of one is treated as no batch")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    directions = 2 if bidirectional else 1
    out, h_n = (directions * hidden_size,), (hidden_size,)
    if B is None or B <= 1:
        return (T,) + out, (directions * num_layers,) + h_n
    return ((B, T) if batch_first else (T, B)) + out, (directions * num_layers, B) + h_n


@wrong("rnn_shapes", "h_n loses its first axis where it holds a single state")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    directions = 2 if bidirectional else 1
    n = directions * num_layers
    batch = [] if B is None else [B]
    out = batch + [T] if batch_first else [T] + batch
    h_n = batch + [hidden_size]
    if n > 1:
        h_n.insert(0, n)
    return tuple(out + [directions * hidden_size]), tuple(h_n)


@wrong("rnn_shapes", "without a batch axis h_n is that of one layer, whatever num_layers says")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    directions = 2 if bidirectional else 1
    if B is None:
        return (T, directions * hidden_size), (directions, hidden_size)
    out = (B, T) if batch_first else (T, B)
    return out + (directions * hidden_size,), (directions * num_layers, B, hidden_size)


@wrong("rnn_shapes", "without a batch axis the None stays in both shapes")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    directions = 2 if bidirectional else 1
    out = (B, T, directions * hidden_size) if batch_first else (T, B, directions * hidden_size)
    return out, (directions * num_layers, B, hidden_size)


@wrong("rnn_shapes", "out has one feature per input feature, not per unit")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    directions = 2 if bidirectional else 1
    out = (T,) if B is None else (B, T) if batch_first else (T, B)
    h_n = (directions * num_layers,) if B is None else (directions * num_layers, B)
    return out + (directions * input_size,), h_n + (hidden_size,)


@wrong(
    "rnn_shapes",
    "out ignores batch_first and is always time first",
    "h_n has two states per layer even in one direction",
)
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    directions = 2 if bidirectional else 1
    if B is None:
        return (T, directions * hidden_size), (2 * num_layers, hidden_size)
    return (T, B, directions * hidden_size), (2 * num_layers, B, hidden_size)


@wrong(
    "rnn_shapes",
    "out holds the last step only, like Keras without return_sequences",
    "h_n holds the top layer only",
)
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    directions = 2 if bidirectional else 1
    if B is None:
        return (directions * hidden_size,), (directions, hidden_size)
    return (B, directions * hidden_size), (directions, B, hidden_size)


@right("rnn_shapes", "axes with None among them, filtered out at the end")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    n = int(bidirectional) + 1
    order = slice(None, None, -1 if batch_first else 1)
    shapes = [*(T, B)[order], n * hidden_size], [n * num_layers, B, hidden_size]
    return tuple(tuple(k for k in shape if k is not None) for shape in shapes)


@right("rnn_shapes", "a dictionary from axis letters to lengths, read off two words")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    directions = {False: 1, True: 2}[bool(bidirectional)]
    size = {"T": T, "B": B, "F": directions * hidden_size}
    size |= {"S": directions * num_layers, "H": hidden_size}
    words = ("BTF" if batch_first else "TBF", "SBH")
    if B is None:
        words = (word.replace("B", "") for word in words)
    out, h_n = (tuple(map(size.get, word)) for word in words)
    return out, h_n


@right("rnn_shapes", "shapes of NumPy views of zero strides, transposed where needed")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    directions = 2 if bidirectional else 1
    out = np.broadcast_to(0, (T, 1 if B is None else B, hidden_size * directions))
    h_n = np.broadcast_to(0, (num_layers * directions, 1 if B is None else B, hidden_size))
    if B is None:
        return out[:, 0].shape, h_n[:, 0].shape
    return (out.swapaxes(0, 1) if batch_first else out).shape, h_n.shape


@right("rnn_shapes", "structural pattern matching on the two arguments that matter")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    width = hidden_size << bool(bidirectional)
    depth = num_layers << bool(bidirectional)
    match bool(batch_first), B:
        case _, None:
            return (T, width), (depth, hidden_size)
        case True, _:
            return (B, T, width), (depth, B, hidden_size)
        case _:
            return (T, B, width), (depth, B, hidden_size)


@right("rnn_shapes", "torch.Size objects, with the batch axis put in by insert")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    directions = 1
    if bidirectional:
        directions += 1
    out = [T, sum(hidden_size for _ in range(directions))]
    h_n = [sum(directions for _ in range(num_layers)), hidden_size]
    if B is not None:
        out.insert(0 if batch_first else 1, B)
        h_n.insert(1, B)
    return torch.Size(out), torch.Size(h_n)


# 1.5.1 LastStepRNN


@wrong("LastStepRNN", "out[-1]: every step of the last sequence, not the last step of every one")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[-1])


@wrong("LastStepRNN", "the state of the first step is used")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, 0, :])


@wrong("LastStepRNN", "the layer axis of h_n stays: the answers are (1, B, output_size)")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        _, h_n = self.rnn(x)
        return self.fc(h_n)


@wrong("LastStepRNN", "h_n.squeeze() takes the batch axis of a batch of one along")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, num_layers=1, batch_first=True)
        self.linear = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        _, hidden = self.rnn(x)
        return self.linear(hidden.squeeze())


@wrong("LastStepRNN", "batch_first is missing: the network runs along the batch")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, h_n = self.rnn(x)
        return self.fc(out[:, -1, :])


@wrong("LastStepRNN", "a softmax over the answers")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)
        self.softmax = nn.Softmax(dim=1)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.softmax(self.fc(out[:, -1]))


@wrong("LastStepRNN", "the mean of the states over time, not the last state")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out.mean(dim=1))


@wrong("LastStepRNN", "the linear layer has no bias")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size, bias=False)

    def forward(self, x):
        return self.fc(self.rnn(x)[0][:, -1])


@wrong("LastStepRNN", "the state of one call is the start of the next, not 0")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)
        self.hidden = None

    def forward(self, x):
        if self.hidden is not None and self.hidden.shape[1] != x.shape[0]:
            self.hidden = None
        out, hidden = self.rnn(x, self.hidden)
        self.hidden = hidden.detach()
        return self.fc(out[:, -1])


@wrong("LastStepRNN", "the first state is random, not 0")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        h_0 = torch.randn(1, x.size(0), self.hidden_size, dtype=x.dtype)
        out, _ = self.rnn(x, h_0)
        return self.fc(out[:, -1])


@wrong("LastStepRNN", "the first state is of ones, not 0")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        h_0 = x.new_ones(1, x.size(0), self.rnn.hidden_size)
        return self.fc(self.rnn(x, h_0)[0][:, -1])


@wrong("LastStepRNN", "dropout on the last state, so in training mode the answers are random")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(self.dropout(out[:, -1]))


@wrong("LastStepRNN", "the linear layer is made anew at every call and belongs to no parameters")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.sizes = hidden_size, output_size

    def forward(self, x):
        out, _ = self.rnn(x)
        fc = nn.Linear(*self.sizes).to(x.dtype)
        return fc(out[:, -1])


@wrong("LastStepRNN", "the last B rows of the flattened states: steps of the last sequences only")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, _ = self.rnn(x)
        out = out.contiguous().view(-1, self.hidden_size)
        return self.fc(out)[-x.size(0) :]


@wrong("LastStepRNN", "the linear layer gives input_size answers instead of output_size")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, input_size)

    def forward(self, x):
        _, h_n = self.rnn(x)
        return self.fc(h_n[0])


@wrong("LastStepRNN", "the last state is detached: the recurrent layer gets no gradient")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        _, h_n = self.rnn(x)
        return self.fc(h_n[-1].detach())


@wrong("LastStepRNN", "the recurrent layer is an nn.GRU")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.GRU(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        _, h_n = self.rnn(x)
        return self.fc(h_n[-1])


@wrong("LastStepRNN", "a log-softmax at the end", "every step is answered: (B, T, output_size)")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, _ = self.rnn(x)
        return F.log_softmax(self.fc(out), dim=-1)


@wrong("LastStepRNN", "a ReLU on the answers", "the input is standardised in place")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        original = x.clone()
        x -= x.mean()
        x /= x.std() + 1e-8
        out, _ = self.rnn(original)
        return F.relu(self.fc(out[:, -1]))


@right("LastStepRNN", "linear layer made first, in a ModuleDict, fed with the top entry of h_n")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.parts = nn.ModuleDict()
        self.parts["readout"] = nn.Linear(out_features=output_size, in_features=hidden_size)
        self.parts["memory"] = nn.RNN(
            batch_first=True, hidden_size=hidden_size, input_size=input_size
        )

    def forward(self, x):
        return self.parts["readout"](self.parts["memory"](x)[1][-1])


@right("LastStepRNN", "the network called step by step, the state handed on by hand")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.recurrent = nn.RNN(input_size, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        state = None
        for piece in x.split(1, dim=1):
            piece_out, state = self.recurrent(piece, state)
        return self.head(piece_out.squeeze(1))


@right("LastStepRNN", "answers at every step, of which the last is selected")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.fc = nn.Linear(hidden_size, output_size)
        self.rnn = nn.RNN(input_size, hidden_size, 1, batch_first=True)

    def forward(self, x):
        every = self.fc(self.rnn(x, x.new_zeros(1, len(x), self.rnn.hidden_size))[0])
        return every.select(1, x.shape[1] - 1)


@right("LastStepRNN", "a LazyLinear, made real by one dry run in the constructor")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.a = nn.RNN(input_size, hidden_size, batch_first=True)
        self.b = nn.LazyLinear(output_size)
        with torch.no_grad():
            self(torch.zeros(1, 1, input_size))

    def forward(self, x):
        *_, last = self.a(x)[0].unbind(dim=1)
        return self.b(last)


@right("LastStepRNN", "the layers' own weights used in einsum, with the bias added by hand")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.layers = nn.ModuleList(
            [
                nn.RNN(input_size, hidden_size, batch_first=True),
                nn.Linear(hidden_size, output_size),
            ]
        )

    def forward(self, x):
        rnn, linear = self.layers
        _, h_n = rnn(x)
        return torch.einsum("lbh,oh->bo", h_n, linear.weight) + linear.bias


class _PickLast(nn.Module):
    def forward(self, pair):
        states, _ = pair
        return torch.narrow(states, 1, states.size(1) - 1, 1).flatten(1)


@right("LastStepRNN", "a Sequential of three parts, the middle one picks the last step")
class LastStepRNN(nn.Sequential):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__(
            nn.RNN(input_size, hidden_size, batch_first=True),
            _PickLast(),
            nn.Linear(hidden_size, output_size),
        )


# 1.5.3 EveryStepRNN


@wrong("EveryStepRNN", "only the last step is answered, (B, output_size)")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, h_n = self.rnn(x)
        return self.fc(out[:, -1])


@wrong("EveryStepRNN", "batch_first is missing: shapes fit, but the state runs along the batch")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, h_n = self.rnn(x)
        return self.fc(out)


@wrong("EveryStepRNN", "flat answers are viewed as (T, B) and transposed, which mixes sequences")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        B, T, _ = x.shape
        out, _ = self.rnn(x)
        flat = self.fc(out.reshape(B * T, -1))
        return flat.view(T, B, -1).transpose(0, 1)


@wrong("EveryStepRNN", "the last answer is repeated at every step")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        _, h_n = self.rnn(x)
        answer = self.fc(h_n[-1])
        return answer.unsqueeze(1).repeat(1, x.size(1), 1)


@wrong("EveryStepRNN", "steps stay flattened into the batch, (B*T, output_size)")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, _ = self.rnn(x)
        out = out.contiguous().view(-1, self.hidden_size)
        return self.fc(out)


@wrong("EveryStepRNN", "a softmax over the answers of each step")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, _ = self.rnn(x)
        return torch.softmax(self.fc(out), dim=2)


@wrong("EveryStepRNN", "a single answer per step loses its axis: (B, T) where output_size is 1")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        return self.fc(self.rnn(x)[0]).squeeze(-1)


@wrong("EveryStepRNN", "each step is run by itself from the state 0: nothing is remembered")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        answers = []
        for t in range(x.size(1)):
            out, h = self.rnn(x[:, t : t + 1])
            answers.append(self.fc(out))
        return torch.cat(answers, dim=1)


@wrong("EveryStepRNN", "bidirectional, so an answer depends on inputs that come after it")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * hidden_size, output_size)

    def forward(self, x):
        return self.fc(self.rnn(x)[0])


@wrong("EveryStepRNN", "the answer to the first step is never written and stays 0")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.output_size = output_size
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, _ = self.rnn(x)
        y = x.new_zeros(x.size(0), x.size(1), self.output_size)
        for t in range(1, x.size(1)):
            y[:, t] = self.fc(out[:, t])
        return y


@wrong("EveryStepRNN", "answers are one step late, each made from the state before its input")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, _ = self.rnn(x)
        before = torch.cat([torch.zeros_like(out[:, :1]), out[:, :-1]], dim=1)
        return self.fc(before)


@wrong("EveryStepRNN", "the state is kept between calls, so the same input is answered differently")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)
        self.h = torch.zeros(1, 1, hidden_size)

    def forward(self, x):
        if self.h.size(1) != x.size(0):
            self.h = x.new_zeros(1, x.size(0), self.rnn.hidden_size)
        out, h = self.rnn(x, self.h.to(x.dtype))
        self.h = h.detach()
        return self.fc(out)


@wrong("EveryStepRNN", "the recurrent layer is an nn.LSTM")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, (h_n, c_n) = self.rnn(x)
        return self.fc(out)


@wrong("EveryStepRNN", "the sequence is turned round and never back: answers run from end to start")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out.flip(dims=[1]))


@wrong("EveryStepRNN", "a tanh on the answers", "h_n is returned along with the answers")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, h_n = self.rnn(x)
        return torch.tanh(self.fc(out)), h_n


@wrong("EveryStepRNN", "the linear layer's bias is not used", "the answers are time first")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, _ = self.rnn(x)
        return torch.stack([h_t @ self.fc.weight.T for h_t in out.unbind(1)])


@right("EveryStepRNN", "all steps flattened into the batch and back")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.to_answer = nn.Linear(hidden_size, output_size)
        self.to_state = nn.RNN(input_size, hidden_size, batch_first=True)

    def forward(self, x):
        states, _ = self.to_state(x)
        return self.to_answer(states.flatten(0, 1)).unflatten(0, x.shape[:2])


@right("EveryStepRNN", "one step at a time with the state in a closure")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        state = None

        def answer(x_t):
            nonlocal state
            _, state = self.rnn(x_t.unsqueeze(1), state)
            return self.fc(state[0])

        return torch.stack([answer(x_t) for x_t in x.unbind(1)], dim=1)


@right("EveryStepRNN", "the linear layer as a convolution of width 1 with the same weights")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        states = self.rnn(x)[0].movedim(1, 2)
        return F.conv1d(states, self.fc.weight[:, :, None], self.fc.bias).movedim(2, 1)


@right("EveryStepRNN", "a time-first network between two transpositions")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, _ = self.rnn(x.transpose(0, 1))
        return self.fc(out).transpose(0, 1)


@right("EveryStepRNN", "each sequence alone, without a batch axis, answers filled in by place")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.net = nn.ModuleDict(
            dict(
                rnn=nn.RNN(input_size, hidden_size, batch_first=True),
                fc=nn.Linear(hidden_size, output_size),
            )
        )

    def forward(self, x):
        answers = x.new_empty(*x.shape[:-1], self.net["fc"].out_features)
        for i, sequence in enumerate(x):
            answers[i] = self.net["fc"](self.net["rnn"](sequence)[0])
        return answers


# 1.6.1 carry_state


@wrong("carry_state", "the state is returned as it is, graph and all")
def carry_state(state):
    return state


@wrong("carry_state", "clone copies the values and keeps the graph")
def carry_state(state):
    if isinstance(state, tuple):
        return tuple(s.clone() for s in state)
    return state.clone()


@wrong("carry_state", "no_grad around a return, which cuts nothing")
def carry_state(state):
    with torch.no_grad():
        if isinstance(state, tuple):
            h, c = state
            return h, c
        return state


@wrong("carry_state", "a pair is not provided for and stops with an error")
def carry_state(state):
    return state.detach()


@wrong("carry_state", "of a pair only h is cut from its graph, c is not")
def carry_state(state):
    if isinstance(state, tuple):
        h, c = state
        return h.detach(), c
    return state.detach()


@wrong("carry_state", "the numbers are thrown away: the state is set to zeros")
def carry_state(state):
    if isinstance(state, tuple):
        return tuple(torch.zeros_like(s) for s in state)
    return torch.zeros_like(state)


@wrong("carry_state", "a tensor with two layers is taken for a pair, since its length is 2")
def carry_state(state):
    if len(state) == 2:
        return tuple(s.detach() for s in state)
    return state.detach()


@wrong("carry_state", "the pair comes back the other way round, (c, h)")
def carry_state(state):
    match state:
        case (h, c):
            return c.detach(), h.detach()
        case h:
            return h.detach()


@wrong("carry_state", "the second of a pair is a copy of h: c is lost")
def carry_state(state):
    if type(state) is tuple:
        h, c = state
        return h.detach(), h.detach()
    return state.detach()


@wrong("carry_state", "axes of length one are squeezed away")
def carry_state(state):
    if isinstance(state, tuple):
        return tuple(s.detach().squeeze() for s in state)
    return state.detach().squeeze()


@wrong("carry_state", "through a list of numbers, which turns float64 into float32")
def carry_state(state):
    if isinstance(state, tuple):
        return tuple(torch.tensor(s.tolist()) for s in state)
    return torch.tensor(state.tolist())


@wrong("carry_state", "only the state of the top layer is carried on")
def carry_state(state):
    if isinstance(state, tuple):
        return tuple(s[-1:].detach() for s in state)
    return state[-1:].detach()


@wrong("carry_state", "a pair is stacked into one tensor")
def carry_state(state):
    if isinstance(state, tuple):
        return torch.stack([s.detach() for s in state])
    return state.detach()


@wrong("carry_state", "of a pair only h is returned")
def carry_state(state):
    if isinstance(state, tuple):
        return state[0].detach()
    return state.detach()


@wrong("carry_state", "new tensors are filled by copy_ outside of no_grad, which records the graph")
def carry_state(state):
    def fresh(s):
        new = torch.empty_like(s)
        new.copy_(s)
        return new

    return tuple(map(fresh, state)) if isinstance(state, tuple) else fresh(state)


@wrong("carry_state", "a single tensor keeps its graph", "the c of a pair is set to zeros")
def carry_state(state):
    if isinstance(state, tuple):
        h, c = state
        return h.detach(), torch.zeros_like(c)
    state.detach()
    return state


@wrong("carry_state", "states are rounded to float16 numbers", "the h of a pair keeps its graph")
def carry_state(state):
    if isinstance(state, tuple):
        h, c = state
        return h.half().to(h.dtype), c.detach().half().to(c.dtype)
    return state.detach().half().to(state.dtype)


@right("carry_state", "the old attribute .data")
def carry_state(state):
    return state.data if torch.is_tensor(state) else (state[0].data, state[1].data)


@right("carry_state", "recursion into whatever is a tuple")
def carry_state(state):
    def cut(s):
        return tuple(map(cut, s)) if isinstance(s, tuple) else s.clone().detach()

    return cut(state)


@right("carry_state", "functools.singledispatch on the type of the state")
def carry_state(state):
    @functools.singledispatch
    def cut(s):
        return torch.Tensor.detach(s)

    @cut.register
    def _(s: tuple):
        return tuple(map(torch.Tensor.detach, s))

    return cut(state)


@right("carry_state", "through NumPy arrays that are copied")
def carry_state(state):
    parts = state if (pair := not isinstance(state, torch.Tensor)) else (state,)
    parts = tuple(torch.from_numpy(np.array(p.detach().numpy())) for p in parts)
    return parts if pair else parts[0]


@right("carry_state", "arithmetic under no_grad: a sum with 0, one for each part")
def carry_state(state):
    with torch.no_grad():
        try:
            return state.add(0)
        except AttributeError:
            h, c = state
            return h.add(0), c.add(0)


@right("carry_state", "tensors made beforehand and filled under no_grad, by pattern matching")
def carry_state(state):
    @torch.no_grad()
    def copied(t):
        return t.new_empty(t.shape).copy_(t)

    match state:
        case (h, c) if not torch.is_tensor(state):
            return copied(h), copied(c)
        case h:
            return copied(h)


# 1.6.2 train_on_stream


@wrong("train_on_stream", "the state is not carried: every window starts from None")
def train_on_stream(model, windows, optimizer):
    losses = []
    for x, y in windows:
        prediction, state = model(x, None)
        loss = F.mse_loss(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong("train_on_stream", "the state keeps its graph, with retain_graph=True as the error advises")
def train_on_stream(model, windows, optimizer):
    losses, state = [], None
    for x, y in windows:
        prediction, state = model(x, state)
        loss = F.mse_loss(prediction, y)
        optimizer.zero_grad()
        loss.backward(retain_graph=True)
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong("train_on_stream", "zero_grad is missing: gradients of all windows add up")
def train_on_stream(model, windows, optimizer):
    losses, state = [], None
    for x, y in windows:
        prediction, state = model(x, state)
        loss = F.mse_loss(prediction, y)
        loss.backward()
        optimizer.step()
        state = _cut(state)
        losses.append(loss.item())
    return losses


@right("train_on_stream", "zero_grad after each step: as good where none is left from before")
def train_on_stream(model, windows, optimizer):
    losses, state = [], None
    for x, y in windows:
        prediction, state = model(x, state)
        loss = F.mse_loss(prediction, y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        state = _cut(state)
        losses.append(loss.item())
    return losses


@wrong("train_on_stream", "zero_grad stands between backward and step: nothing is learned")
def train_on_stream(model, windows, optimizer):
    losses, state = [], None
    for x, y in windows:
        prediction, state = model(x, state)
        loss = F.mse_loss(prediction, y)
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
        state = _cut(state)
        losses.append(loss.item())
    return losses


@wrong("train_on_stream", "each loss is measured again after its update")
def train_on_stream(model, windows, optimizer):
    losses, state = [], None
    for x, y in windows:
        before = state
        prediction, state = model(x, before)
        loss = F.mse_loss(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        state = _cut(state)
        with torch.no_grad():
            losses.append(F.mse_loss(model(x, before)[0], y).item())
    return losses


@wrong("train_on_stream", "the state is computed anew by the updated model before it is carried on")
def train_on_stream(model, windows, optimizer):
    losses, state = [], None
    for x, y in windows:
        prediction, _ = model(x, state)
        loss = F.mse_loss(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        with torch.no_grad():
            _, state = model(x, state)
    return losses


@wrong("train_on_stream", "a look at the first window uses it up where windows is an iterator")
def train_on_stream(model, windows, optimizer):
    sample_x, sample_y = next(iter(windows))
    assert sample_x.dim() == 3 and sample_y.dim() == 3
    losses, state = [], None
    for x, y in windows:
        prediction, state = model(x, state)
        loss = F.mse_loss(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        state = _cut(state)
        losses.append(loss.item())
    return losses


@wrong("train_on_stream", "windows are taken by index, which an iterable need not offer")
def train_on_stream(model, windows, optimizer):
    losses = [0.0] * len(windows)
    state = None
    for i in range(len(windows)):
        x, y = windows[i]
        prediction, state = model(x, state)
        loss = F.mse_loss(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        state = _cut(state)
        losses[i] = loss.item()
    return losses


@wrong("train_on_stream", "the answers lose their last axis and are broadcast against the targets")
def train_on_stream(model, windows, optimizer):
    import warnings

    losses, state = [], None
    for x, y in windows:
        prediction, state = model(x, state)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loss = F.mse_loss(prediction.squeeze(-1), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        state = _cut(state)
        losses.append(loss.item())
    return losses


@wrong("train_on_stream", "only the last step of each window enters the loss")
def train_on_stream(model, windows, optimizer):
    losses, state = [], None
    for x, y in windows:
        prediction, state = model(x, state)
        loss = F.mse_loss(prediction[:, -1], y[:, -1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        state = _cut(state)
        losses.append(loss.item())
    return losses


@wrong("train_on_stream", "squared errors are summed, not averaged")
def train_on_stream(model, windows, optimizer):
    criterion = nn.MSELoss(reduction="sum")
    losses, state = [], None
    for x, y in windows:
        prediction, state = model(x, state)
        loss = criterion(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        state = _cut(state)
        losses.append(loss.item())
    return losses


@wrong("train_on_stream", "an Adam of its own trains in place of the optimizer that was handed in")
def train_on_stream(model, windows, optimizer):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    losses, state = [], None
    for x, y in windows:
        prediction, state = model(x, state)
        loss = F.mse_loss(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        state = _cut(state)
        losses.append(loss.item())
    return losses


@wrong("train_on_stream", "gradients longer than 0.1 are clipped, which nobody asked for")
def train_on_stream(model, windows, optimizer):
    losses, state = [], None
    for x, y in windows:
        prediction, state = model(x, state)
        loss = F.mse_loss(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
        state = _cut(state)
        losses.append(loss.item())
    return losses


@wrong("train_on_stream", "the first window only warms up the state: no loss and no update for it")
def train_on_stream(model, windows, optimizer):
    losses, state = [], None
    for x, y in windows:
        if state is None:
            with torch.no_grad():
                _, state = model(x)
            continue
        prediction, state = model(x, state)
        loss = F.mse_loss(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        state = _cut(state)
        losses.append(loss.item())
    return losses


@wrong("train_on_stream", "the losses are tensors, each with a graph, not numbers")
def train_on_stream(model, windows, optimizer):
    losses, state = [], None
    for x, y in windows:
        prediction, state = model(x, state)
        loss = F.mse_loss(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        state = _cut(state)
        losses.append(loss)
    return losses


@wrong("train_on_stream", "every window is trained on twice before the next one")
def train_on_stream(model, windows, optimizer):
    losses, state = [], None
    for x, y in windows:
        for repeat in range(2):
            prediction, new_state = model(x, state)
            loss = F.mse_loss(prediction, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if repeat == 0:
                losses.append(loss.item())
        state = _cut(new_state)
    return losses


@wrong("train_on_stream", "the weights are never updated", "only the mean loss is returned")
def train_on_stream(model, windows, optimizer):
    total, n, state = 0.0, 0, None
    for x, y in windows:
        optimizer.zero_grad()
        prediction, state = model(x, state)
        loss = F.mse_loss(prediction, y)
        loss.backward()
        state = _cut(state)
        total, n = total + loss.item(), n + 1
    return total / n


@wrong(
    "train_on_stream",
    "the state is replaced by zeros from the second window on",
    "the losses are returned newest first",
)
def train_on_stream(model, windows, optimizer):
    losses, state = collections.deque(), None
    for x, y in windows:
        prediction, state = model(x, state)
        loss = F.mse_loss(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        zeros = torch.zeros_like
        state = tuple(map(zeros, state)) if isinstance(state, tuple) else zeros(state)
        losses.appendleft(loss.item())
    return list(losses)


@right("train_on_stream", "a generator of losses around one update, collected into a list")
def train_on_stream(model, windows, optimizer):
    def updates(state=None):
        for x, target in windows:
            answer, state = model(x, state)
            optimizer.zero_grad(set_to_none=False)
            (error := (answer - target).pow(2).mean()).backward()
            optimizer.step()
            yield error.item()
            state = _cut(state)

    return list(updates())


@right("train_on_stream", "the state is cut on its way in, by a while loop over next")
def train_on_stream(model, windows, optimizer):
    losses, state, stream = [], None, iter(windows)
    while (window := next(stream, None)) is not None:
        optimizer.zero_grad()
        prediction, state = model(window[0], None if state is None else _cut(state))
        loss = nn.MSELoss()(input=prediction, target=window[1])
        losses += [float(loss.detach())]
        loss.backward()
        optimizer.step()
    return losses


@right("train_on_stream", "torch.autograd.grad, and gradients put in their places by hand")
def train_on_stream(model, windows, optimizer):
    parameters = [p for p in model.parameters() if p.requires_grad]
    losses, state = [], None
    for x, y in windows:
        prediction, state = model(x, state)
        loss = F.mse_loss(prediction, y)
        optimizer.zero_grad()
        grads = torch.autograd.grad(loss, parameters, allow_unused=True)
        for p, grad in zip(parameters, grads):
            p.grad = grad
        optimizer.step()
        losses.append(loss.item())
        state = _cut(state)
    return losses


@right("train_on_stream", "functools.reduce, whose accumulator is the pair of losses and state")
def train_on_stream(model, windows, optimizer):
    def update(so_far, window):
        (losses, state), (x, y) = so_far, window
        prediction, state = model(x, state)
        loss = torch.square(prediction - y).sum() / y.numel()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return losses + [loss.item()], _cut(state)

    return functools.reduce(update, windows, ([], None))[0]


@dataclass
class _Run:
    model: nn.Module
    optimizer: torch.optim.Optimizer
    state: object = None

    def __call__(self, window):
        self.optimizer.zero_grad()
        prediction, state = self.model(window[0], self.state)
        loss = torch.dist(prediction, window[1]) ** 2 / prediction.numel()
        loss.backward()
        self.optimizer.step()
        self.state = _cut(state)
        return loss.item()


@right("train_on_stream", "a dataclass that is called once per window by map")
def train_on_stream(model, windows, optimizer):
    return list(map(_Run(model, optimizer), windows))


@right("train_on_stream", "optimizer.step with a closure that returns the loss")
def train_on_stream(model, windows, optimizer):
    losses, state = [], None
    for x, y in windows:
        left = {}

        def closure():
            optimizer.zero_grad()
            prediction, left["state"] = model(x, state)
            loss = F.mse_loss(prediction, y)
            loss.backward()
            return loss

        losses.append(optimizer.step(closure).item())
        state = _cut(left["state"])
    return losses


# 1.7.1 gradient_norms


def _unroll(cell, x):
    h = x.new_zeros(x.size(0), cell.hidden_size)
    states = []
    for x_t in x.unbind(1):
        h = cell(x_t, h)
        states.append(h)
    return states


@wrong("gradient_norms", "the start is float32 whatever x is: a float64 cell stops with an error")
def gradient_norms(cell, x, loss):
    h = torch.zeros(x.size(0), cell.hidden_size)
    states = []
    for t in range(x.size(1)):
        h = cell(x[:, t], h)
        h.retain_grad()
        states.append(h)
    loss(h).backward()
    return torch.stack([h.grad.norm() for h in states])


@wrong("gradient_norms", "the mean of one norm per sequence, not the norm over the whole batch")
def gradient_norms(cell, x, loss):
    states = _unroll(cell, x)
    for h in states:
        h.retain_grad()
    loss(states[-1]).backward()
    return torch.stack([h.grad.norm(dim=1).mean() for h in states])


@wrong("gradient_norms", "the norms of the states, not of their gradients")
def gradient_norms(cell, x, loss):
    states = _unroll(cell, x)
    for h in states:
        h.retain_grad()
    loss(states[-1]).backward()
    return torch.stack([h.detach().norm() for h in states])


@wrong("gradient_norms", "the norms run from the last state back to the first")
def gradient_norms(cell, x, loss):
    states = _unroll(cell, x)
    for h in states:
        h.retain_grad()
    loss(states[-1]).backward()
    return torch.stack([h.grad.norm() for h in reversed(states)])


@wrong("gradient_norms", "the start h_0 is counted: T + 1 norms")
def gradient_norms(cell, x, loss):
    h = x.new_zeros(x.size(0), cell.hidden_size, requires_grad=True)
    states = [h]
    for t in range(x.size(1)):
        h = cell(x[:, t], h)
        h.retain_grad()
        states.append(h)
    loss(h).backward()
    return torch.stack([h.grad.norm() for h in states])


@wrong("gradient_norms", "each norm is that of the state before: from h_0 to h_{T-1}")
def gradient_norms(cell, x, loss):
    h = x.new_zeros(x.size(0), cell.hidden_size, requires_grad=True)
    states = []
    for t in range(x.size(1)):
        h.retain_grad()
        states.append(h)
        h = cell(x[:, t], h)
    loss(h).backward()
    return torch.stack([h.grad.norm() for h in states])


@wrong("gradient_norms", "the loss of every state is summed, not that of the last one taken")
def gradient_norms(cell, x, loss):
    states = _unroll(cell, x)
    for h in states:
        h.retain_grad()
    sum(loss(h) for h in states).backward()
    return torch.stack([h.grad.norm() for h in states])


@wrong("gradient_norms", "one backward per state, whose gradients add up in the earlier states")
def gradient_norms(cell, x, loss):
    h = x.new_zeros(x.size(0), cell.hidden_size)
    states = []
    for t in range(x.size(1)):
        h = cell(x[:, t], h)
        h.retain_grad()
        states.append(h)
    norms = []
    for h in states:
        loss(states[-1]).backward(retain_graph=True)
        norms.append(h.grad.norm())
    return torch.stack(norms)


@wrong("gradient_norms", "equation 1.4 with weight_hh and tanh's slope, whatever the cell is")
def gradient_norms(cell, x, loss):
    states = [h.detach() for h in _unroll(cell, x)]
    last = states[-1].clone().requires_grad_()
    (grad,) = torch.autograd.grad(loss(last), last)
    norms = [grad.norm()]
    for h in reversed(states[1:]):
        grad = (grad * (1 - h**2)) @ cell.weight_hh.detach()
        norms.insert(0, grad.norm())
    return torch.stack(norms)


@wrong("gradient_norms", "the loss is taken for a sum: backward starts from ones")
def gradient_norms(cell, x, loss):
    states = _unroll(cell, x)
    for h in states:
        h.retain_grad()
    states[-1].backward(torch.ones_like(states[-1]))
    return torch.stack([h.grad.norm() for h in states])


@wrong("gradient_norms", "the root of the mean square, not of the sum of squares")
def gradient_norms(cell, x, loss):
    states = _unroll(cell, x)
    grads = torch.autograd.grad(loss(states[-1]), states)
    return torch.stack([g.pow(2).mean().sqrt() for g in grads])


@wrong("gradient_norms", "the root is forgotten: squared norms")
def gradient_norms(cell, x, loss):
    states = _unroll(cell, x)
    grads = torch.autograd.grad(loss(states[-1]), states)
    return torch.stack([(g * g).sum() for g in grads])


@wrong("gradient_norms", "the spectral norm of each gradient matrix, not the Euclidean one")
def gradient_norms(cell, x, loss):
    states = _unroll(cell, x)
    grads = torch.autograd.grad(loss(states[-1]), states)
    return torch.stack([torch.linalg.norm(g, ord=2) for g in grads])


@wrong("gradient_norms", "gradients of the inputs x_t in place of those of the states h_t")
def gradient_norms(cell, x, loss):
    x = x.clone().requires_grad_()
    states = _unroll(cell, x)
    loss(states[-1]).backward()
    return x.grad.norm(dim=(0, 2))


@wrong("gradient_norms", "the gradient of each state is divided by the size of the batch")
def gradient_norms(cell, x, loss):
    states = _unroll(cell, x)
    for h in states:
        h.retain_grad()
    (loss(states[-1]) / len(x)).backward()
    return torch.stack([h.grad.norm() for h in states])


@wrong("gradient_norms", "norms are given relative to that of the last state")
def gradient_norms(cell, x, loss):
    states = _unroll(cell, x)
    grads = torch.autograd.grad(loss(states[-1]), states)
    norms = torch.stack([g.norm() for g in grads])
    return norms / norms[-1]


@wrong("gradient_norms", "the states are cut apart by detach, so only the last has a gradient")
def gradient_norms(cell, x, loss):
    h = x.new_zeros(x.size(0), cell.hidden_size)
    states = []
    for t in range(x.size(1)):
        h = cell(x[:, t], h.detach())
        h.retain_grad()
        states.append(h)
    loss(h).backward()
    return torch.stack([x.new_tensor(0) if h.grad is None else h.grad.norm() for h in states])


@wrong("gradient_norms", "the start is random, not 0")
def gradient_norms(cell, x, loss):
    h = torch.randn(x.size(0), cell.hidden_size, dtype=x.dtype)
    states = []
    for t in range(x.size(1)):
        states.append(h := cell(x[:, t], h))
    grads = torch.autograd.grad(loss(h), states)
    return torch.stack([g.norm() for g in grads])


@wrong("gradient_norms", "only the first sequence is measured", "the norms are a column, (T, 1)")
def gradient_norms(cell, x, loss):
    states = _unroll(cell, x)
    grads = torch.autograd.grad(loss(states[-1]), states)
    return torch.stack([g[0].norm().reshape(1) for g in grads])


@wrong("gradient_norms", "sums of absolute values", "the cell is turned into float32 for good")
def gradient_norms(cell, x, loss):
    cell.float()
    states = _unroll(cell, x.float())
    for h in states:
        h.retain_grad()
    loss(states[-1]).backward()
    return torch.stack([h.grad.abs().sum() for h in states]).to(x.dtype)


@right("gradient_norms", "one vector-Jacobian product per step, from the end to the start")
def gradient_norms(cell, x, loss):
    T = x.shape[1]
    with torch.no_grad():
        states = _unroll(cell, x)
    last = states[-1].clone().requires_grad_()
    grad = torch.autograd.grad(loss(last), last)[0]
    norms = [grad.norm()]
    for t in range(T - 1, 0, -1):
        leaf = states[t - 1].clone().requires_grad_()
        (grad,) = torch.autograd.grad(cell(x[:, t], leaf), leaf, grad)
        norms.append(grad.norm())
    return torch.stack(norms[::-1]).detach()


@right("gradient_norms", "disturbances of size 0 added to every state, and their gradients")
def gradient_norms(cell, x, loss):
    B, T, _ = x.shape
    zero = torch.zeros(T, B, cell.hidden_size, dtype=x.dtype, requires_grad=True)
    h = torch.zeros_like(zero[0])
    for t in range(T):
        h = cell(x[:, t], h) + zero[t]
    (grad,) = torch.autograd.grad(loss(h), zero)
    return torch.einsum("tbh,tbh->t", grad, grad).sqrt()


@right("gradient_norms", "hooks that note the norm while the gradient passes by")
def gradient_norms(cell, x, loss):
    norms = x.new_zeros(x.size(1))
    h = x.new_zeros(x.size(0), cell.hidden_size)

    def note(t):
        def hook(grad):
            norms[t] = torch.linalg.vector_norm(grad)

        return hook

    for t, x_t in enumerate(x.transpose(0, 1)):
        h = cell(x_t, h)
        h.register_hook(note(t))
    loss(h).backward()
    return norms


@right("gradient_norms", "torch.func.grad of the rest of the run, afresh from every state")
def gradient_norms(cell, x, loss):
    T = x.size(1)

    def rest(h, start):
        return loss(functools.reduce(lambda h, x_t: cell(x_t, h), x[:, start:].unbind(1), h))

    with torch.no_grad():
        h = x.new_zeros(len(x), cell.hidden_size)
        states = [h := cell(x[:, t], h) for t in range(T)]
    grads = (torch.func.grad(rest)(h.detach(), t + 1) for t, h in enumerate(states))
    return torch.tensor([g.detach().square().sum().sqrt().item() for g in grads], dtype=x.dtype)


@right("gradient_norms", "gradients of the stacked states, norms by NumPy")
def gradient_norms(cell, x, loss):
    states = _unroll(cell, x)
    grads = torch.autograd.grad(outputs=loss(states[-1]), inputs=states, materialize_grads=True)
    table = np.stack([g.numpy().ravel() for g in grads])
    return torch.from_numpy(np.sqrt((table * table).sum(axis=1)))


# 1.7.2 clip_gradients


@wrong("clip_gradients", "a generator is used up by the norm, and nothing is left to be scaled")
def clip_gradients(parameters, max_norm):
    total = sum(p.grad.pow(2).sum() for p in parameters if p.grad is not None) ** 0.5
    if total > max_norm:
        for p in parameters:
            if p.grad is not None:
                p.grad.mul_(max_norm / total)
    return total


@wrong("clip_gradients", "a parameter without a gradient stops it with an error")
def clip_gradients(parameters, max_norm):
    parameters = list(parameters)
    norm = torch.sqrt(sum((p.grad**2).sum() for p in parameters))
    factor = torch.clamp(max_norm / norm, max=1.0)
    for p in parameters:
        p.grad.mul_(factor)
    return norm


@wrong("clip_gradients", "short gradients are stretched to max_norm: the minimum with 1 is missing")
def clip_gradients(parameters, max_norm):
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(float(g.double().pow(2).sum()) for g in grads))
    if norm > 0:
        for g in grads:
            g.mul_(max_norm / norm)
    return norm


@wrong("clip_gradients", "each parameter's gradient is clipped by its own norm")
def clip_gradients(parameters, max_norm):
    squares = 0.0
    for p in parameters:
        if p.grad is None:
            continue
        norm = p.grad.norm()
        squares += norm.item() ** 2
        if norm > max_norm:
            p.grad.mul_(max_norm / norm)
    return squares**0.5


@wrong("clip_gradients", "entries are clamped to the limit one by one")
def clip_gradients(parameters, max_norm):
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = sum(float(g.norm()) ** 2 for g in grads) ** 0.5
    for g in grads:
        g.clamp_(-max_norm, max_norm)
    return norm


@wrong("clip_gradients", "the norm after clipping is returned")
def clip_gradients(parameters, max_norm):
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = sum(float(g.norm()) ** 2 for g in grads) ** 0.5
    if norm > max_norm:
        for g in grads:
            g.mul_(max_norm / norm)
        norm = sum(float(g.norm()) ** 2 for g in grads) ** 0.5
    return norm


@wrong("clip_gradients", "gradients that are all 0 end in a division by zero")
def clip_gradients(parameters, max_norm):
    parameters = [p for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(p.grad.pow(2).sum().item() for p in parameters))
    scale = min(1.0, max_norm / norm)
    for p in parameters:
        p.grad.mul_(scale)
    return norm


@wrong("clip_gradients", "norms of the parameters are added up, without squares and root")
def clip_gradients(parameters, max_norm):
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = sum(float(g.norm()) for g in grads)
    if norm > max_norm:
        for g in grads:
            g.mul_(max_norm / norm)
    return norm


@wrong("clip_gradients", "the norm of the parameters so far: early ones are scaled too little")
def clip_gradients(parameters, max_norm):
    squares = 0.0
    for p in parameters:
        if p.grad is not None:
            squares += float(p.grad.norm()) ** 2
            norm = math.sqrt(squares)
            if norm > max_norm:
                p.grad.mul_(max_norm / norm)
    return math.sqrt(squares)


@wrong("clip_gradients", "biases are left out of the norm and of the scaling")
def clip_gradients(parameters, max_norm):
    grads = [p.grad for p in parameters if p.grad is not None and p.dim() > 1]
    norm = sum(float(g.norm()) ** 2 for g in grads) ** 0.5
    if norm > max_norm:
        for g in grads:
            g.mul_(max_norm / norm)
    return norm


@wrong("clip_gradients", "the norm is returned only where something was clipped, else None")
def clip_gradients(parameters, max_norm):
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = sum(float(g.norm()) ** 2 for g in grads) ** 0.5
    if norm > max_norm:
        for g in grads:
            g.mul_(max_norm / norm)
        return norm


@wrong("clip_gradients", "the weights are scaled instead of their gradients")
def clip_gradients(parameters, max_norm):
    parameters = [p for p in parameters if p.grad is not None]
    norm = torch.sqrt(sum((p.grad**2).sum() for p in parameters))
    with torch.no_grad():
        for p in parameters:
            p.mul_(torch.clamp(max_norm / norm, max=1))
    return norm


@wrong("clip_gradients", "the largest single entry is taken for the norm")
def clip_gradients(parameters, max_norm):
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = max((float(g.abs().max()) for g in grads), default=0.0)
    if norm > max_norm:
        for g in grads:
            g.mul_(max_norm / norm)
    return norm


@wrong("clip_gradients", "whether to clip is decided against 1, not against max_norm")
def clip_gradients(parameters, max_norm):
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = sum(float(g.norm()) ** 2 for g in grads) ** 0.5
    if norm > 1.0:
        for g in grads:
            g.mul_(max_norm / norm)
    return norm


@wrong("clip_gradients", "the squared norm, root forgotten, is returned", "nothing is scaled")
def clip_gradients(parameters, max_norm):
    parameters = list(parameters)
    norm = sum((p.grad**2).sum() for p in parameters if p.grad is not None)
    for p in parameters:
        if p.grad is not None and norm > max_norm:
            p.grad.mul(max_norm / norm)
    return norm


@wrong("clip_gradients", "the limit is returned as the norm", "the last gradient is left unscaled")
def clip_gradients(parameters, max_norm):
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = sum(float(g.norm()) ** 2 for g in grads) ** 0.5
    if norm <= max_norm:
        return norm
    for i in range(len(grads) - 1):
        grads[i].mul_(max_norm / norm)
    return max_norm


@right("clip_gradients", "one long vector, whose scaled pieces are copied back")
def clip_gradients(parameters, max_norm):
    grads = [p.grad for p in parameters if p.grad is not None]
    start = torch.zeros(1, dtype=torch.float64)
    g = torch.cat([start, *(grad.flatten().double() for grad in grads)])
    norm = torch.linalg.vector_norm(g)
    if norm > max_norm:
        pieces = (g * (max_norm / norm))[1:].split([grad.numel() for grad in grads])
        for grad, piece in zip(grads, pieces):
            grad.copy_(piece.view_as(grad))
    return norm


@right("clip_gradients", "math.hypot over all single entries, scaled through shared NumPy memory")
def clip_gradients(parameters, max_norm):
    arrays = [p.grad.detach().numpy() for p in parameters if p.grad is not None]
    norm = math.hypot(*itertools.chain.from_iterable(a.ravel().tolist() for a in arrays))
    for a in arrays:
        np.multiply(a, min(1.0, max_norm / norm) if norm else 1.0, out=a)
    return norm


@right("clip_gradients", "PyTorch's foreach functions on the list of gradients")
def clip_gradients(parameters, max_norm):
    grads = [grad for p in parameters if (grad := p.grad) is not None]
    if not grads:
        return torch.tensor(0.0)
    norm = torch.stack([n.double() for n in torch._foreach_norm(grads)]).norm()
    if norm > max_norm:
        torch._foreach_mul_(grads, (max_norm / norm).item())
    return norm


@right("clip_gradients", "recursion that finds the norm on the way in and scales on the way out")
def clip_gradients(parameters, max_norm):
    rest = iter(parameters)

    def walk(norm):
        p = next(rest, None)
        if p is None:
            return norm
        if p.grad is None:
            return walk(norm)
        total = walk(math.hypot(norm, p.grad.double().norm().item()))
        if total > max_norm:
            p.grad.mul_(max_norm / total)
        return total

    return walk(0.0)


@right("clip_gradients", "division in place by a factor that is at least 1")
def clip_gradients(parameters, max_norm):
    parameters = tuple(p for p in parameters if p.grad is not None)
    norm = math.fsum(float((p.grad.double() ** 2).sum()) for p in parameters) ** 0.5
    factor = norm / max_norm if norm > max_norm else 1.0
    for p in parameters:
        p.grad /= factor
    return torch.tensor(norm)


# 1.8.2 mark_claims


@wrong("mark_claims", "D is corrected by 7: only a bidirectional network would connect the steps")
def mark_claims():
    return {"A": 4, "B": 1, "C": 0, "D": 7, "E": 2, "F": 0, "G": 5, "H": 0}


@wrong("mark_claims", "E is corrected by 3: weight decay is taken for a cure of vanishing")
def mark_claims():
    return {"A": 4, "B": 1, "C": 0, "D": 6, "E": 3, "F": 0, "G": 5, "H": 0}


@wrong("mark_claims", "B is taken to be right")
def mark_claims():
    return dict(A=4, B=0, C=0, D=6, E=2, F=0, G=5, H=0)


@wrong("mark_claims", "C is taken to be wrong, with weight decay as the correction")
def mark_claims():
    return {"A": 4, "B": 1, "C": 3, "D": 6, "E": 2, "F": 0, "G": 5, "H": 0}


@wrong("mark_claims", "F is taken to be wrong: every step counts, so each were to have its weights")
def mark_claims():
    return {"A": 4, "B": 1, "C": 0, "D": 6, "E": 2, "F": 2, "G": 5, "H": 0}


@wrong("mark_claims", "G is taken to be right")
def mark_claims():
    return {"A": 4, "B": 1, "C": 0, "D": 6, "E": 2, "F": 0, "G": 0, "H": 0}


@wrong("mark_claims", "H is taken to be wrong, corrected by 3")
def mark_claims():
    return {"A": 4, "B": 1, "C": 0, "D": 6, "E": 2, "F": 0, "G": 5, "H": 3}


@wrong("mark_claims", "A is corrected by 1, which belongs to B")
def mark_claims():
    return {"A": 1, "B": 1, "C": 0, "D": 6, "E": 2, "F": 0, "G": 5, "H": 0}


@wrong("mark_claims", "D is taken to be right")
def mark_claims():
    return {"A": 4, "B": 1, "C": 0, "D": 0, "E": 2, "F": 0, "G": 5, "H": 0}


@wrong("mark_claims", "right claims are left out of the dict")
def mark_claims():
    return {"A": 4, "B": 1, "D": 6, "E": 2, "G": 5}


@wrong("mark_claims", "claims and corrections are the wrong way round in the dict")
def mark_claims():
    return {4: "A", 1: "B", 6: "D", 2: "E", 5: "G", 0: "C, F, H"}


@wrong("mark_claims", "right claims are marked None instead of 0")
def mark_claims():
    return {"A": 4, "B": 1, "C": None, "D": 6, "E": 2, "F": None, "G": 5, "H": None}


@wrong("mark_claims", "wrong claims are marked True or False, without the number of a correction")
def mark_claims():
    return {letter: letter not in "CFH" for letter in "ABCDEFGH"}


@wrong("mark_claims", "A is corrected by 5", "G is corrected by 4")
def mark_claims():
    return {"A": 5, "B": 1, "C": 0, "D": 6, "E": 2, "F": 0, "G": 4, "H": 0}


@wrong("mark_claims", "B is corrected by 6", "D is corrected by 1")
def mark_claims():
    return dict(zip("ABCDEFGH", (4, 6, 0, 1, 2, 0, 5, 0)))


@right("mark_claims", "letters zipped with a string of digits")
def mark_claims():
    return {letter: int(digit) for letter, digit in zip("ABCDEFGH", "41062050")}


@right("mark_claims", "zeros for all by fromkeys, then the five wrong ones")
def mark_claims():
    marks = dict.fromkeys(map(chr, range(ord("A"), ord("I"))), 0)
    marks.update(G=5, E=2, D=6, B=1, A=4)
    return marks


@right("mark_claims", "the dict turned round from correction to letter, in another order")
def mark_claims():
    by_correction = {5: "G", 6: "D", 4: "A", 2: "E", 1: "B", 0: "HFC"}
    return {letter: n for n, letters in by_correction.items() for letter in letters}


@dataclass
class _Marks:
    A: int = 4
    B: int = 1
    C: int = 0
    D: int = 6
    E: int = 2
    F: int = 0
    G: int = 5
    H: int = 0


@right("mark_claims", "the fields of a dataclass as a dict")
def mark_claims():
    return {field.name: field.default for field in fields(_Marks)}


@right("mark_claims", "a defaultdict, in which the right claims were only asked for")
def mark_claims():
    marks = collections.defaultdict(int, A=4, B=1, D=6, E=2, G=5)
    for letter in "CFH":
        marks[letter]
    return marks
