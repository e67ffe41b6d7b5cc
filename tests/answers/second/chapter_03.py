"""More answers to the exercises of chapter 3, written when the first had been used for mends."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tests.answers import right, wrong

# lstm_step


@wrong("lstm_step", "the blocks are read in the order f, i, g, o")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    gates = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    f, i, g, o = gates.chunk(4, dim=1)
    c_t = torch.sigmoid(f) * c_prev + torch.sigmoid(i) * torch.tanh(g)
    h_t = torch.sigmoid(o) * torch.tanh(c_t)
    return h_t, c_t


@wrong("lstm_step", "h_t shows the memory itself, without tanh")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    i, f, g, o = sums.chunk(4, dim=1)
    i, f, o = i.sigmoid(), f.sigmoid(), o.sigmoid()
    c_t = f * c_prev + i * g.tanh()
    return o * c_t, c_t


@wrong("lstm_step", "the sums (B, 4H) are reshaped to (4, B, H), which mixes sequences and gates")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    B, H = h_prev.shape
    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    i, f, g, o = sums.reshape(4, B, H)
    c_t = torch.sigmoid(f) * c_prev + torch.sigmoid(i) * torch.tanh(g)
    h_t = torch.sigmoid(o) * torch.tanh(c_t)
    return h_t, c_t


@wrong("lstm_step", "the candidate goes through the sigmoid, like the gates")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    i, f, g, o = torch.sigmoid(sums).chunk(4, dim=1)
    c_t = f * c_prev + i * g
    h_t = o * torch.tanh(c_t)
    return h_t, c_t


@wrong("lstm_step", "bias_hh is left out")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = F.linear(x_t, weight_ih, bias_ih) + F.linear(h_prev, weight_hh)
    i, f, g, o = sums.chunk(4, dim=1)
    c_t = torch.sigmoid(f) * c_prev + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c_t), c_t


@wrong(
    "lstm_step",
    "h_t is read from the old memory",
    "in c_t the input gate and the forget gate have changed places",
)
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    sums = x_t @ weight_ih.T + bias_ih + h_prev @ weight_hh.T + bias_hh
    i, f, g, o = sums.chunk(4, dim=1)
    i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
    h_t = o * torch.tanh(c_prev)
    c_t = i * c_prev + f * g
    return h_t, c_t


@right("lstm_step", "einsum over the blocks, and tanh written as a sigmoid")
def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    H = h_prev.shape[-1]
    from_x = torch.einsum("bd,khd->kbh", x_t, weight_ih.reshape(4, H, -1))
    from_h = torch.einsum("bj,khj->kbh", h_prev, weight_hh.reshape(4, H, H))
    sums = from_x + from_h + (bias_ih + bias_hh).reshape(4, 1, H)
    stretch = sums.new_tensor([1.0, 1.0, 2.0, 1.0]).reshape(4, 1, 1)
    i, f, g, o = (stretch * sums).sigmoid() * stretch - (stretch - 1)
    c_t = torch.addcmul(i * g, f, c_prev)
    return o * torch.tanh(c_t), c_t


# gru_step


@wrong("gru_step", "z and 1 - z have changed places")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    x_r, x_z, x_n = (x_t @ weight_ih.T + bias_ih).chunk(3, dim=1)
    h_r, h_z, h_n = (h_prev @ weight_hh.T + bias_hh).chunk(3, dim=1)
    r = torch.sigmoid(x_r + h_r)
    z = torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    return (1 - z) * h_prev + z * n


@wrong("gru_step", "the reset gate acts on the state before the matrix product")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    H = h_prev.shape[1]
    gi = x_t @ weight_ih.T + bias_ih
    gh = h_prev @ weight_hh.T + bias_hh
    r = torch.sigmoid(gi[:, :H] + gh[:, :H])
    z = torch.sigmoid(gi[:, H : 2 * H] + gh[:, H : 2 * H])
    n = torch.tanh(gi[:, 2 * H :] + (r * h_prev) @ weight_hh[2 * H :].T + bias_hh[2 * H :])
    return (1 - z) * n + z * h_prev


@wrong("gru_step", "the state's bias of the candidate stands outside the reset gate's bracket")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    x_r, x_z, x_n = (x_t @ weight_ih.T + bias_ih + bias_hh).chunk(3, dim=1)
    h_r, h_z, h_n = (h_prev @ weight_hh.T).chunk(3, dim=1)
    r = torch.sigmoid(x_r + h_r)
    z = torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    return (1 - z) * n + z * h_prev


@wrong("gru_step", "the blocks are read in the order z, r, n")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    x_z, x_r, x_n = F.linear(x_t, weight_ih, bias_ih).chunk(3, 1)
    h_z, h_r, h_n = F.linear(h_prev, weight_hh, bias_hh).chunk(3, 1)
    z = torch.sigmoid(x_z + h_z)
    r = torch.sigmoid(x_r + h_r)
    n = torch.tanh(x_n + r * h_n)
    return (1 - z) * n + z * h_prev


@wrong("gru_step", "the reset gate multiplies the input's part of the candidate as well")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    x_sums = x_t @ weight_ih.T + bias_ih
    h_sums = h_prev @ weight_hh.T + bias_hh
    r, z, n = (x_sums + h_sums).chunk(3, dim=1)
    n = torch.tanh(torch.sigmoid(r) * n)
    z = torch.sigmoid(z)
    return (1 - z) * n + z * h_prev


@wrong("gru_step", "the candidate ignores the reset gate", "z is what the candidate gets")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    x_sums = x_t @ weight_ih.T + bias_ih
    h_sums = h_prev @ weight_hh.T + bias_hh
    r, z, n = (x_sums + h_sums).chunk(3, dim=1)
    r, z, n = torch.sigmoid(r), torch.sigmoid(z), torch.tanh(n)
    h_t = z * n + (1 - z) * h_prev
    return h_t


@right("gru_step", "states as columns, gates in one go, and torch.lerp")
def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    H = h_prev.shape[1]
    a = torch.addmm(bias_ih[:, None], weight_ih, x_t.mT)
    b = torch.addmm(bias_hh[:, None], weight_hh, h_prev.mT)
    r, z = torch.special.expit((a + b)[: 2 * H]).unflatten(0, (2, H))
    n = torch.addcmul(a[2 * H :], r, b[2 * H :]).tanh()
    return torch.lerp(n, h_prev.mT, z).mT


# count_parameters


@wrong("count_parameters", "one bias per row is counted, not two")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    G = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    directions = 2 if bidirectional else 1
    state = proj_size if proj_size > 0 else hidden_size
    inputs = input_size
    total = 0
    for _ in range(num_layers):
        per_direction = G * hidden_size * (inputs + state + (1 if bias else 0))
        per_direction += proj_size * hidden_size
        total += directions * per_direction
        inputs = directions * state
    return total


@wrong("count_parameters", "a layer above reads the states of one direction only")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    blocks = {"RNN": 1, "GRU": 3, "LSTM": 4}
    rows = blocks[kind] * hidden_size
    state = proj_size or hidden_size
    biases = 2 if bias else 0
    first = rows * (input_size + state + biases) + proj_size * hidden_size
    above = rows * (state + state + biases) + proj_size * hidden_size
    total = first + (num_layers - 1) * above
    return 2 * total if bidirectional else total


@wrong("count_parameters", "the biases are counted even where bias is False")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    G = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    D = 2 if bidirectional else 1
    state = proj_size if proj_size else hidden_size
    total, inputs = 0, input_size
    for layer in range(num_layers):
        total += D * (G * hidden_size * (inputs + state + 2) + hidden_size * proj_size)
        inputs = D * state
    return total


@wrong("count_parameters", "with a projection the layers above still read H numbers, not P")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    G = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    directions = int(bidirectional) + 1
    recurrent = proj_size if proj_size > 0 else hidden_size
    total = 0
    for layer in range(num_layers):
        inputs = input_size if layer == 0 else hidden_size * directions
        w = G * hidden_size * (inputs + recurrent)
        b = 2 * G * hidden_size if bias else 0
        p = proj_size * hidden_size
        total += (w + b + p) * directions
    return total


@wrong("count_parameters", "the projection's matrix is counted once per layer, not per direction")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    G = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    directions = 2 if bidirectional else 1
    state = proj_size or hidden_size
    total, inputs = 0, input_size
    for _ in range(num_layers):
        total += directions * G * hidden_size * (inputs + state + 2 * bias)
        if proj_size:
            total += proj_size * hidden_size
        inputs = directions * state
    return total


@wrong(
    "count_parameters",
    "every layer is counted as if it read the inputs",
    "a projection adds its matrix but leaves the state at H numbers",
)
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    n = gates * hidden_size * (input_size + hidden_size)
    if bias:
        n += 2 * gates * hidden_size
    if proj_size > 0:
        n += proj_size * hidden_size
    n *= num_layers
    if bidirectional:
        n *= 2
    return n


@right("count_parameters", "a generator lists the shapes of all tensors, products are summed")
def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    rows = dict(RNN=1, GRU=3, LSTM=4)[kind] * hidden_size
    shown = proj_size or hidden_size
    ways = range(1 + bool(bidirectional))

    def shapes(layer):
        if layer < num_layers:
            for _ in ways:
                yield rows, input_size if layer == 0 else len(ways) * shown
                yield rows, shown
                yield from ((rows, 1), (rows, 1)) if bias else ()
                yield proj_size, hidden_size  # an empty one counts nothing
            yield from shapes(layer + 1)

    return sum(height * width for height, width in shapes(0))


# last_hidden


@wrong("last_hidden", "the last column is taken, padding or not")
def last_hidden(out, lengths):
    return out[:, -1, :]


@wrong("last_hidden", "one step too late, except where the sequence fills all steps")
def last_hidden(out, lengths):
    rows = torch.arange(out.shape[0])
    steps = torch.clamp(lengths, max=out.shape[1] - 1)
    return out[rows, steps]


@wrong("last_hidden", "every axis of length one is squeezed away: a batch of one, a single unit")
def last_hidden(out, lengths):
    index = (lengths - 1).view(-1, 1, 1).expand(-1, 1, out.size(2))
    return out.gather(1, index).squeeze()


@wrong("last_hidden", "the lengths are ignored: the last step that is not all zeros is taken")
def last_hidden(out, lengths):
    # the padding is zero, so the last non-zero row is the last valid step
    nonzero = out.abs().sum(dim=2) > 0
    positions = torch.arange(out.shape[1]) * nonzero
    last = positions.max(dim=1).values
    return out[torch.arange(len(out)), last]


@wrong("last_hidden", "the states come back longest sequence first")
def last_hidden(out, lengths):
    lengths, order = lengths.sort(descending=True)
    out = out[order]
    return torch.stack([out[b, int(n) - 1] for b, n in enumerate(lengths)])


@wrong("last_hidden", "one step too early, where there is one", "the time axis is kept, (B, 1, H)")
def last_hidden(out, lengths):
    last = (lengths - 2).clamp(min=0)
    idx = last[:, None, None].expand(-1, -1, out.shape[-1])
    return torch.gather(out, 1, idx)


@right("last_hidden", "a mask that is true at one step of each sequence")
def last_hidden(out, lengths):
    steps_left = lengths.reshape(-1, 1) - torch.arange(out.shape[1], device=lengths.device)
    return out[(steps_left == 1).to(out.device)]


# encode_padded


@wrong("encode_padded", "backwards stands before forwards")
def encode_padded(rnn, x, lengths):
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    _, h_n = rnn(packed)
    return torch.cat([h_n[-1], h_n[-2]], dim=1)


@wrong("encode_padded", "the padding is read: nothing is packed")
def encode_padded(rnn, x, lengths):
    _, h_n = rnn(x)
    return torch.cat((h_n[-2], h_n[-1]), dim=1)


@wrong("encode_padded", "(2, B, H) is reshaped to (B, 2H) without a transpose: sequences mix")
def encode_padded(rnn, x, lengths):
    packed = nn.utils.rnn.pack_padded_sequence(
        x, lengths.cpu(), batch_first=True, enforce_sorted=False
    )
    _, h_n = rnn(packed)
    return h_n[-2:].reshape(x.shape[0], -1)


@wrong("encode_padded", "backwards is taken at the last valid step, where it has read one step")
def encode_padded(rnn, x, lengths):
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    out, _ = rnn(packed)
    out, _ = nn.utils.rnn.pad_packed_sequence(out, batch_first=True)
    return out[torch.arange(len(out)), lengths - 1]


@wrong("encode_padded", "the bottom layer is taken in place of the top one")
def encode_padded(rnn, x, lengths):
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    out, h_n = rnn(packed)
    forward, backward = h_n[0], h_n[1]
    return torch.cat([forward, backward], dim=-1)


@wrong(
    "encode_padded",
    "the encodings come back longest sequence first",
    "the two directions are added, (B, H)",
)
def encode_padded(rnn, x, lengths):
    lengths, order = torch.sort(lengths, descending=True)
    packed = nn.utils.rnn.pack_padded_sequence(x[order], lengths, batch_first=True)
    _, h_n = rnn(packed)
    return h_n[-2] + h_n[-1]


@right("encode_padded", "every sequence runs alone, without a batch axis")
def encode_padded(rnn, x, lengths):
    alone = (sequence[:n] for sequence, n in zip(x, map(int, lengths)))
    return torch.stack([rnn(sequence)[1][-2:].flatten() for sequence in alone])


# set_forget_bias


@wrong("set_forget_bias", "both biases get the value, so that their sum is twice the value")
def set_forget_bias(lstm, value):
    H = lstm.hidden_size
    with torch.no_grad():
        for name, param in lstm.named_parameters():
            if "bias" in name:
                param[H : 2 * H].fill_(value)


@wrong("set_forget_bias", "bias_hh keeps its random numbers and spoils the sum")
def set_forget_bias(lstm, value):
    H = lstm.hidden_size
    with torch.no_grad():
        for name, param in lstm.named_parameters():
            if name.startswith("bias_ih"):
                param[H : 2 * H] = value


@wrong("set_forget_bias", "the backward direction is left as it was")
def set_forget_bias(lstm, value):
    H = lstm.hidden_size
    with torch.no_grad():
        for layer in range(lstm.num_layers):
            getattr(lstm, f"bias_ih_l{layer}")[H : 2 * H] = value
            getattr(lstm, f"bias_hh_l{layer}")[H : 2 * H] = 0.0


@wrong("set_forget_bias", "all of bias_hh becomes 0, the other gates' entries as well")
def set_forget_bias(lstm, value):
    H = lstm.hidden_size
    for name, param in lstm.named_parameters():
        if name.startswith("bias_ih"):
            param.data[H : 2 * H] = value
        elif name.startswith("bias_hh"):
            param.data.zero_()


@wrong("set_forget_bias", "new parameters replace the old ones, which an optimizer still holds")
def set_forget_bias(lstm, value):
    H = lstm.hidden_size
    for name, param in list(lstm.named_parameters()):
        if name.startswith("bias"):
            bias = param.detach().clone()
            bias[H : 2 * H] = value if "ih" in name else 0.0
            setattr(lstm, name, nn.Parameter(bias))


@wrong(
    "set_forget_bias",
    "only the first layer is set",
    "the rest of bias_ih becomes 0",
)
def set_forget_bias(lstm, value):
    n = lstm.bias_ih_l0.size(0)
    start, end = n // 4, n // 2
    with torch.no_grad():
        for name, bias in lstm.named_parameters():
            if not (name.startswith("bias") and "_l0" in name):
                continue
            if "_ih_" in name:
                bias.fill_(0.0)
                bias[start:end].fill_(value)
            else:
                bias[start:end].fill_(0.0)


@right("set_forget_bias", "half of the value in each of the two biases")
def set_forget_bias(lstm, value):
    biases = (p for name, p in lstm.named_parameters() if name.startswith("bias_"))
    for bias in biases:
        nn.init.constant_(bias.detach().unflatten(0, (4, -1))[1], value / 2)


# adding_problem_batch


@wrong("adding_problem_batch", "where T is odd, the last step is never marked")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    half = T // 2
    values = torch.rand(batch_size, T, generator=random)
    first = torch.randint(0, half, (batch_size,), generator=random)
    second = half + torch.randint(0, half, (batch_size,), generator=random)
    marks = torch.zeros(batch_size, T)
    rows = torch.arange(batch_size)
    marks[rows, first] = 1
    marks[rows, second] = 1
    y = (values * marks).sum(dim=1, keepdim=True)
    return torch.stack([values, marks], dim=2), y


@wrong("adding_problem_batch", "all sequences of a batch are marked at the same two steps")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values = torch.rand(batch_size, T, generator=random)
    marks = torch.zeros(batch_size, T)
    first = torch.randint(0, T // 2, (1,), generator=random).item()
    second = torch.randint(T // 2, T, (1,), generator=random).item()
    marks[:, first] = 1
    marks[:, second] = 1
    x = torch.stack((values, marks), dim=-1)
    y = (values * marks).sum(dim=1).unsqueeze(1)
    return x, y


@wrong("adding_problem_batch", "the marks do not follow from the seed, only the values do")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values = torch.rand(batch_size, T, generator=random)
    marks = torch.zeros(batch_size, T)
    rows = torch.arange(batch_size)
    marks[rows, torch.randint(0, T // 2, (batch_size,))] = 1
    marks[rows, torch.randint(T // 2, T, (batch_size,))] = 1
    y = (values * marks).sum(1, keepdim=True)
    return torch.stack([values, marks], dim=2), y


@wrong("adding_problem_batch", "y has the shape (B,)")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    x = torch.zeros(batch_size, T, 2)
    x[:, :, 0] = torch.rand(batch_size, T, generator=random)
    rows = torch.arange(batch_size)
    x[rows, torch.randint(0, T // 2, (batch_size,), generator=random), 1] = 1.0
    x[rows, torch.randint(T // 2, T, (batch_size,), generator=random), 1] = 1.0
    y = (x[:, :, 0] * x[:, :, 1]).sum(dim=1)
    return x, y


@wrong("adding_problem_batch", "both marks may stand anywhere, also in the same half")
def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values = torch.rand(batch_size, T, generator=random)
    marks = torch.zeros(batch_size, T)
    for b in range(batch_size):
        two = torch.randperm(T, generator=random)[:2]
        marks[b, two] = 1.0
    y = (values * marks).sum(dim=1, keepdim=True)
    x = torch.cat([values.unsqueeze(2), marks.unsqueeze(2)], dim=2)
    return x, y


@wrong(
    "adding_problem_batch",
    "the values are standard normal, not uniform",
    "y is the mean of the two marked values",
)
def adding_problem_batch(batch_size, T, seed):
    g = torch.Generator().manual_seed(seed)
    values = torch.randn(batch_size, T, generator=g)
    p1 = torch.randint(0, T // 2, (batch_size,), generator=g)
    p2 = torch.randint(T // 2, T, (batch_size,), generator=g)
    idx = torch.arange(batch_size)
    marks = torch.zeros(batch_size, T)
    marks[idx, p1] = 1.0
    marks[idx, p2] = 1.0
    y = (values[idx, p1] + values[idx, p2]) / 2
    return torch.stack([values, marks], dim=-1), y[:, None]


@right("adding_problem_batch", "the largest of random scores in each half is marked")
def adding_problem_batch(batch_size, T, seed):
    source = torch.Generator()
    source.manual_seed(seed)
    values, scores = torch.rand(2, batch_size, T, generator=source)
    halves = scores.tensor_split([T // 2], dim=1)
    hot = [F.one_hot(half.argmax(dim=1), half.shape[1]) for half in halves]
    x = torch.stack([values, torch.cat(hot, dim=1).to(values)], dim=2)
    return x, torch.einsum("bt,bt->b", *x.unbind(2)).reshape(-1, 1)


# mark_gate_claims


@wrong("mark_gate_claims", "A gets the correction about the output gate, which fits nothing")
def mark_gate_claims():
    return {"A": 4, "B": 5, "C": 0, "D": 7, "E": 3, "F": 0, "G": 2, "H": 0}


@wrong("mark_gate_claims", "E gets the correction of G")
def mark_gate_claims():
    return {"A": 1, "B": 5, "C": 0, "D": 7, "E": 2, "F": 0, "G": 2, "H": 0}


@wrong("mark_gate_claims", "G gets the correction about the plain RNN, which fits nothing")
def mark_gate_claims():
    return {"A": 1, "B": 5, "C": 0, "D": 7, "E": 3, "F": 0, "G": 6, "H": 0}


@wrong("mark_gate_claims", "D is taken for right")
def mark_gate_claims():
    return {"A": 1, "B": 5, "C": 0, "D": 0, "E": 3, "F": 0, "G": 2, "H": 0}


@wrong("mark_gate_claims", "F is taken for wrong")
def mark_gate_claims():
    return dict(A=1, B=5, C=0, D=7, E=3, F=3, G=2, H=0)


@wrong("mark_gate_claims", "C is taken for wrong", "E is taken for right")
def mark_gate_claims():
    answers = {}
    answers["A"] = 1
    answers["B"] = 5
    answers["C"] = 6
    answers["D"] = 7
    answers["E"] = 0
    answers["F"] = 0
    answers["G"] = 2
    answers["H"] = 0
    return answers


@right("mark_gate_claims", "the digits of one text, letter by letter")
def mark_gate_claims():
    letters = (chr(ord("A") + n) for n in range(8))
    return dict(zip(letters, map(int, "15073020"), strict=True))
