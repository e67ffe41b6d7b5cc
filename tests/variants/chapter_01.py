"""Other right answers to chapter 1."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def rnn_step_in_numpy(x_t, h_prev, W_xh, W_hh, b_h):
    x_t, h_prev, W_xh, W_hh, b_h = map(np.asarray, (x_t, h_prev, W_xh, W_hh, b_h))
    return np.tanh(x_t @ W_xh + h_prev @ W_hh + b_h)


def rnn_step_by_einsum(x_t, h_prev, W_xh, W_hh, b_h):
    return torch.tanh(
        torch.einsum("bd,dh->bh", x_t, W_xh) + torch.einsum("bg,gh->bh", h_prev, W_hh) + b_h
    )


def rnn_step_by_loops(x, h, W_xh, W_hh, b):
    new = torch.empty_like(h)
    for i in range(len(x)):
        for j in range(len(b)):
            new[i, j] = torch.tanh((x[i] * W_xh[:, j]).sum() + (h[i] * W_hh[:, j]).sum() + b[j])
    return new


def rnn_step_in_float64(x_t, h_prev, W_xh, W_hh, b_h):
    joined = torch.cat([x_t, h_prev], dim=1).double()
    return torch.tanh(joined @ torch.cat([W_xh, W_hh]).double() + b_h.double())


def rnn_step_transposed(x_t, h_prev, W_xh, W_hh, b_h):
    return (W_xh.T @ x_t.T + W_hh.T @ h_prev.T + b_h[:, None]).tanh().T


def rnn_forward_with_preallocated_states(x, h_0, W_xh, W_hh, b_h):
    B, T, _ = x.shape
    states = x.new_empty(B, T, len(b_h))
    h = h_0
    for t in range(T):
        h = torch.tanh(x[:, t] @ W_xh + h @ W_hh + b_h)
        states[:, t] = h
    return states, h


def rnn_forward_time_first_then_transposed(x, h_0, W_xh, W_hh, b_h):
    states, h = [], h_0
    for x_t in x.transpose(0, 1):
        h = F.linear(x_t, W_xh.T, b_h).add(h @ W_hh).tanh()
        states.append(h)
    return torch.stack(states).transpose(0, 1), states[-1]


def rnn_forward_by_an_nn_RNN(x, h_0, W_xh, W_hh, b_h):
    rnn = nn.RNN(W_xh.shape[0], W_xh.shape[1], batch_first=True)
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(W_xh.T)
        rnn.weight_hh_l0.copy_(W_hh.T)
        rnn.bias_ih_l0.copy_(b_h)
        rnn.bias_hh_l0.zero_()
    out, h_n = rnn(x, h_0[None])
    return out, h_n.squeeze(0)


def rnn_forward_in_numpy(x, h_0, W_xh, W_hh, b_h):
    x, h, W_xh, W_hh, b_h = (np.asarray(value) for value in (x, h_0, W_xh, W_hh, b_h))
    states = []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ W_xh + h @ W_hh + b_h)
        states.append(h)
    return [np.stack(states, axis=1), h]


def rnn_shapes_from_a_network(
    input_size, hidden_size, num_layers, bidirectional, batch_first, T, B
):
    rnn = nn.RNN(
        input_size, hidden_size, num_layers, bidirectional=bidirectional, batch_first=batch_first
    )
    shape = (
        (T, input_size) if B is None else (B, T, input_size) if batch_first else (T, B, input_size)
    )
    out, h_n = rnn(torch.zeros(shape))
    return out.shape, h_n.shape


def rnn_shapes_as_lists(D, H, L, bidirectional, batch_first, T, B):
    k = 1 + bidirectional
    batch = [] if B is None else [B]
    out = [*batch, T, k * H] if batch_first else [T, *batch, k * H]
    return [out, [k * L, *batch, H]]


class LastStepRNN_from_h_n(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.head = nn.Linear(hidden_size, output_size)
        self.recurrent = nn.RNN(input_size, hidden_size, batch_first=True)

    def forward(self, x):
        h_0 = torch.zeros(1, x.size(0), self.recurrent.hidden_size, dtype=x.dtype)
        _, h_n = self.recurrent(x, h_0)
        return self.head(h_n.squeeze(0))


class LastStepRNN_with_zeros_made_in_forward(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.rnn = nn.RNN(input_size, hidden_size, num_layers=1, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        h0 = torch.zeros(1, x.size(0), self.hidden_size)
        out, _ = self.rnn(x, h0)
        return self.fc(out[:, -1, :])


class LastStepRNN_time_first(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        return self.fc(self.rnn(x.transpose(0, 1))[0][-1])


class LastStepRNN_with_a_cell(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.cell = nn.RNNCell(input_size, hidden_size)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        h = None
        for x_t in x.unbind(1):
            h = self.cell(x_t, h)
        return self.fc(h)


class EveryStepRNN_step_by_step(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.fc = nn.Linear(hidden_size, output_size)
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)

    def forward(self, x):
        out = self.rnn(x)[0]
        return torch.stack([self.fc(out[:, t]) for t in range(out.shape[1])], dim=1)


class EveryStepRNN_flattened(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, _ = self.rnn(x)
        B, T, H = out.shape
        return self.fc(out.reshape(B * T, H)).view(B, T, -1)


def carry_state_by_data(state):
    if isinstance(state, torch.Tensor):
        return state.data
    return [part.data for part in state]


def carry_state_by_recursion(state):
    if isinstance(state, tuple):
        return tuple(carry_state_by_recursion(part) for part in state)
    return state.clone().detach()


def train_on_stream_detaching_by_hand(model, windows, optimizer):
    state = None
    losses = []
    for x, y in windows:
        optimizer.zero_grad()
        prediction, state = model(x, state)
        loss = ((prediction - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        state = state.detach()
        losses.append(loss.detach())
    return losses


def train_on_stream_clearing_afterwards(model, windows, optimizer):
    state, losses = None, []
    for x, y in windows:
        if state is not None:
            state = state.data
        prediction, state = model(x, state)
        loss = nn.MSELoss()(prediction, y)
        loss.backward()
        optimizer.step()
        model.zero_grad()
        losses.append(float(loss))
    return np.array(losses)


def gradient_norms_by_autograd_grad(cell, x, loss):
    h = torch.zeros(len(x), cell.hidden_size, dtype=x.dtype)
    states = []
    for t in range(x.size(1)):
        h = cell(x[:, t], h)
        states.append(h)
    return [g.norm().item() for g in torch.autograd.grad(loss(h), states)]


def gradient_norms_by_hooks(cell, x, loss):
    norms = [None] * x.shape[1]

    def keep(t):
        return lambda g: norms.__setitem__(t, g.norm())

    h = torch.zeros(x.shape[0], cell.hidden_size, dtype=x.dtype)
    for t in range(x.shape[1]):
        h = cell(x[:, t], h)
        h.register_hook(keep(t))
    loss(h).backward()
    return torch.stack(norms)


def gradient_norms_in_numpy(cell, x, loss):
    h, states = torch.zeros(x.shape[0], cell.hidden_size, dtype=x.dtype), []
    for x_t in x.transpose(0, 1):
        h = cell(x_t, h)
        h.retain_grad()
        states.append(h)
    loss(states[-1]).backward()
    return np.array([np.sqrt((s.grad.numpy() ** 2).sum()) for s in states])


def clip_gradients_by_torch(parameters, max_norm):
    return torch.nn.utils.clip_grad_norm_(list(parameters), max_norm)


def clip_gradients_by_assignment(parameters, max_norm):
    parameters = [p for p in parameters if p.grad is not None]
    norm = torch.cat([p.grad.flatten() for p in parameters]).norm().item()
    if norm > max_norm:
        for p in parameters:
            p.grad = p.grad * (max_norm / norm)
    return norm


def mark_claims_in_another_order():
    return {"H": 0, "G": 5, "F": 0, "E": 2, "D": 6, "C": 0, "B": 1, "A": 4}


def mark_claims_by_zip():
    return dict(zip("ABCDEFGH", (4, 1, 0, 6, 2, 0, 5, 0), strict=True))


def parity_weights_by_or_and_not_both():
    return (
        torch.tensor([[8.0, -8.0]]),
        torch.tensor([[4.0, -4.0], [4.0, -4.0]]),
        torch.tensor([-4.0, 12.0]),
        torch.tensor([[1.0], [1.0]]),
        torch.tensor([-1.0]),
    )


def parity_weights_in_numpy():
    steep = 3.0
    into_both = np.array([[1.0, 1.0]])
    return [
        2 * steep * into_both,
        steep * np.array([[1.0], [-1.0]]) @ into_both,
        -steep * np.array([1.0, 3.0]),
        np.array([[1.0], [-1.0]]),
        -1.0 * np.ones(1),
    ]


def state_gradients_by_einsum(states, W_hh, last):
    made = torch.empty_like(states)
    made[:, -1] = last
    for t in reversed(range(states.shape[1] - 1)):
        slope = 1 - states[:, t + 1].square()
        made[:, t] = torch.einsum("ij,bj,bj->bi", W_hh, slope, made[:, t + 1])
    return made


def state_gradients_in_numpy(states, W_hh, last):
    states, W_hh, g = states.numpy(), W_hh.numpy(), last.numpy()
    made = [g]
    for h in states.transpose(1, 0, 2)[:0:-1]:
        g = np.stack([W_hh @ row for row in g * (1 - h) * (1 + h)])
        made.append(g)
    return np.stack(made[::-1], axis=1)


def scale_to_radius_in_numpy(W, radius):
    W = np.asarray(W)
    return radius * W / np.abs(np.linalg.eigvals(W)).max()


def scale_to_radius_by_eig(W, radius):
    values, _ = torch.linalg.eig(W)
    largest = torch.sqrt(values.real**2 + values.imag**2).max()
    return W.mul(radius).div(largest)


def remember_first_by_a_latch_without_biases(seed):
    class Latch(nn.Module):
        def __init__(self):
            super().__init__()
            self.out = nn.Linear(5, 5, bias=False)
            self.memory = nn.RNN(5, 5, bias=False, batch_first=True)
            self.drop, self.loss = nn.Dropout(0.1), nn.CrossEntropyLoss()

    model = Latch()
    with torch.no_grad():
        model.memory.weight_ih_l0.copy_(3 * torch.eye(5) - 1)
        model.memory.weight_hh_l0.copy_(9 * torch.eye(5))
        model.out.weight.copy_(torch.eye(5))
    return model


def remember_first_with_unused_units(seed):
    model = nn.Sequential(nn.RNN(5, 32), nn.Linear(32, 5))
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        model[0].weight_ih_l0[:5] = 8 * torch.eye(5)
        model[0].weight_hh_l0[:5, :5] = 16 * torch.eye(5)
        model[0].bias_hh_l0[:5] = -4
        model[1].weight[:, :5] = torch.eye(5)
    return model
