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
