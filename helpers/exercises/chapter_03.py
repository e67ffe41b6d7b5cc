"""The exercises of chapter 3, LSTM and GRU.

Symbols: B sequences in a batch, T time steps, D input size, H hidden size. The matrices of a cell
lie one upon the other as PyTorch stores them: `weight_ih` (4H, D) of an LSTM, (3H, D) of a GRU.
"""

import copy

import numpy as np
import torch
from torch import nn
from torch.nn.utils import rnn as sequences

from helpers.exercises import drivers
from helpers.exercises.chapter_01 import normal
from helpers.exercises.checking import Exercise, Mistake
from helpers.exercises.clinic import claims_exercise

# --- lstm_step ------------------------------------------------------------------------------------


def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    cell = nn.LSTMCell(x_t.shape[1], h_prev.shape[1])
    weights = {"weight_ih": weight_ih, "weight_hh": weight_hh}
    weights |= {"bias_ih": bias_ih, "bias_hh": bias_hh}
    return torch.func.functional_call(cell, weights, (x_t, (h_prev, c_prev)))


def cell_cases(gates, states):
    """Return cases for one step of a cell with so many gates and parts of its state."""

    def cases(rng):
        sizes = [(2, 3, 4), (1, 1, 1), (5, 4, 4), (4, 2, 3), (1, 6, 2)]  # B, D, H
        sizes += [tuple(rng.integers(2, 8, size=3)) for _ in range(7)]
        return [
            {
                "x_t": normal(rng, B, D),
                **{state: normal(rng, B, H).clip(-1, 1) for state in states},
                "weight_ih": normal(rng, gates * H, D),
                "weight_hh": normal(rng, gates * H, H),
                "bias_ih": normal(rng, gates * H),
                "bias_hh": normal(rng, gates * H),
            }
            for B, D, H in sizes
        ]

    return cases


def lstm_by(
    order="ifgo",
    new=torch.tanh,
    memory=lambda i, f, g, c: f * c + i * g,
    state=lambda o, c, old: o * torch.tanh(c),
    biases=lambda b_ih, b_hh: b_ih + b_hh,
    total=lambda x, h, W_ih, W_hh: x @ W_ih.T + h @ W_hh.T,
    gate=torch.sigmoid,
    cut=lambda sums: sums.chunk(4, dim=1),
):
    """Return an `lstm_step` that departs from the right one in one place."""

    def step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
        sums = total(x_t, h_prev, weight_ih, weight_hh) + biases(bias_ih, bias_hh)
        a, b, c, d = cut(sums)
        gates = dict(zip(order, (a, b, c, d), strict=True))
        i, f, o = (gate(gates[name]) for name in "ifo")
        c_t = memory(i, f, new(gates["g"]), c_prev)
        return state(o, c_t, c_prev), c_t

    return step


def h_and_c_change_places(x_t, h_prev, c_prev, *weights):
    return lstm_step(x_t, c_prev, h_prev, *weights)


LSTM_STEP = Exercise(
    name="lstm_step",
    title="one step of an LSTM",
    points=3,
    outputs={"h_t": "B H", "c_t": "B H"},
    cases=cell_cases(gates=4, states=("h_prev", "c_prev")),
    drive=drivers.call,
    reference=lstm_step,
    against="`nn.LSTMCell`",
    mistakes=(
        Mistake(
            "The forget gate and the input gate are swapped: PyTorch stacks i, f, g, o.",
            lstm_by(order="figo"),
        ),
        Mistake(
            "The candidate g and the output gate o are swapped: PyTorch stacks i, f, g, o.",
            lstm_by(order="ifog"),
        ),
        Mistake(
            "The gates are taken in the order of the equations in many books, f, i, o, g. "
            "PyTorch stacks i, f, g, o.",
            lstm_by(order="fiog"),
        ),
        Mistake(
            "Input and forget gate do each other's work: f goes with the old memory `c_prev`, "
            "i with the candidate g.",
            lstm_by(memory=lambda i, f, g, c: i * c + f * g, order="fgio"),
        ),
        Mistake(
            "The pair is returned as (c_t, h_t). Return h first: `h_t, c_t`.",
            lambda *a: tuple(reversed(lstm_step(*a))),
        ),
        Mistake(
            "h and c are confused on the way in: the gates look at `h_prev`, and what the forget "
            "gate keeps is `c_prev`.",
            h_and_c_change_places,
        ),
        Mistake(
            "The forget gate multiplies `h_prev`. It keeps the memory, `c_prev`.",
            lambda x, h, c, *w: lstm_step(x, h, h, *w),
        ),
        Mistake(
            "The output gate acts before `tanh`. Equation 3.4 squashes the memory first: "
            "o times tanh(c).",
            lstm_by(state=lambda o, c, old: torch.tanh(o * c)),
        ),
        Mistake(
            "The memory leaves without `tanh`: equation 3.4 is o times tanh(c).",
            lstm_by(state=lambda o, c, old: o * c),
        ),
        Mistake(
            "h_t is made from the old memory. Update c first, then let the output gate show it.",
            lstm_by(state=lambda o, c, old: o * torch.tanh(old)),
        ),
        Mistake(
            "The candidate g goes through a sigmoid. It is the one of the four that takes `tanh`: "
            "what is written may be negative.",
            lstm_by(new=torch.sigmoid),
        ),
        Mistake(
            "The candidate g is not squashed. It takes `tanh`.",
            lstm_by(new=lambda total: total),
        ),
        Mistake(
            "The input gate is missing: the candidate is written whole. Equation 3.3 is "
            "f times c plus i times g.",
            lstm_by(memory=lambda i, f, g, c: f * c + g),
        ),
        Mistake(
            "The forget gate is missing: the old memory is kept whole. Equation 3.3 is "
            "f times c plus i times g.",
            lstm_by(memory=lambda i, f, g, c: c + i * g),
        ),
        Mistake(
            "1 - f of the old memory is kept. In spite of its name, f is the share that stays.",
            lstm_by(memory=lambda i, f, g, c: (1 - f) * c + i * g),
        ),
        Mistake(
            "The gates are not squashed. Each of i, f and o goes through a sigmoid.",
            lstm_by(gate=lambda total: total),
        ),
        Mistake(
            "The gates lie in blocks of H, one behind the other, not by turns: use `chunk`.",
            lstm_by(cut=lambda sums: [sums[:, k::4] for k in range(4)]),
        ),
        Mistake(
            "What is written is tied to what is forgotten, 1 - f. An LSTM has an input gate for "
            "it; the tie is the GRU's.",
            lstm_by(memory=lambda i, f, g, c: f * c + (1 - f) * g),
        ),
        Mistake(
            "`bias_hh` is missing. PyTorch has two biases, and both are added.",
            lstm_by(biases=lambda b_ih, b_hh: b_ih),
        ),
        Mistake(
            "`bias_ih` is missing. PyTorch has two biases, and both are added.",
            lstm_by(biases=lambda b_ih, b_hh: b_hh),
        ),
        Mistake(
            "Both biases are missing from the sums.",
            lstm_by(biases=lambda b_ih, b_hh: 0.0),
        ),
        Mistake(
            "The matrices are stored outputs first, (4H, D) and (4H, H): multiply by `.T`.",
            lstm_by(total=lambda x, h, W_ih, W_hh: x @ W_ih + h @ W_hh),
            also=(lstm_by(total=lambda x, h, W_ih, W_hh: x @ W_ih.T + h @ W_hh),),
        ),
        Mistake(
            "`chunk` cuts along the batch unless you name the axis. The gates stand side by side "
            "along axis 1: `chunk(4, dim=1)`.",
            lstm_by(cut=lambda sums: sums.chunk(4, dim=0)),
        ),
    ),
)

