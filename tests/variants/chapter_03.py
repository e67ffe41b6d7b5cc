"""Other right answers to chapter 3."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def lstm_step_in_numpy(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    arrays = map(np.asarray, (x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh))
    x, h, c, W_ih, W_hh, b_ih, b_hh = arrays
    i, f, g, o = np.split(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh, 4, axis=1)
    i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
    c = f * c + i * np.tanh(g)
    return o * np.tanh(c), c


def lstm_step_by_slices(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    H = h_prev.shape[1]
    sums = F.linear(x_t, weight_ih, bias_ih) + F.linear(h_prev, weight_hh, bias_hh)
    gates = sums[:, : 2 * H].sigmoid()
    c_t = gates[:, H:] * c_prev + gates[:, :H] * sums[:, 2 * H : 3 * H].tanh()
    return [sums[:, 3 * H :].sigmoid() * c_t.tanh(), c_t]


def lstm_step_joined_in_float64(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    joined = torch.cat([x_t, h_prev], dim=1).double()
    weights = torch.cat([weight_ih, weight_hh], dim=1).double()
    i, f, g, o = torch.einsum("bd,gd->gb", joined, weights).T.chunk(4, dim=1)
    b_i, b_f, b_g, b_o = (bias_ih + bias_hh).chunk(4)
    c_t = torch.sigmoid(f + b_f) * c_prev + torch.sigmoid(i + b_i) * torch.tanh(g + b_g)
    return torch.sigmoid(o + b_o) * torch.tanh(c_t), c_t


def gru_step_in_numpy(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    arrays = map(np.asarray, (x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh))
    x, h, W_ih, W_hh, b_ih, b_hh = arrays
    x_r, x_z, x_n = np.split(x @ W_ih.T + b_ih, 3, axis=1)
    h_r, h_z, h_n = np.split(h @ W_hh.T + b_hh, 3, axis=1)
    r, z = 1 / (1 + np.exp(-x_r - h_r)), 1 / (1 + np.exp(-x_z - h_z))
    return (1 - z) * np.tanh(x_n + r * h_n) + z * h


def gru_step_by_lerp(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    H = h_prev.shape[1]
    from_x, from_h = F.linear(x_t, weight_ih, bias_ih), F.linear(h_prev, weight_hh, bias_hh)
    gates = torch.sigmoid(from_x[:, : 2 * H] + from_h[:, : 2 * H])
    n = torch.tanh(from_x[:, 2 * H :] + gates[:, :H] * from_h[:, 2 * H :])
    return torch.lerp(n, h_prev, gates[:, H:])


def count_parameters_by_shapes(
    kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size
):
    rows = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind] * hidden_size
    directions = 1 + bidirectional
    state = proj_size if proj_size else hidden_size
    shapes = []
    for layer in range(num_layers):
        below = input_size if layer == 0 else directions * state
        for _ in range(directions):
            shapes += [(rows, below), (rows, state)]
            shapes += [(rows, 1), (rows, 1)] if bias else []
            shapes += [(proj_size, hidden_size)]
    return int(sum(np.prod(shape) for shape in shapes))


def count_parameters_by_layers_apart(
    kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size
):
    gates = {"RNN": 1, "LSTM": 4, "GRU": 3}[kind]
    d, P = (2 if bidirectional else 1), proj_size or hidden_size
    fixed = gates * hidden_size * (P + (2 if bias else 0)) + proj_size * hidden_size
    inputs = gates * hidden_size * (input_size + (num_layers - 1) * d * P)
    return torch.tensor(d * (num_layers * fixed + inputs))


def last_hidden_by_gather(out, lengths):
    index = (lengths - 1).view(-1, 1, 1).expand(-1, 1, out.shape[2])
    return out.gather(1, index).squeeze(1)


def last_hidden_by_loop(out, lengths):
    return torch.stack([states[n - 1] for states, n in zip(out, lengths.tolist(), strict=True)])


def last_hidden_by_mask_in_numpy(out, lengths):
    out, lengths = np.asarray(out), np.asarray(lengths)
    last = np.arange(out.shape[1]) == lengths[:, None] - 1
    return out[last]


def encode_padded_sorted_by_hand(rnn, x, lengths):
    order = lengths.argsort(descending=True)
    packed = pack_padded_sequence(x[order], lengths[order], batch_first=True)
    h_n = rnn(packed)[1]
    encoding = torch.cat([h_n[-2], h_n[-1]], dim=1)
    return encoding[order.argsort()]


def encode_padded_from_both_ends_of_out(rnn, x, lengths):
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    out, _ = pad_packed_sequence(rnn(packed)[0], batch_first=True)
    H = rnn.hidden_size
    forwards = out[torch.arange(len(x)), lengths - 1, :H]
    return torch.hstack([forwards, out[:, 0, H:]])


def encode_padded_one_by_one(rnn, x, lengths):
    rows = []
    for sequence, n in zip(x, lengths, strict=True):
        _, h_n = rnn(sequence[:n])
        rows.append(h_n[-2:].reshape(-1))
    return torch.stack(rows)


def adding_problem_batch_in_numpy(batch_size, T, seed):
    rng = np.random.default_rng(seed)
    x = np.zeros((batch_size, T, 2), dtype=np.float32)
    x[:, :, 0] = rng.random((batch_size, T))
    rows = np.arange(batch_size)
    places = rng.integers(0, T // 2, batch_size), rng.integers(T // 2, T, batch_size)
    y = np.zeros((batch_size, 1), dtype=np.float32)
    for place in places:
        x[rows, place, 1] = 1
        y[:, 0] += x[rows, place, 0]
    return x, y


def adding_problem_batch_by_one_hot_and_global_seed(batch_size, T, seed):
    torch.manual_seed(seed)
    first = F.one_hot(torch.randint(T // 2, (batch_size,)), T)
    second = F.one_hot(torch.randint(T // 2, T, (batch_size,)), T)
    x = torch.stack([torch.rand(batch_size, T), (first + second).float()], dim=-1)
    return x, x.prod(dim=-1).sum(dim=1, keepdim=True)


def set_forget_bias_by_name(lstm, value):
    H = lstm.hidden_size
    ends = ["", "_reverse"] if lstm.bidirectional else [""]
    with torch.no_grad():
        for layer in range(lstm.num_layers):
            for end in ends:
                getattr(lstm, f"bias_ih_l{layer}{end}")[H : 2 * H].fill_(0.0)
                getattr(lstm, f"bias_hh_l{layer}{end}")[H : 2 * H].fill_(value)


def set_forget_bias_half_and_half(lstm, value):
    for name, parameter in lstm.named_parameters():
        if name.startswith("bias"):
            quarter = len(parameter) // 4
            nn.init.constant_(parameter[quarter : 2 * quarter], value / 2)


def set_forget_bias_through_the_state_dict(lstm, value):
    weights = lstm.state_dict()
    for name in weights:
        if "bias" in name:
            weights[name].chunk(4)[1][:] = value if "ih" in name else 0
    lstm.load_state_dict(weights)
    return lstm


def mark_gate_claims_from_pairs():
    return dict(zip("ABCDEFGH", (1, 5, 0, 7, 3, 0, 2, 0), strict=True))


def mark_gate_claims_backwards():
    return {"H": 0, "G": 2, "F": 0, "E": 3, "D": 7, "C": 0, "B": 5, "A": 1}


def lstm_shapes_by_counting(input_size, hidden_size, num_layers, bidirectional, proj_size, T, B):
    if proj_size == 0:
        proj_size = hidden_size
    states = num_layers + num_layers * bidirectional
    return (
        (B, T, proj_size * (1 + int(bidirectional))),
        (states, B, proj_size),
        (states, B, hidden_size),
    )


def lstm_shapes_as_lists(input_size, hidden_size, num_layers, bidirectional, proj_size, T, B):
    h_n = [num_layers, B, proj_size or hidden_size]
    out, c_n = [B, T, h_n[-1]], [num_layers, B, hidden_size]
    if bidirectional:
        out[-1], h_n[0], c_n[0] = 2 * out[-1], 2 * h_n[0], 2 * c_n[0]
    return out, h_n, c_n


def adding_lstm_with_two_units():
    weight_ih = np.zeros((8, 2))
    weight_ih[0:2, 1] = 60.0
    weight_ih[4] = [0.002, 0.0]
    bias = np.array([-30.0, -30, 30, 30, 0, 0.002, 30, 30])  # unit 1 counts the marks
    return weight_ih, np.zeros((8, 2)), bias, np.array([[500.0], [0.0]]), np.zeros(1)


def adding_lstm_by_the_output_gate():
    weight_ih = torch.tensor([[0.0, 50.0], [0.0, 0.0], [0.01, 0.0], [0.0, 0.0]])
    bias = torch.tensor([-25.0, 25.0, 0.0, 0.0])  # half of the memory is shown
    return weight_ih, torch.zeros(4, 1), bias, torch.tensor([[200.0]]), torch.tensor([0.0])


def adding_rnn_with_a_unit_that_stands_high():
    W_xh = np.array([[0.05, 0.0], [-14.0, 0.0]])  # 1, and a twentieth of the value at a mark
    W_hh = np.array([[0.0, 5e-4], [0.0, 1.0]])
    b_h = np.array([14.0, -5e-4])
    # The start is 0 in place of 1: that is -1 too little. Each mark counts -1, and the value.
    return W_xh, W_hh, b_h, np.array([[20.0], [20.0 / 5e-4]]), np.array([3 * 20.0 - 20.0])


def adding_rnn_with_four_units():
    W_xh = torch.zeros(2, 4)
    W_xh[:, 0] = torch.tensor([0.1, 12.0])
    W_xh[1, 1] = 20.0
    W_hh = torch.zeros(4, 4)
    W_hh[0, 2], W_hh[2, 2] = 0.001, 1.0
    b_h = torch.tensor([-12.0, -10.0, 0.001, 0.0])
    return W_xh, W_hh, b_h, torch.tensor([[10.0], [0.0], [10_000.0], [0.0]]), torch.tensor([-20.0])


def memory_derivative_from_the_end(forget_gates):
    kept, result = torch.ones_like(forget_gates[:, 0]), []
    for gate in reversed(forget_gates.unbind(1)):
        result.insert(0, kept)
        kept = kept * gate
    return torch.stack(result, dim=1)


def memory_derivative_in_numpy(forget_gates):
    gates = forget_gates.numpy()
    return np.stack([gates[:, t + 1 :].prod(axis=1) for t in range(gates.shape[1])], axis=1)


def reach_by_grad(rnn, x):
    x = x.detach().requires_grad_(True)
    out, _ = rnn(x)
    (gradient,) = torch.autograd.grad(out[:, -1, :].sum(), x)
    norms = gradient.pow(2).sum(dim=2).sum(dim=0).sqrt()
    return [float(norms[-1 - k] / norms[-1]) for k in range(x.shape[1])]


def reach_from_h_n(rnn, x):
    inputs = [x_t.clone().requires_grad_() for x_t in x.unbind(1)]
    out, _ = rnn(torch.stack(inputs, dim=1))
    out.select(1, -1).sum().backward()
    lengths = torch.stack([x_t.grad.norm() for x_t in inputs[::-1]])
    return lengths / lengths[0]
