"""More answers to the exercises of chapter 1, written when the first had been used for mends."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tests.answers import right, wrong


def _step(x_t, h_prev, W_xh, W_hh, b_h):
    return torch.tanh(x_t @ W_xh + h_prev @ W_hh + b_h)


def _cut(state):
    return tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()


# 1.2.1 rnn_step


@wrong("rnn_step", "the state meets W_hh transposed, as with column vectors")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    from_state = (W_hh @ h_prev.T).T
    from_input = x_t @ W_xh
    return torch.tanh(from_input + from_state + b_h)


@wrong("rnn_step", "the bias is left out")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    return torch.tanh(torch.matmul(x_t, W_xh) + torch.matmul(h_prev, W_hh))


@wrong("rnn_step", "the bias is added outside of the tanh")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    return torch.tanh(x_t @ W_xh + h_prev @ W_hh) + b_h


@wrong("rnn_step", "input and state are squashed each by itself, then added")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    new = torch.tanh(x_t @ W_xh + b_h)
    old = torch.tanh(h_prev @ W_hh)
    return new + old


@wrong("rnn_step", "a sigmoid in place of the tanh")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    a = x_t @ W_xh
    a = a + h_prev @ W_hh
    a = a + b_h
    return a.sigmoid()


@wrong("rnn_step", "the bias counts twice, as if nn.RNN's two", "a batch of one loses its axis")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    h_t = torch.tanh(x_t @ W_xh + b_h + h_prev @ W_hh + b_h)
    return h_t.squeeze(0)


@right("rnn_step", "no matrix product: broadcast, multiply, sum")
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    def through(rows, W):
        return (rows[..., None] * W).sum(dim=-2)

    return torch.tanh(through(x_t, W_xh) + through(h_prev, W_hh) + b_h[None])


# 1.3.1 rnn_forward


@wrong("rnn_forward", "the last state is taken from the last sequence, not the last step")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    h, states = h_0, []
    for t in range(x.shape[1]):
        h = _step(x[:, t], h, W_xh, W_hh, b_h)
        states.append(h)
    states = torch.stack(states, dim=1)
    return states, states[-1]


@wrong("rnn_forward", "cat and view: states land at other sequences and steps")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    B, T, D = x.shape
    h = h_0
    states = []
    for t in range(T):
        h = _step(x[:, t, :], h, W_xh, W_hh, b_h)
        states.append(h)
    return torch.cat(states).view(B, T, -1), h


@wrong("rnn_forward", "the loop makes as many steps as there are sequences")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    states = []
    h = h_0
    for t in range(len(x)):
        h = _step(x[:, t], h, W_xh, W_hh, b_h)
        states.append(h)
    return torch.stack(states, dim=1), h


@wrong("rnn_forward", "each state is collected before its step: h_0 to h_{T-1}")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    h = h_0
    collected = []
    for x_t in x.unbind(dim=1):
        collected.append(h)
        h = _step(x_t, h, W_xh, W_hh, b_h)
    return torch.stack(collected, dim=1), h


@wrong("rnn_forward", "every step starts from h_0")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    states = []
    for t in range(x.size(1)):
        h_t = _step(x[:, t], h_0, W_xh, W_hh, b_h)
        states.append(h_t)
    return torch.stack(states, dim=1), states[-1]


@wrong("rnn_forward", "the states come time first", "the last state has nn.RNN's axis for layers")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    x = x.transpose(0, 1)
    h = h_0
    out = []
    for x_t in x:
        h = _step(x_t, h, W_xh, W_hh, b_h)
        out.append(h)
    return torch.stack(out), h.unsqueeze(0)


@right("rnn_forward", "itertools.accumulate over the steps")
def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    from itertools import accumulate

    def step(h, driven):
        return (driven + h @ W_hh).tanh()

    _, *states = accumulate((x @ W_xh + b_h).unbind(dim=1), step, initial=h_0)
    return torch.stack(states, dim=-2), states.pop()


# 1.4.1 rnn_shapes


@wrong("rnn_shapes", "batch_first moves the batch of h_n to the front too")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    directions = 2 if bidirectional else 1
    features, states = directions * hidden_size, directions * num_layers
    if B is None:
        return (T, features), (states, hidden_size)
    if batch_first:
        return (B, T, features), (B, states, hidden_size)
    return (T, B, features), (states, B, hidden_size)


@wrong("rnn_shapes", "h_n has no states for the second direction")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    d = 2 if bidirectional else 1
    if B is None:
        return (T, d * hidden_size), (num_layers, hidden_size)
    out = (B, T, d * hidden_size) if batch_first else (T, B, d * hidden_size)
    return out, (num_layers, B, hidden_size)


@wrong("rnn_shapes", "a sequence without a batch axis counts as a batch of one")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    if B is None:
        B = 1
    directions = 2 if bidirectional else 1
    out = (B, T) if batch_first else (T, B)
    return (*out, directions * hidden_size), (directions * num_layers, B, hidden_size)


@wrong("rnn_shapes", "the two meanings of batch_first are exchanged")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    directions = int(bidirectional) + 1
    h_n = (directions * num_layers, hidden_size)
    if B is None:
        return ((T, directions * hidden_size), h_n)
    h_n = (directions * num_layers, B, hidden_size)
    if not batch_first:
        return ((B, T, directions * hidden_size), h_n)
    return ((T, B, directions * hidden_size), h_n)


@wrong("rnn_shapes", "h_n has both directions side by side, as out has")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    features = 2 * hidden_size if bidirectional else hidden_size
    if B is None:
        return (T, features), (num_layers, features)
    first_two = (B, T) if batch_first else (T, B)
    return first_two + (features,), (num_layers, B, features)


@wrong("rnn_shapes", "out lacks the second direction", "h_n has one layer only")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    directions = 2 if bidirectional else 1
    if B is None:
        return (T, hidden_size), (directions, hidden_size)
    out = (B, T, hidden_size) if batch_first else (T, B, hidden_size)
    return out, (directions, B, hidden_size)


@right("rnn_shapes", "one rule for both cases: an axis that is None falls out")
def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    def present(*axes):
        return tuple(n for n in axes if n is not None)

    order = slice(None, None, -1 if batch_first else 1)
    return (
        present(*(T, B)[order], hidden_size << bool(bidirectional)),
        present(num_layers << bool(bidirectional), B, hidden_size),
    )


# 1.5.1 LastStepRNN


@wrong("LastStepRNN", "batch_first is forgotten: the batch is taken for time")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, h_n = self.rnn(x)
        return self.fc(out[:, -1])


@wrong("LastStepRNN", "squeeze takes the batch axis of a batch of one along")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        _, h_n = self.rnn(x)
        return self.fc(h_n.squeeze())


@wrong("LastStepRNN", "a ReLU stands between the last state and the answer")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, _ = self.rnn(x)
        out = self.relu(out[:, -1, :])
        return self.fc(out)


@wrong("LastStepRNN", "the state of one call is the start of the next")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden = None
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        if self.hidden is not None and self.hidden.shape[1] != x.shape[0]:
            self.hidden = None
        out, hidden = self.rnn(x, self.hidden)
        self.hidden = hidden.detach()
        return self.fc(out[:, -1])


@wrong("LastStepRNN", "h_0 is random")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.rnn = nn.RNN(input_size, hidden_size, num_layers=1, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        h0 = torch.randn(1, x.size(0), self.hidden_size, dtype=x.dtype, device=x.device)
        out, hn = self.rnn(x, h0)
        return self.fc(out[:, -1, :])


@wrong("LastStepRNN", "the answers keep the axis for layers", "they go through a softmax")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)
        self.softmax = nn.Softmax(dim=-1)

    def forward(self, x):
        out, h_n = self.rnn(x)
        return self.softmax(self.fc(h_n))


@right("LastStepRNN", "a ModuleDict, and the network fed one step at a time")
class LastStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.parts = nn.ModuleDict(
            {
                "answer": nn.Linear(out_features=output_size, in_features=hidden_size),
                "reader": nn.RNN(hidden_size=hidden_size, input_size=input_size, batch_first=True),
            }
        )

    def forward(self, x):
        h = None
        for x_t in x.split(1, dim=1):
            h = self.parts["reader"](x_t, h)[1]
        return self.parts["answer"](h[0])


# 1.5.3 EveryStepRNN


@wrong("EveryStepRNN", "batch_first is lost in the repair: the batch is taken for time")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, h_n = self.rnn(x)
        return self.fc(out)


@wrong("EveryStepRNN", "a loop over the steps in which each starts without a state")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        answers = []
        for t in range(x.size(1)):
            out, h_n = self.rnn(x[:, t : t + 1])
            answers.append(self.fc(out[:, -1]))
        return torch.stack(answers, dim=1)


@wrong("EveryStepRNN", "squeeze drops axes of size one from the answers")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out).squeeze()


@wrong("EveryStepRNN", "all sequences' answers stay in one long list (B * T, O)")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, h_n = self.rnn(x)
        out = out.contiguous().view(-1, self.hidden_size)
        return self.fc(out)


@wrong("EveryStepRNN", "the answer of the last step is repeated for all steps")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, h_n = self.rnn(x)
        y = self.fc(out[:, -1])
        return y.unsqueeze(1).repeat(1, x.shape[1], 1)


@wrong("EveryStepRNN", "the answers are not turned back to batch first", "a ReLU on the states")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size)
        self.fc = nn.Sequential(nn.ReLU(), nn.Linear(hidden_size, output_size))

    def forward(self, x):
        x = x.permute(1, 0, 2)
        out, _ = self.rnn(x)
        return self.fc(out)


@right("EveryStepRNN", "time first inside, turned before and after")
class EveryStepRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.readout = nn.Linear(hidden_size, output_size)
        self.memory = nn.RNN(input_size, hidden_size, 1, "tanh")

    def forward(self, x):
        states, *_ = self.memory(x.movedim(1, 0))
        return torch.stack([self.readout(h) for h in states]).swapaxes(0, 1)


# 1.6.1 carry_state


@wrong("carry_state", "a pair has no detach")
def carry_state(state):
    return state.detach()


@wrong("carry_state", "no_grad around a return does not cut the graph")
def carry_state(state):
    with torch.no_grad():
        if isinstance(state, tuple):
            h, c = state
            return (h, c)
        return state


@wrong("carry_state", "of a pair only h is cut, c keeps its graph")
def carry_state(state):
    if isinstance(state, tuple):
        h, c = state
        h = h.detach()
        return h, c
    return state.detach()


@wrong("carry_state", "a tensor with two layers is taken for a pair")
def carry_state(state):
    if len(state) == 2:
        h, c = state
        return h.detach(), c.detach()
    return state.detach()


@wrong("carry_state", "a new tensor from a list of numbers: float64 is rounded to float32")
def carry_state(state):
    if isinstance(state, tuple):
        return tuple(torch.tensor(s.tolist()) for s in state)
    return torch.tensor(state.tolist())


@wrong("carry_state", "h and c of a pair are exchanged", "a single tensor is copied with its graph")
def carry_state(state):
    if isinstance(state, tuple):
        c, h = state
        return h.detach(), c.detach()
    return state.clone()


@right("carry_state", "copies into empty tensors, and match to tell the two apart")
def carry_state(state):
    @torch.no_grad()
    def copied(s):
        return torch.empty_like(s).copy_(s)

    match state:
        case torch.Tensor():
            return copied(state)
        case h, c:
            return copied(h), copied(c)


# 1.6.2 train_on_stream


@wrong("train_on_stream", "the gradients are never cleared")
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


@wrong("train_on_stream", "windows are indexed, so an iterator does not do")
def train_on_stream(model, windows, optimizer):
    losses = []
    state = None
    for i in range(len(windows)):
        x, y = windows[i]
        prediction, state = model(x, state)
        loss = F.mse_loss(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        state = _cut(state)
    return losses


@wrong("train_on_stream", "the state is made anew with the updated weights")
def train_on_stream(model, windows, optimizer):
    losses, state = [], None
    for x, y in windows:
        optimizer.zero_grad()
        prediction, _ = model(x, state)
        loss = F.mse_loss(prediction, y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        with torch.no_grad():
            _, state = model(x, state)
    return losses


@wrong("train_on_stream", "each loss is measured after its update")
def train_on_stream(model, windows, optimizer):
    losses, state = [], None
    for x, y in windows:
        prediction, new_state = model(x, state)
        loss = F.mse_loss(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            losses.append(F.mse_loss(model(x, state)[0], y).item())
        state = _cut(new_state)
    return losses


@wrong("train_on_stream", "the gradients are clipped to norm 1, which was not asked")
def train_on_stream(model, windows, optimizer):
    model.train()
    state, losses = None, []
    for x, y in windows:
        optimizer.zero_grad()
        prediction, state = model(x, state)
        loss = nn.MSELoss()(prediction, y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        state = _cut(state)
        losses.append(loss.item())
    return losses


@wrong("train_on_stream", "each window starts afresh", "running means are returned, not losses")
def train_on_stream(model, windows, optimizer):
    losses = []
    total = 0.0
    for n, (x, y) in enumerate(windows, start=1):
        state = None
        prediction, state = model(x, state)
        loss = F.mse_loss(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
        losses.append(total / n)
    return losses


@right("train_on_stream", "a generator that trains while its losses are collected")
def train_on_stream(model, windows, optimizer):
    def losses(state=None):
        for x, y in windows:
            optimizer.zero_grad()
            prediction, left = model(x, state)
            yield float((loss := (y - prediction).square().mean()).detach())
            loss.backward()
            optimizer.step()
            state = _cut(left)

    return [*losses()]


# 1.7.1 gradient_norms


@wrong("gradient_norms", "each state has a loss of its own instead of only the last")
def gradient_norms(cell, x, loss):
    h = x.new_zeros(x.shape[0], cell.hidden_size)
    norms = []
    for t in range(x.shape[1]):
        h = cell(x[:, t], h)
        (grad,) = torch.autograd.grad(loss(h), h, retain_graph=True)
        norms.append(grad.norm())
    return torch.stack(norms)


@wrong("gradient_norms", "the mean of the sequences' norms instead of one norm of the batch")
def gradient_norms(cell, x, loss):
    h = x.new_zeros(x.size(0), cell.hidden_size)
    states = []
    for t in range(x.size(1)):
        h = cell(x[:, t], h)
        h.retain_grad()
        states.append(h)
    loss(h).backward()
    return torch.stack([s.grad.norm(dim=1).mean() for s in states])


@wrong("gradient_norms", "the norms run from the last state to the first")
def gradient_norms(cell, x, loss):
    B, T, _ = x.shape
    states = [x.new_zeros(B, cell.hidden_size)]
    for t in range(T):
        h = cell(x[:, t], states[-1])
        h.retain_grad()
        states.append(h)
    loss(states[-1]).backward()
    norms = []
    for h in reversed(states[1:]):
        norms.append(torch.linalg.vector_norm(h.grad))
    return torch.stack(norms)


@wrong("gradient_norms", "shifted by one: the norms at h_0 to h_{T-1}")
def gradient_norms(cell, x, loss):
    h = x.new_zeros(len(x), cell.hidden_size).requires_grad_()
    states = []
    for t in range(x.shape[1]):
        h.retain_grad()
        states.append(h)
        h = cell(x[:, t], h)
    loss(h).backward()
    return torch.stack([s.grad.norm() for s in states])


@wrong("gradient_norms", "the first state is float32 whatever x is")
def gradient_norms(cell, x, loss):
    h = torch.zeros(x.shape[0], cell.hidden_size)
    states = []
    for t in range(x.shape[1]):
        h = cell(x[:, t], h)
        h.retain_grad()
        states.append(h)
    loss(h).backward()
    return torch.stack([h.grad.norm() for h in states])


@wrong("gradient_norms", "h_0 has an entry too", "the square roots are missing")
def gradient_norms(cell, x, loss):
    h = x.new_zeros(x.shape[0], cell.hidden_size).requires_grad_()
    states = [h]
    for t in range(x.shape[1]):
        h = cell(x[:, t], h)
        h.retain_grad()
        states.append(h)
    loss(h).backward()
    return torch.stack([(h.grad**2).sum() for h in states])


@right("gradient_norms", "a probe of zeros is added to each state and asked for its gradient")
def gradient_norms(cell, x, loss):
    B, T = x.shape[:2]
    probes = x.new_zeros(T, B, cell.hidden_size).requires_grad_()
    h = torch.zeros_like(probes[0])
    for x_t, probe in zip(x.unbind(1), probes):
        h = cell(x_t, h) + probe
    (grads,) = torch.autograd.grad(loss(h), probes)
    return torch.einsum("tbh,tbh->t", grads, grads).sqrt()


# 1.7.2 clip_gradients


@wrong("clip_gradients", "each gradient is clipped by its own norm")
def clip_gradients(parameters, max_norm):
    grads = [p.grad for p in parameters if p.grad is not None]
    total = torch.sqrt(sum((g**2).sum() for g in grads))
    for g in grads:
        norm = g.norm()
        if norm > max_norm:
            g.mul_(max_norm / norm)
    return total


@wrong("clip_gradients", "a generator is used up by the norm, and nothing is scaled")
def clip_gradients(parameters, max_norm):
    total = 0.0
    for p in parameters:
        if p.grad is not None:
            total += p.grad.pow(2).sum().item()
    norm = total**0.5
    if norm > max_norm:
        for p in parameters:
            if p.grad is not None:
                p.grad.mul_(max_norm / norm)
    return norm


@wrong("clip_gradients", "short gradients are stretched to the limit")
def clip_gradients(parameters, max_norm):
    parameters = [p for p in parameters if p.grad is not None]
    norm = torch.cat([p.grad.flatten() for p in parameters]).norm()
    for p in parameters:
        if norm > 0:
            p.grad.mul_(max_norm / norm)
    return norm


@wrong("clip_gradients", "gradients that are all 0 end in a division by zero")
def clip_gradients(parameters, max_norm):
    grads = [p.grad for p in list(parameters) if p.grad is not None]
    norm = math.sqrt(sum(g.square().sum().item() for g in grads))
    factor = min(1.0, max_norm / norm)
    for g in grads:
        g.mul_(factor)
    return norm


@wrong("clip_gradients", "the norms of the parameters are simply added")
def clip_gradients(parameters, max_norm):
    parameters = list(parameters)
    norm = 0.0
    for p in parameters:
        if p.grad is not None:
            norm += p.grad.norm().item()
    if norm > max_norm:
        for p in parameters:
            if p.grad is not None:
                p.grad.mul_(max_norm / norm)
    return norm


@wrong("clip_gradients", "new tensors replace the gradients", "the norm after clipping is returned")
def clip_gradients(parameters, max_norm):
    parameters = [p for p in parameters if p.grad is not None]
    norm = torch.stack([p.grad.norm() for p in parameters]).norm()
    if norm > max_norm:
        for p in parameters:
            p.grad = p.grad * (max_norm / norm)
    return torch.stack([p.grad.norm() for p in parameters]).norm()


@right("clip_gradients", "math.hypot of the norms")
def clip_gradients(parameters, max_norm):
    grads = [*filter(torch.is_tensor, (p.grad for p in parameters))]
    before = math.hypot(*(float(torch.linalg.vector_norm(g)) for g in grads))
    if before > max_norm:
        any(g.mul_(max_norm / before) is None for g in grads)
    return before


# 1.8.2 mark_claims


@wrong("mark_claims", "B is taken for right")
def mark_claims():
    return {"A": 4, "B": 0, "C": 0, "D": 6, "E": 2, "F": 0, "G": 5, "H": 0}


@wrong("mark_claims", "C is taken for wrong, with weight decay as its correction")
def mark_claims():
    return {"A": 4, "B": 1, "C": 3, "D": 6, "E": 2, "F": 0, "G": 5, "H": 0}


@wrong("mark_claims", "D is corrected with the bidirectional network")
def mark_claims():
    return {"A": 4, "B": 1, "C": 0, "D": 7, "E": 2, "F": 0, "G": 5, "H": 0}


@wrong("mark_claims", "the right claims are left out")
def mark_claims():
    return {"A": 4, "B": 1, "D": 6, "E": 2, "G": 5}


@wrong("mark_claims", "E is corrected with weight decay")
def mark_claims():
    marks = dict.fromkeys("ABCDEFGH", 0)
    marks.update(A=4, B=1, D=6, E=3, G=5)
    return marks


@wrong("mark_claims", "G is taken for right", "A is given the correction of G")
def mark_claims():
    return {"A": 5, "B": 1, "C": 0, "D": 6, "E": 2, "F": 0, "G": 0, "H": 0}


@right("mark_claims", "the digits of a number")
def mark_claims():
    return {chr(ord("A") + i): int(digit) for i, digit in enumerate(f"{41062050:08d}")}