# --- gru_step -------------------------------------------------------------------------------------


def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    cell = nn.GRUCell(x_t.shape[1], h_prev.shape[1])
    weights = {"weight_ih": weight_ih, "weight_hh": weight_hh}
    weights |= {"bias_ih": bias_ih, "bias_hh": bias_hh}
    return torch.func.functional_call(cell, weights, (x_t, h_prev))


def gru_by(
    order="rzn",
    candidate=lambda r, from_x, from_h: torch.tanh(from_x + r * from_h),
    mix=lambda z, n, h: (1 - z) * n + z * h,
    first_bias=1,
    second_bias=1,
):
    """Return a `gru_step` that departs from the right one in one place."""

    def step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
        from_x = (x_t @ weight_ih.T + first_bias * bias_ih).chunk(3, dim=1)
        from_h = (h_prev @ weight_hh.T + second_bias * bias_hh).chunk(3, dim=1)
        x, h = dict(zip(order, from_x, strict=True)), dict(zip(order, from_h, strict=True))
        r, z = torch.sigmoid(x["r"] + h["r"]), torch.sigmoid(x["z"] + h["z"])
        return mix(z, candidate(r, x["n"], h["n"]), h_prev)

    return step


def reset_before_the_product(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    x_r, x_z, x_n = (x_t @ weight_ih.T + bias_ih).chunk(3, dim=1)
    W_hr, W_hz, W_hn = weight_hh.chunk(3)
    b_hr, b_hz, b_hn = bias_hh.chunk(3)
    r = torch.sigmoid(x_r + h_prev @ W_hr.T + b_hr)
    z = torch.sigmoid(x_z + h_prev @ W_hz.T + b_hz)
    n = torch.tanh(x_n + (r * h_prev) @ W_hn.T + b_hn)
    return (1 - z) * n + z * h_prev


def reset_spares_the_bias(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    x_r, x_z, x_n = (x_t @ weight_ih.T + bias_ih).chunk(3, dim=1)
    h_r, h_z, h_n = (h_prev @ weight_hh.T).chunk(3, dim=1)
    b_hr, b_hz, b_hn = bias_hh.chunk(3)
    r, z = torch.sigmoid(x_r + h_r + b_hr), torch.sigmoid(x_z + h_z + b_hz)
    return (1 - z) * torch.tanh(x_n + r * h_n + b_hn) + z * h_prev


GRU_STEP = Exercise(
    name="gru_step",
    title="one step of a GRU",
    points=2,
    outputs={"h_t": "B H"},
    cases=cell_cases(gates=3, states=("h_prev",)),
    drive=drivers.call,
    reference=gru_step,
    against="`nn.GRUCell`",
    mistakes=(
        Mistake(
            "z and 1 - z are swapped: in PyTorch z says how much of the old state stays.",
            gru_by(mix=lambda z, n, h: z * n + (1 - z) * h),
        ),
        Mistake(
            "The reset gate acts before the matrix product, as in the paper of 2014. In PyTorch "
            "it acts after: r times (h W + b).",
            reset_before_the_product,
        ),
        Mistake(
            "The reset gate spares `bias_hh`. Equation 3.6 has the bias inside the bracket that r "
            "multiplies.",
            reset_spares_the_bias,
        ),
        Mistake(
            "Reset and update gate are swapped: PyTorch stacks r, z, n.",
            gru_by(order="zrn"),
        ),
        Mistake(
            "The candidate is taken from the first block: PyTorch stacks r, z, n.",
            gru_by(order="nrz"),
            also=(gru_by(order="nzr"),),
        ),
        Mistake(
            "The reset gate multiplies the whole sum. It resets what comes from the old state "
            "only, not the input's part.",
            gru_by(candidate=lambda r, from_x, from_h: torch.tanh(r * (from_x + from_h))),
        ),
        Mistake(
            "The reset gate is not used: the candidate sees the whole old state.",
            gru_by(candidate=lambda r, from_x, from_h: torch.tanh(from_x + from_h)),
        ),
        Mistake(
            "The update gate is not used: this returns the candidate.",
            gru_by(mix=lambda z, n, h: n),
        ),
        Mistake(
            "The candidate is added whole. It takes the share that the old state leaves, 1 - z.",
            gru_by(mix=lambda z, n, h: n + z * h),
        ),
        Mistake(
            "The old state is kept whole. Its share is z.",
            gru_by(mix=lambda z, n, h: (1 - z) * n + h),
        ),
        Mistake(
            "The candidate goes through a sigmoid. It is the one of the three that takes `tanh`.",
            gru_by(candidate=lambda r, from_x, from_h: torch.sigmoid(from_x + r * from_h)),
        ),
        Mistake(
            "The candidate is not squashed. It takes `tanh`.",
            gru_by(candidate=lambda r, from_x, from_h: from_x + r * from_h),
        ),
        Mistake(
            "`bias_hh` is missing. PyTorch has two biases, and both are added.",
            gru_by(second_bias=0),
        ),
        Mistake(
            "`bias_ih` is missing. PyTorch has two biases, and both are added.",
            gru_by(first_bias=0),
        ),
    ),
)

# --- count_parameters -----------------------------------------------------------------------------


def count_parameters(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
    settings = {"bidirectional": bidirectional, "bias": bias}
    settings |= {"proj_size": proj_size} if proj_size else {}
    module = getattr(nn, kind)(input_size, hidden_size, num_layers, **settings)
    return sum(parameter.numel() for parameter in module.parameters())


def parameter_cases(rng):
    def case(kind, layers, bidirectional, bias, projected=False):
        D, H = rng.permutation(range(4, 20))[:2].tolist()
        P = int(rng.integers(2, H)) if projected else 0
        return {
            "kind": kind,
            "input_size": D,
            "hidden_size": H,
            "num_layers": layers,
            "bidirectional": bidirectional,
            "bias": bias,
            "proj_size": P,
        }

    plain = [case(kind, 1, False, True) for kind in ("RNN", "LSTM", "GRU")]
    deep = [
        case(kind, int(rng.integers(2, 4)), bidirectional, bool(rng.integers(2)))
        for kind in ("LSTM", "GRU")
        for bidirectional in (False, True)
    ]
    without_bias = [case("GRU", 1, False, False), case("RNN", 2, True, False)]
    projected = [
        case("LSTM", 1, False, True, True),
        case("LSTM", 3, False, True, True),
        case("LSTM", 2, True, False, True),
    ]
    return plain + without_bias + deep + projected


def parameters_by_rule(
    gates=(1, 3, 4),
    biases=2,
    heeds_bias=True,
    directions_below=True,
    upper_layers_read_x=False,
    directions=True,
    state=lambda H, P: P or H,
    below=lambda H, P: P or H,
    only_first_layer=False,
    projections=lambda layers, directions: layers * directions,
    state_per_direction=False,
):
    """Return a `count_parameters` that departs from the right rule in one place."""

    def rule(kind, input_size, hidden_size, num_layers, bidirectional, bias, proj_size):
        H, P = hidden_size, proj_size
        rows = dict(zip(("RNN", "GRU", "LSTM"), gates, strict=True))[kind] * H
        both = 2 if bidirectional else 1
        total, read = 0, input_size
        for _ in range(1 if only_first_layer else num_layers):
            back = state(H, P) * (both if state_per_direction else 1)
            one = rows * (read + back + (biases if bias or not heeds_bias else 0))
            total += (both if directions else 1) * one
            if not upper_layers_read_x:
                read = below(H, P) * (both if directions_below else 1)
        return total + H * P * projections(num_layers, both)

    return rule


COUNT_PARAMETERS = Exercise(
    name="count_parameters",
    title="the number of parameters of an RNN, LSTM or GRU",
    points=2,
    outputs={"number of parameters": ""},
    cases=parameter_cases,
    drive=drivers.call,
    tolerance=0.0,
    reference=count_parameters,
    against="the modules themselves, with and without layers, directions, bias and projection,",
    mistakes=(
        Mistake(
            "PyTorch has two biases per gate, `bias_ih` and `bias_hh`: count both.",
            parameters_by_rule(biases=1),
        ),
        Mistake(
            "With `bias=False` there is no bias at all.",
            parameters_by_rule(heeds_bias=False),
        ),
        Mistake(
            "The biases are missing: two of gates times H numbers per layer and direction.",
            parameters_by_rule(biases=0),
        ),
        Mistake(
            "A GRU has three blocks, two gates and the candidate.",
            parameters_by_rule(gates=(1, 2, 4)),
            also=(parameters_by_rule(gates=(1, 4, 4)),),
        ),
        Mistake(
            "An LSTM has four blocks, three gates and the candidate.",
            parameters_by_rule(gates=(1, 3, 3)),
        ),
        Mistake(
            "Every block has H rows, and there are three of them in a GRU, four in an LSTM: "
            "multiply by the number of blocks.",
            parameters_by_rule(gates=(1, 1, 1)),
        ),
        Mistake(
            "Three and four are swapped: a GRU has three blocks, an LSTM four.",
            parameters_by_rule(gates=(1, 4, 3)),
        ),
        Mistake(
            "Gates are counted without the candidate: an LSTM has four blocks, a GRU three.",
            parameters_by_rule(gates=(1, 2, 3)),
        ),
        Mistake(
            "The second layer reads the states below it, not `x`: its input size is that of a "
            "state.",
            parameters_by_rule(upper_layers_read_x=True),
        ),
        Mistake(
            "Above a bidirectional layer the input is twice as wide: both directions, side by "
            "side.",
            parameters_by_rule(directions_below=False),
        ),
        Mistake(
            "`bidirectional` is ignored: a second set of weights reads backwards.",
            parameters_by_rule(directions=False, directions_below=False),
        ),
        Mistake(
            "The layers above read both directions, as you say. But there are two sets of weights "
            "in every layer then: count each layer twice.",
            parameters_by_rule(directions=False),
        ),
        Mistake(
            "Each direction has a state of its own, of H numbers. Only the layer above reads both.",
            parameters_by_rule(state_per_direction=True),
        ),
        Mistake(
            "Only the first layer is counted.",
            parameters_by_rule(only_first_layer=True),
        ),
        Mistake(
            "The projection's own matrix is missing: P times H per layer and direction.",
            parameters_by_rule(projections=lambda layers, directions: 0),
        ),
        Mistake(
            "The projection's matrix, P times H, is counted once. Each layer and direction has "
            "one.",
            parameters_by_rule(projections=lambda layers, directions: 1),
            also=(
                parameters_by_rule(projections=lambda layers, directions: layers),
                parameters_by_rule(projections=lambda layers, directions: directions),
            ),
        ),
        Mistake(
            "The projection's matrix is counted, but the states are still taken for H numbers: "
            "they have P then, for `weight_hh` and for the layer above.",
            parameters_by_rule(state=lambda H, P: H, below=lambda H, P: H),
        ),
        Mistake(
            "With a projection the state that comes back has P numbers, so `weight_hh` has P "
            "columns.",
            parameters_by_rule(state=lambda H, P: H),
        ),
        Mistake(
            "With a projection the layer above reads P numbers per direction, not H.",
            parameters_by_rule(below=lambda H, P: H),
        ),
        Mistake(
            "`proj_size` is ignored. It shortens the states to P numbers and brings a matrix.",
            parameters_by_rule(
                state=lambda H, P: H, below=lambda H, P: H, projections=lambda layers, directions: 0
            ),
        ),
    ),
)

# --- last_hidden ----------------------------------------------------------------------------------


def last_hidden(out, lengths):
    parts = sequences.unpad_sequence(out, lengths, batch_first=True)
    return torch.stack([part[-1] for part in parts])


def padded_lengths(rng, B, T):
    """Return B lengths from 1 to T; from B = 2 on the shortest stands before the longest."""
    lengths = rng.integers(1, T + 1, size=B)
    if B > 1:
        lengths[np.sort(rng.permutation(B)[:2])] = 1, T
    return lengths


def last_cases(rng):
    sizes = [(3, 5, 4), (4, 6, 4), (4, 4, 3), (1, 4, 3), (5, 3, 2), (2, 1, 3)]  # B, T, H
    sizes += [tuple(rng.integers(3, 8, size=3)) for _ in range(6)]
    return [
        {"out": normal(rng, B, T, H), "lengths": padded_lengths(rng, B, T)} for B, T, H in sizes
    ]


def valid(out, lengths):
    """Return a mask (B, T, 1): 1 at the steps of each sequence, 0 in its padding."""
    return (torch.arange(out.shape[1]) < lengths[:, None])[:, :, None].to(out.dtype)


def rows(out):
    return torch.arange(len(out))


LAST_HIDDEN = Exercise(
    name="last_hidden",
    title="the last state of every sequence of a padded batch",
    points=1,
    outputs={"last": "B H"},
    cases=last_cases,
    drive=drivers.call,
    reference=last_hidden,
    against="PyTorch's `unpad_sequence` and the last row of each part",
    mistakes=(
        Mistake(
            "`out[:, -1]` is the last step of the padded batch. For a shorter sequence that is "
            "padding.",
            lambda out, lengths: out[:, -1],
        ),
        Mistake(
            "Off by one: the last step of a sequence of length n has the index n - 1.",
            lambda out, lengths: out[rows(out), lengths],
            also=(lambda out, lengths: out[rows(out), lengths.clamp(max=out.shape[1] - 1)],),
        ),
        Mistake(
            "Off by one: this is the step before the last.",
            lambda out, lengths: out[rows(out), lengths - 2],
        ),
        Mistake(
            "`out[:, lengths - 1]` takes every sequence at the length of every other, (B, B, H). "
            "Index both axes: `out[torch.arange(B), lengths - 1]`.",
            lambda out, lengths: out[:, lengths - 1],
        ),
        Mistake(
            "`out[lengths - 1]` picks sequences, not steps. Time is axis 1.",
            lambda out, lengths: out[lengths - 1],
        ),
        Mistake(
            "This is the mean over the valid steps. Only the last is asked for.",
            lambda out, lengths: (out * valid(out, lengths)).sum(1) / lengths[:, None],
        ),
        Mistake(
            "This is the mean over all steps, padding included.",
            lambda out, lengths: out.mean(dim=1),
        ),
        Mistake(
            "This takes every sequence at the length of the first.",
            lambda out, lengths: out[:, lengths[0] - 1],
        ),
        Mistake(
            "This is the first step of every sequence.",
            lambda out, lengths: out[:, 0],
        ),
        Mistake(
            "`gather` was given one index per sequence, so it took one of the H numbers only. "
            "Expand the index to (B, 1, H).",
            lambda out, lengths: out.gather(1, (lengths - 1)[:, None, None])[:, 0],
        ),
        Mistake(
            "`gather` keeps the axis that it gathers along, (B, 1, H). Take it out: `[:, 0]`.",
            lambda out, lengths: out.gather(
                1, (lengths - 1)[:, None, None].expand(-1, 1, out.shape[2])
            ),
        ),
        Mistake(
            "The two indices are swapped: the batch is axis 0 of `out`, time is axis 1.",
            lambda out, lengths: out[lengths - 1, rows(out)],
        ),
    ),
)

# --- encode_padded --------------------------------------------------------------------------------


def encode_padded(rnn, x, lengths):
    alone = [rnn(x[b : b + 1, :n])[1][-2:, 0] for b, n in enumerate(lengths.tolist())]
    return torch.stack([states.flatten() for states in alone])


def encode_cases(rng):
    sizes = [(3, 5, 3, 4, 2), (4, 6, 2, 3, 1), (1, 5, 3, 2, 1), (3, 1, 3, 2, 2)]  # B, T, D, H, L
    sizes += [(*rng.integers(3, 7, size=4).tolist(), layers) for layers in (2, 1, 2)]
    cases = []
    for number, (B, T, D, H, layers) in enumerate(sizes):
        lengths = padded_lengths(rng, B, T)
        if number == 4:
            lengths = np.sort(lengths)[::-1].copy()
        x = normal(rng, B, T, D)
        for sequence, n in zip(x, lengths, strict=True):
            sequence[n:] = 0
        seed = int(rng.integers(2**31))
        cases.append(
            {"x": x, "lengths": lengths, "hidden_size": H, "num_layers": layers, "seed": seed}
        )
    return cases


def packed(rnn, x, lengths, enforce_sorted=False):
    """Return all states (B, T, 2H), zero in the padding, and the last states (2L, B, H)."""
    packed_x = sequences.pack_padded_sequence(
        x, lengths, batch_first=True, enforce_sorted=enforce_sorted
    )
    out, h_n = rnn(packed_x)
    return sequences.pad_packed_sequence(out, batch_first=True, total_length=x.shape[1])[0], h_n


def both_directions(h_n):
    return torch.cat([h_n[-2], h_n[-1]], dim=1)


def both_in_the_batch(h_n):
    return torch.cat([h_n[:, -2], h_n[:, -1]], dim=1)


def from_both_ends(out, lengths):
    forwards, backwards = out.chunk(2, dim=2)
    return torch.cat([last_hidden(forwards, lengths), backwards[:, 0]], dim=1)


def without_batch_first(rnn, x, lengths):
    packed_x = sequences.pack_padded_sequence(x, lengths, enforce_sorted=False)
    return both_directions(rnn(packed_x)[1])


def expects_a_pair(rnn, x, lengths):
    packed_x = sequences.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    _, (h_n, _) = rnn(packed_x)
    return both_directions(h_n)


def left_in_order_of_length(rnn, x, lengths):
    order = lengths.argsort(descending=True)
    return both_directions(packed(rnn, x[order], lengths[order])[1])


def masked_mean(rnn, x, lengths):
    out, _ = packed(rnn, x, lengths)
    return out.sum(dim=1) / lengths[:, None]


ENCODE_PADDED = Exercise(
    name="encode_padded",
    title="encode a padded batch in both directions",
    points=3,
    outputs={"encoding": "B 2H"},
    cases=encode_cases,
    drive=drivers.call_encode_padded,
    reference=encode_padded,
    against="the same network run on each sequence alone",
    mistakes=(
        Mistake(
            "`out[:, -1]` of a padded batch: for shorter sequences this is a state that has read "
            "padding.",
            lambda rnn, x, lengths: rnn(x)[0][:, -1],
        ),
        Mistake(
            "`pack_padded_sequence` expects the longest sequence first unless you say "
            "`enforce_sorted=False`.",
            lambda rnn, x, lengths: both_directions(packed(rnn, x, lengths, True)[1]),
        ),
        Mistake(
            "This is the mean over all steps, padding included.",
            lambda rnn, x, lengths: rnn(x)[0].mean(dim=1),
            also=(
                lambda rnn, x, lengths: packed(rnn, x, lengths)[0].mean(dim=1),
                lambda rnn, x, lengths: rnn(x)[0].sum(dim=1) / lengths[:, None],
            ),
        ),
        Mistake(
            "This is the mean over the valid steps. Right about the padding, but the exercise asks "
            "for the last state of each direction.",
            masked_mean,
        ),
        Mistake(
            "`h_n` of the padded batch: forwards it has read the padding last, backwards it has "
            "read it first. Pack the batch before the network reads it.",
            lambda rnn, x, lengths: both_directions(rnn(x)[1]),
        ),
        Mistake(
            "Forwards this is right. The backward half has read the padding, and then a single "
            "step. Pack the batch, and take `h_n`.",
            lambda rnn, x, lengths: last_hidden(rnn(x)[0], lengths),
        ),
        Mistake(
            "Forwards this is right, and step 0 is where the backward network ends. But on its way "
            "there it has read the padding first. Pack the batch.",
            lambda rnn, x, lengths: from_both_ends(rnn(x)[0], lengths),
        ),
        Mistake(
            "Forwards this is right. But at its last step the backward network has only begun: "
            "it ends at step 0. Take `h_n`.",
            lambda rnn, x, lengths: last_hidden(packed(rnn, x, lengths)[0], lengths),
        ),
        Mistake(
            "`out[:, -1]` of a packed batch: for shorter sequences the filled-up states are 0.",
            lambda rnn, x, lengths: packed(rnn, x, lengths)[0][:, -1],
        ),
        Mistake(
            "Only one direction. Put `h_n[-2]`, forwards, and `h_n[-1]`, backwards, side by side.",
            lambda rnn, x, lengths: packed(rnn, x, lengths)[1][-1],
            also=(lambda rnn, x, lengths: packed(rnn, x, lengths)[1][-2],),
        ),
        Mistake(
            "`pack_padded_sequence` takes the batch for time unless you say `batch_first=True`.",
            without_batch_first,
        ),
        Mistake(
            "This joins forwards and backwards one behind the other, (2B, H). Join them along the "
            "features: `torch.cat(..., dim=1)`.",
            lambda rnn, x, lengths: packed(rnn, x, lengths)[1][-2:].flatten(0, 1),
        ),
        Mistake(
            "The two directions are returned as a pair. Join them: `torch.cat(..., dim=1)`.",
            lambda rnn, x, lengths: tuple(packed(rnn, x, lengths)[1][-2:]),
        ),
        Mistake(
            "`h_n` is never batch first: its axes are (2 · layers, B, H). `h_n[-2]` is a direction "
            "of the top layer, `h_n[:, -2]` is a sequence.",
            lambda rnn, x, lengths: both_in_the_batch(packed(rnn, x, lengths)[1]),
        ),
        Mistake(
            "A GRU returns its state alone, not a pair: `out, h_n = rnn(packed)`.",
            expects_a_pair,
        ),
        Mistake(
            "The directions are swapped: forwards, `h_n[-2]`, comes first.",
            lambda rnn, x, lengths: both_directions(packed(rnn, x, lengths)[1].flip(0)[:2]),
        ),
        Mistake(
            "These are the states of the lowest layer. The top layer's are the last two of `h_n`.",
            lambda rnn, x, lengths: both_directions(packed(rnn, x, lengths)[1][:2]),
        ),
        Mistake(
            "The rows are in order of length. Bring them back into the order of the batch, or let "
            "`enforce_sorted=False` do both.",
            left_in_order_of_length,
        ),
        Mistake(
            "`reshape` mixes the sequences: it reads (2, B, H) row by row. Put the two directions "
            "side by side with `torch.cat(..., dim=1)`.",
            lambda rnn, x, lengths: packed(rnn, x, lengths)[1][-2:].reshape(len(x), -1),
        ),
        Mistake(
            "The directions stand one behind the other, (2, B, H). Put them side by side, (B, 2H).",
            lambda rnn, x, lengths: packed(rnn, x, lengths)[1][-2:],
        ),
    ),
)

# --- adding_problem_batch -------------------------------------------------------------------------

ENOUGH = 8000  # sequences: a frequency is then right to 0.006, and 0.06 off is ten times that


def adding_problem_batch(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values = torch.rand(batch_size, T, generator=random)
    chances = torch.ones(batch_size, T)
    chances[:, T // 2 :] = 0
    first = chances.multinomial(1, generator=random)
    second = (1 - chances).multinomial(1, generator=random)
    marks = torch.zeros(batch_size, T).scatter(1, torch.cat([first, second], dim=1), 1.0)
    return batch_of(values, marks)


def adding_by(
    values=lambda B, T, random: torch.rand(B, T, generator=random),
    first=lambda B, T, random: torch.randint(0, T // 2, (B,), generator=random),
    second=lambda B, T, random: torch.randint(T // 2, T, (B,), generator=random),
    x=lambda v, marks: torch.stack([v, marks], dim=2),
    y=lambda v, marks: (v * marks).sum(dim=1, keepdim=True),
    seeded=lambda seed: torch.Generator().manual_seed(seed),
):
    """Return an `adding_problem_batch` that departs from the right one in one place."""

    def answer(batch_size, T, seed):
        random = seeded(seed)
        v, marks = values(batch_size, T, random), torch.zeros(batch_size, T)
        for place in (first, second):
            marks[torch.arange(batch_size), place(batch_size, T, random)] = 1.0
        return x(v, marks), y(v, marks)

    return answer


def batch_of(values, marks):
    return torch.stack([values, marks], dim=2), (values * marks).sum(dim=1, keepdim=True)


def anywhere(B, T, random):
    return torch.randint(0, T, (B,), generator=random)


def one_for_all(place):
    return lambda B, T, random: place(1, T, random).expand(B)


def together(distance):
    """Return an answer whose second mark is drawn with the first."""

    def answer(batch_size, T, seed):
        random = torch.Generator().manual_seed(seed)
        values = torch.rand(batch_size, T, generator=random)
        rows = torch.arange(batch_size)
        first = torch.randint(0, T - distance(T), (batch_size,), generator=random)
        marks = torch.zeros(batch_size, T)
        marks[rows, first] = marks[rows, first + distance(T)] = 1.0
        return batch_of(values, marks)

    return answer


def two_of_all(batch_size, T, seed):
    random = torch.Generator().manual_seed(seed)
    values = torch.rand(batch_size, T, generator=random)
    places = torch.rand(batch_size, T, generator=random).argsort(dim=1)[:, :2]
    marks = torch.zeros(batch_size, T).scatter(1, places, 1.0)
    return batch_of(values, marks)


def marks_every_row(batch_size, T, seed):
    values = torch.rand(batch_size, T, generator=torch.Generator().manual_seed(seed))
    marks = torch.ones(batch_size, T)
    return batch_of(values, marks)


def adding_cases(rng):
    return [
        {"batch_size": ENOUGH, "T": T, "seed": int(rng.integers(2**31))}
        for T in (10, 7, int(rng.integers(11, 15)))
    ]


FACTS = {
    "shape of x": "axis",
    "shape of y": "axis",
    "the values that marks take": "",
    "marks in the first half, fewest and most": "",
    "marks in the second half, fewest and most": "",
    "how often each step is marked": "t",
    "steps from mark to mark, fewest and most": "",
    "values: smallest, mean, greatest": "",
    "values: standard deviation between sequences, between steps": "",
    "largest distance of y from the sum of the two marked values": "",
    "y: mean, standard deviation": "",
    "two calls with one seed give the same batch": "",
    "another seed gives other values": "",
    "another seed gives other marks": "",
}


def facts_of_batch(case, returned):
    """Return facts about a batch that do not depend on how its numbers were drawn.

    In order: the shapes of x and y; the values of the marks; the fewest and most marks in each half
    of a sequence; how often each step is marked; the shortest and longest way from the first
    half's mark to the second's; smallest, mean and greatest value; their standard deviation between
    sequences and between steps; the largest distance of y from the sum of the marked values; mean
    and standard deviation of y; whether the same seed gives the same batch, another seed other
    values, and other marks. Without the right shapes all but these are 0.
    """
    B, T = case["batch_size"], case["T"]
    x, y, again, other = returned.values()
    shapes = [np.array(part.shape) for part in (x, y)]
    if x.shape != (B, T, 2) or y.shape != (B, 1) or other.shape != x.shape:
        return dict(zip(FACTS, [*shapes, *[np.zeros(1)] * 12], strict=True))
    values, marks = x[..., 0], x[..., 1]
    first, second = marks[:, : T // 2], marks[:, T // 2 :]
    halves = [half.sum(axis=1) for half in (first, second)]
    ways = second.argmax(axis=1) + T // 2 - first.argmax(axis=1)
    facts = [
        *shapes,
        np.unique(marks)[:3],
        *[np.array([half.min(), half.max()]) for half in halves],
        marks.mean(axis=0),
        np.array([ways.min(), ways.max()]),
        np.array([values.min(), values.mean(), values.max()]),
        np.array([values.std(axis=0).mean(), values.std(axis=1).mean()]),
        np.abs(y[:, 0] - (values * marks).sum(axis=1)).max(),
        np.array([y.mean(), y.std()]),
        np.array(np.array_equal(x, again), float),
        *[np.array(not np.array_equal(x[..., k], other[..., k]), float) for k in (0, 1)],
    ]
    return {name: np.asarray(fact) for name, fact in zip(FACTS, facts, strict=True)}


def about_the_same(got, expected, tolerance):
    """Return whether two facts about a batch agree; frequencies and means are never exact."""
    apart = np.abs(got.astype(float) - expected) if got.shape == expected.shape else np.inf
    return bool(np.max(apart) <= tolerance)


def explain_batch(got, expected):
    """Return the first fact that is wrong, as it is and as it should be."""
    name = next(n for n in expected if not about_the_same(got[n], expected[n], 0.06))
    mine, right = (
        ", ".join(
            ["no", "yes"][int(v)] if "seed" in name else f"{v:.4g}" for v in np.ravel(f[name])
        )
        for f in (got, expected)
    )
    about = "" if "seed" in name or "shape" in name else "about "
    return f"The batch is not as described. {name.capitalize()}: {mine}; expected {about}{right}."


ADDING_PROBLEM_BATCH = Exercise(
    name="adding_problem_batch",
    title="a batch of the adding problem",
    points=2,
    outputs=FACTS,
    cases=adding_cases,
    drive=drivers.call_adding_problem_batch,
    returned=("x", "y", "again", "other"),
    measure=facts_of_batch,
    reference=adding_problem_batch,
    against=f"the description in every fact measured on {ENOUGH} sequences,",
    tolerance=0.06,
    same=about_the_same,
    explain=explain_batch,
    mistakes=(
        Mistake(
            "The marks are at the same places in every batch, so a network could learn the places. "
            "Draw them, too.",
            adding_by(
                first=lambda B, T, random: torch.arange(B) % (T // 2),
                second=lambda B, T, random: T // 2 + torch.arange(B) // (T // 2) % (T - T // 2),
            ),
        ),
        Mistake(
            "`y` has shape (B,). Keep an axis for the one output: (B, 1), or a loss would "
            "broadcast.",
            adding_by(y=lambda v, marks: (v * marks).sum(dim=1)),
        ),
        Mistake(
            "`y` is the sum of all values. Only the two marked ones count.",
            adding_by(y=lambda v, marks: v.sum(dim=1, keepdim=True)),
        ),
        Mistake(
            "`y` is the mean of the two values. It is called the adding problem: take their sum.",
            adding_by(y=lambda v, marks: (v * marks).sum(dim=1, keepdim=True) / 2),
        ),
        Mistake(
            "`y` is the product of the two values. It is called the adding problem: take the sum.",
            adding_by(y=lambda v, marks: (v * marks + 1 - marks).prod(dim=1, keepdim=True)),
        ),
        Mistake(
            "`y` is the mean over all steps of value times mark. Take the sum.",
            adding_by(y=lambda v, marks: (v * marks).mean(dim=1, keepdim=True)),
        ),
        Mistake(
            "Both marks are drawn from the whole sequence, so that both may fall into one half. "
            "Draw one in each half.",
            adding_by(first=anywhere, second=anywhere),
            also=(two_of_all,),
        ),
        Mistake(
            "Both marks lie in the first half. The second goes from step T // 2 on.",
            adding_by(second=lambda B, T, random: torch.randint(T // 2, (B,), generator=random)),
        ),
        Mistake(
            "The last step is never marked: the upper end of `randint` is not included.",
            adding_by(
                second=lambda B, T, random: torch.randint(T // 2, T - 1, (B,), generator=random)
            ),
        ),
        Mistake(
            "The last step of the first half is never marked: the upper end of `randint` is not "
            "included.",
            adding_by(
                first=lambda B, T, random: torch.randint(0, T // 2 - 1, (B,), generator=random)
            ),
        ),
        Mistake(
            "The first step of the second half, T // 2, is never marked.",
            adding_by(
                second=lambda B, T, random: torch.randint(T // 2 + 1, T, (B,), generator=random)
            ),
        ),
        Mistake(
            "Where T is odd, the halves are cut one step too late: the first ends before T // 2.",
            adding_by(
                first=lambda B, T, random: torch.randint(0, (T + 1) // 2, (B,), generator=random),
                second=lambda B, T, random: torch.randint((T + 1) // 2, T, (B,), generator=random),
            ),
        ),
        Mistake(
            "`marks[:, places] = 1` marks every drawn step in every row. Index the rows as well: "
            "`marks[torch.arange(B), places]`.",
            marks_every_row,
        ),
        Mistake(
            "The first step is never marked. Steps count from 0.",
            adding_by(first=lambda B, T, random: torch.randint(1, T // 2, (B,), generator=random)),
        ),
        Mistake(
            "All sequences of the batch have their marks at the same steps. Draw them for each.",
            adding_by(
                first=one_for_all(
                    lambda B, T, random: torch.randint(T // 2, (B,), generator=random)
                ),
                second=one_for_all(
                    lambda B, T, random: torch.randint(T // 2, T, (B,), generator=random)
                ),
            ),
        ),
        Mistake(
            "The marks do not move: they stand at fixed steps.",
            adding_by(
                first=lambda B, T, random: torch.zeros(B, dtype=torch.long),
                second=lambda B, T, random: torch.full((B,), T // 2),
            ),
        ),
        Mistake(
            "The second mark always follows the first at the same distance. Draw it by itself.",
            together(lambda T: T // 2),
            also=(together(lambda T: 1),),
        ),
        Mistake(
            "All sequences have the same values. Draw B times T of them.",
            adding_by(values=lambda B, T, random: torch.rand(T, generator=random).expand(B, T)),
        ),
        Mistake(
            "A sequence has the same value at every step. Draw B times T of them.",
            adding_by(values=lambda B, T, random: torch.rand(B, 1, generator=random).expand(B, T)),
        ),
        Mistake(
            "The values are normally distributed. They are uniform between 0 and 1: `torch.rand`.",
            adding_by(values=lambda B, T, random: torch.randn(B, T, generator=random)),
        ),
        Mistake(
            "The values go from -1 to 1. They are uniform between 0 and 1.",
            adding_by(values=lambda B, T, random: 2 * torch.rand(B, T, generator=random) - 1),
        ),
        Mistake(
            "The values are whole numbers. They are uniform between 0 and 1: `torch.rand`.",
            adding_by(
                values=lambda B, T, random: torch.randint(0, 2, (B, T), generator=random).float()
            ),
        ),
        Mistake(
            "The two channels are swapped: values come first, marks second.",
            adding_by(x=lambda v, marks: torch.stack([marks, v], dim=2)),
        ),
        Mistake(
            "`x` has the channels before time, (B, 2, T). Stack along the last axis.",
            adding_by(x=lambda v, marks: torch.stack([v, marks], dim=1)),
        ),
        Mistake(
            "The values that are not marked are gone from `x`. They are what makes it hard.",
            adding_by(x=lambda v, marks: torch.stack([v * marks, marks], dim=2)),
        ),
        Mistake(
            "The seed is not used: the same seed gives another batch each time.",
            adding_by(seeded=lambda seed: None),
        ),
        Mistake(
            "Every seed gives the same batch: seed the generator with the argument.",
            adding_by(seeded=lambda seed: torch.Generator().manual_seed(0)),
        ),
    ),
)

# --- set_forget_bias ------------------------------------------------------------------------------


def set_forget_bias(lstm, value):
    biases = {name: p for name, p in lstm.state_dict(keep_vars=True).items() if "bias" in name}
    for name, bias in biases.items():
        _, forget, _, _ = bias.data.chunk(4)
        forget.fill_(value if "bias_ih" in name else 0.0)


def bias_cases(rng):
    settings = [(1, False), (2, False), (1, True), (2, True)]
    return [
        {
            "input_size": int(rng.integers(1, 5)),
            "hidden_size": int(rng.integers(2, 6)),
            "num_layers": layers,
            "bidirectional": bidirectional,
            "value": float(rng.uniform(0.5, 5)),
            "seed": int(rng.integers(2**31)),
        }
        for layers, bidirectional in settings
    ]


def biases_by(which=lambda name: True, block=1, change=None):
    """Return a `set_forget_bias` that departs from the right one in one place."""

    def answer(lstm, value):
        H = lstm.hidden_size
        with torch.no_grad():
            for name, bias in lstm.named_parameters():
                if "bias" in name and which(name):
                    part = bias[block * H : (block + 1) * H]
                    if change:
                        change(part, value, name)
                    else:
                        part.fill_(value if "bias_ih" in name else 0.0)

    return answer


def without_no_grad(lstm, value):
    H = lstm.hidden_size
    for name, bias in lstm.named_parameters():
        if "bias" in name:
            bias[H : 2 * H] = value if "bias_ih" in name else 0.0


def everything_at_once(lstm, value):
    with torch.no_grad():
        for name, bias in lstm.named_parameters():
            if "bias" in name:
                bias.fill_(value if "bias_ih" in name else 0.0)


def whole_bias_hh(lstm, value):
    biases_by(which=lambda name: "bias_ih" in name)(lstm, value)
    with torch.no_grad():
        for name, bias in lstm.named_parameters():
            if "bias_hh" in name:
                bias.zero_()


SET_FORGET_BIAS = Exercise(
    name="set_forget_bias",
    title="set the forget bias of every layer and direction",
    points=2,
    outputs={
        "forget bias": "layer H",
        "biases of the other gates": "layer gate H",
        "matrices": "entry",
        "requires grad": "parameter",
    },
    cases=bias_cases,
    drive=drivers.call_set_forget_bias,
    reference=set_forget_bias,
    against="the sum of both biases of every layer and direction",
    mistakes=(
        Mistake(
            "`bias_ih` and `bias_hh` both hold the value, so the forget bias, which is their sum, "
            "is twice as large. Set one to the value and the other to 0.",
            biases_by(change=lambda part, value, name: part.fill_(value)),
        ),
        Mistake(
            "`bias_hh` keeps its old values, and it is added to `bias_ih`. Set its forget part "
            "to 0.",
            biases_by(which=lambda name: "bias_ih" in name),
        ),
        Mistake(
            "This sets the first quarter, the input gate's. The order is i, f, g, o.",
            biases_by(block=0),
        ),
        Mistake(
            "This sets the third quarter, the candidate's. The order is i, f, g, o.",
            biases_by(block=2),
        ),
        Mistake(
            "This sets the last quarter, the output gate's. The order is i, f, g, o.",
            biases_by(block=3),
        ),
        Mistake(
            "All four blocks are set. Only the second quarter belongs to the forget gate.",
            everything_at_once,
        ),
        Mistake(
            "Only the first layer is set. Go through all layers.",
            biases_by(which=lambda name: "_l0" in name),
        ),
        Mistake(
            "The backward direction is left out: its biases end in `_reverse`.",
            biases_by(which=lambda name: "reverse" not in name),
        ),
        Mistake(
            "Only the first layer, forwards, is set. Go through all biases, for instance by "
            "`named_parameters()`.",
            biases_by(which=lambda name: name.endswith("_l0")),
        ),
        Mistake(
            "The value is added to what was there. Set it, so that the caller knows what it is.",
            biases_by(change=lambda part, value, name: part.add_(value * ("bias_ih" in name))),
        ),
        Mistake(
            "PyTorch does not let you write into a parameter whose gradient it tracks. Write under "
            "`with torch.no_grad():`.",
            without_no_grad,
        ),
        Mistake(
            "The whole of `bias_hh` is set to 0. Only its second quarter belongs to the forget "
            "gate.",
            whole_bias_hh,
        ),
        Mistake(
            "Nothing is set: the network is as it was. Change it in place, not a copy; and look at "
            "the names of its parameters, such as `bias_ih_l0`.",
            lambda lstm, value: biases_by()(copy.deepcopy(lstm), value),
        ),
    ),
)

# --- mark_gate_claims -----------------------------------------------------------------------------

CLAIMS = {"A": 1, "B": 5, "C": 0, "D": 7, "E": 3, "F": 0, "G": 2, "H": 0}
HINTS = {
    "A": "Claim A: in equation 3.3, what does f = 1 do to the memory?",
    "B": "Claim B: section 3.2 says between what and what `dropout` acts.",
    "C": "Claim C: compare equation 3.6 with the variant that section 3.1 shows below it.",
    "D": "Claim D: section 3.6 measures it, with the fused kernel and without.",
    "E": "Claim E: look at the row with the larger matrices in section 3.5.",
    "F": "Claim F: can the sum of equation 3.3 grow beyond 1? And can h?",
    "G": "Claim G: look at the horizon of a fresh LSTM in section 3.5.",
    "H": "Claim H: try it with `count_parameters`, for an input that is small.",
}
MARK_GATE_CLAIMS = claims_exercise(
    "mark_gate_claims", "eight claims about gates, marked and corrected", CLAIMS, HINTS
)

EXERCISES = (
    LSTM_STEP,
    GRU_STEP,
    COUNT_PARAMETERS,
    LAST_HIDDEN,
    ENCODE_PADDED,
    ADDING_PROBLEM_BATCH,
    SET_FORGET_BIAS,
    MARK_GATE_CLAIMS,
)
