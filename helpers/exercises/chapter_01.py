"""The exercises of chapter 1, recurrent networks step by step.

Symbols: B sequences in a batch, T time steps, D input size, H hidden size, O output size.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers.exercises import diagnosis, drivers
from helpers.exercises.checking import Exercise, Mistake
from helpers.exercises.clinic import claims_exercise


def normal(rng, *shape):
    """Return standard normal values in float32, the dtype that the chapter works in."""
    return rng.normal(size=shape).astype(np.float32)


# --- rnn_step -------------------------------------------------------------------------------------


def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    cell = nn.RNNCell(*W_xh.shape)
    weights = {"weight_ih": W_xh.T, "weight_hh": W_hh.T, "bias_ih": b_h, "bias_hh": 0 * b_h}
    return torch.func.functional_call(cell, weights, (x_t, h_prev))


def step_cases(rng):
    sizes = [(2, 3, 4), (1, 1, 1), (5, 4, 4), (1, 6, 3)]  # B, D, H; D = H lets a swap go through
    sizes += [tuple(rng.integers(2, 8, size=3)) for _ in range(8)]
    return [
        {
            "x_t": normal(rng, B, D),
            "h_prev": normal(rng, B, H).clip(-1, 1),
            "W_xh": normal(rng, D, H),
            "W_hh": normal(rng, H, H),
            "b_h": normal(rng, H),
        }
        for B, D, H in sizes
    ]


RNN_STEP = Exercise(
    name="rnn_step",
    title="one step of a recurrent network",
    points=2,
    outputs={"h_t": "B H"},
    cases=step_cases,
    drive=drivers.call,
    reference=rnn_step,
    against="`nn.RNNCell`",
    mistakes=(
        Mistake(
            "This is the state before `tanh`: squash the whole sum.",
            lambda x, h, W_xh, W_hh, b: x @ W_xh + h @ W_hh + b,
        ),
        Mistake(
            "This squashes with a sigmoid, into (0, 1). Equation 1.2 says `tanh`, into (-1, 1).",
            lambda x, h, W_xh, W_hh, b: torch.sigmoid(x @ W_xh + h @ W_hh + b),
        ),
        Mistake(
            "This squashes with ReLU. Equation 1.2 says `tanh`.",
            lambda x, h, W_xh, W_hh, b: torch.relu(x @ W_xh + h @ W_hh + b),
        ),
        Mistake(
            "`W_hh` is transposed. States are rows here, so the product is `h_prev @ W_hh`.",
            lambda x, h, W_xh, W_hh, b: torch.tanh(x @ W_xh + h @ W_hh.T + b),
        ),
        Mistake(
            "The bias `b_h` is missing from the sum.",
            lambda x, h, W_xh, W_hh, b: torch.tanh(x @ W_xh + h @ W_hh),
        ),
        Mistake(
            "The old state is added as it is. It must go through `W_hh` first.",
            lambda x, h, W_xh, W_hh, b: torch.tanh(x @ W_xh + h + b),
        ),
        Mistake(
            "The old state is added behind `tanh`. It goes through `W_hh`, inside `tanh`.",
            lambda x, h, W_xh, W_hh, b: h + torch.tanh(x @ W_xh + b),
        ),
        Mistake(
            "The old state is added once more behind `tanh`. Nothing is added there: it has gone "
            "through `W_hh` already.",
            lambda x, h, W_xh, W_hh, b: h + torch.tanh(x @ W_xh + h @ W_hh + b),
        ),
        Mistake(
            "The old state is not used at all: this is a feed-forward layer.",
            lambda x, h, W_xh, W_hh, b: torch.tanh(x @ W_xh + b),
        ),
        Mistake(
            "`x_t` and `h_prev` are swapped: `x_t` goes through `W_xh`, `h_prev` through `W_hh`.",
            lambda x, h, W_xh, W_hh, b: torch.tanh(h @ W_xh + x @ W_hh + b),
        ),
        Mistake(
            "The bias is added behind `tanh`. It belongs inside, to the sum.",
            lambda x, h, W_xh, W_hh, b: torch.tanh(x @ W_xh + h @ W_hh) + b,
        ),
        Mistake(
            "Only the input's part goes through `tanh`. Squash the whole sum.",
            lambda x, h, W_xh, W_hh, b: torch.tanh(x @ W_xh + b) + h @ W_hh,
        ),
    ),
)

# --- rnn_forward ----------------------------------------------------------------------------------


def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    rnn = nn.RNN(*W_xh.shape, batch_first=True)
    weights = {"weight_ih_l0": W_xh.T, "weight_hh_l0": W_hh.T, "bias_ih_l0": b_h}
    weights["bias_hh_l0"] = 0 * b_h
    states, h_n = torch.func.functional_call(rnn, weights, (x, h_0.unsqueeze(0)))
    return states, h_n[0]


def forward_cases(rng):
    sizes = [(2, 5, 3, 4), (1, 1, 2, 3), (4, 4, 3, 3), (3, 1, 4, 2), (1, 7, 1, 1)]  # B, T, D, H
    sizes += [tuple(rng.integers(2, 8, size=4)) for _ in range(5)]
    return [
        {
            "x": normal(rng, B, T, D),
            "h_0": normal(rng, B, H).clip(-1, 1),
            "W_xh": normal(rng, D, H),
            "W_hh": normal(rng, H, H) / np.float32(np.sqrt(H)),
            "b_h": normal(rng, H),
        }
        for B, T, D, H in sizes
    ]


def unrolled(x, h, *weights, carry=True):
    states = []
    for t in range(x.shape[1]):
        new = rnn_step(x[:, t], h, *weights)
        states.append(new)
        h = new if carry else h
    return states


def states_before(x, h_0, *weights):
    states = unrolled(x, h_0, *weights)
    return torch.stack([h_0, *states[:-1]], dim=1), states[-1]


def time_and_batch_swapped(x, h, W_xh, W_hh, b_h):
    states = []
    for x_t in x:
        h = torch.tanh(x_t @ W_xh + h @ W_hh + b_h)
        states.append(h)
    return torch.stack(states), h


def time_and_batch_swapped_by_cell(x, h, *weights):
    states = []
    for x_t in x:
        h = rnn_step(x_t, h, *weights)
        states.append(h)
    return torch.stack(states), h


def from_zeros(x, h_0, *weights):
    return rnn_forward(x, torch.zeros_like(h_0), *weights)


def read_backwards(x, h_0, *weights):
    return rnn_forward(x.flip(1), h_0, *weights)


def every_state_last(x, h_0, *weights):
    states, _ = rnn_forward(x, h_0, *weights)
    return states.transpose(0, 1), states[:, -1]


RNN_FORWARD = Exercise(
    name="rnn_forward",
    title="a recurrent network unrolled over a sequence",
    points=2,
    outputs={"states": "B T H", "h_T": "B H"},
    cases=forward_cases,
    drive=drivers.call,
    reference=rnn_forward,
    against="`nn.RNN`",
    mistakes=(
        Mistake(
            "The state is not carried: every step starts from `h_0`. "
            "Hand the state of one step to the next.",
            lambda x, h_0, *w: (
                torch.stack(unrolled(x, h_0, *w, carry=False), dim=1),
                unrolled(x, h_0, *w, carry=False)[-1],
            ),
        ),
        Mistake(
            "Off by one: `states[:, t]` holds the state before step t. "
            "Append the state after computing it, not before.",
            states_before,
        ),
        Mistake(
            "`states[-1]` is the last sequence of the batch. The last step is `states[:, -1]`.",
            lambda x, h_0, *w: (rnn_forward(x, h_0, *w)[0], rnn_forward(x, h_0, *w)[0][-1]),
        ),
        Mistake(
            "This walks along the batch as if it were time. In `x` (B, T, D) time is axis 1: "
            "use `x[:, t]`.",
            time_and_batch_swapped,
            also=(time_and_batch_swapped_by_cell,),
        ),
        Mistake(
            "`states` has time first, (T, B, H). Stack along axis 1 to get (B, T, H).",
            every_state_last,
        ),
        Mistake(
            "`h_0` is ignored: this starts from zeros. The caller chooses where the state starts.",
            from_zeros,
        ),
        Mistake(
            "The sequence is read backwards, from its last step to its first.",
            read_backwards,
        ),
        Mistake(
            "The second value is the first state. Return the last one, `h_T`.",
            lambda x, h_0, *w: (rnn_forward(x, h_0, *w)[0], rnn_forward(x, h_0, *w)[0][:, 0]),
        ),
    ),
)

# --- rnn_shapes -----------------------------------------------------------------------------------


def rnn_shapes(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
    rnn = nn.RNN(
        input_size, hidden_size, num_layers, bidirectional=bidirectional, batch_first=batch_first
    )
    lengths = (T,) if B is None else (B, T) if batch_first else (T, B)
    with torch.no_grad():
        out, h_n = rnn(torch.zeros(*lengths, input_size))
    return tuple(out.shape), tuple(h_n.shape)


def shape_cases(rng):
    def case(bidirectional, batch_first, unbatched, fewest_layers=2):
        D, H, T, B = rng.permutation(np.arange(2, 9))[:4].tolist()
        return {
            "input_size": D,
            "hidden_size": H,
            "num_layers": int(rng.integers(fewest_layers, 4)),
            "bidirectional": bidirectional,
            "batch_first": batch_first,
            "T": T,
            "B": None if unbatched else B,
        }

    settings = [(False, True, False), (False, False, False), (True, True, False)]
    settings += [
        (True, False, False),
        (False, True, True),
        (False, False, True),
        (True, True, True),
    ]
    return [case(*s) for s in settings] + [case(*s, fewest_layers=1) for s in settings[:5]]


def shapes_by_rule(
    out_factor=lambda directions, layers: directions,
    h_n_factor=lambda directions, layers: directions * layers,
    out_first=None,
    h_n_batch_first=False,
    h_n_width=1,
    unbatched=True,
    h_n_axis_of_one=False,
    size="hidden",
):
    """Return a `rnn_shapes` whose rule departs from PyTorch's in one place."""

    def rule(input_size, hidden_size, num_layers, bidirectional, batch_first, T, B):
        directions = 2 if bidirectional else 1
        width = hidden_size if size == "hidden" else input_size
        features = width * out_factor(directions, num_layers)
        first = h_n_factor(directions, num_layers)
        if B is None and unbatched:
            return (T, features), (first, 1, width) if h_n_axis_of_one else (first, width)
        B = 1 if B is None else B
        order = batch_first if out_first is None else out_first
        out = (B, T, features) if order else (T, B, features)
        wide = width * directions if h_n_width == 2 else width
        h_n = (B, first, wide) if h_n_batch_first and batch_first else (first, B, wide)
        return out, h_n

    return rule


RNN_SHAPES = Exercise(
    name="rnn_shapes",
    title="the shapes that `nn.RNN` returns",
    points=2,
    outputs={"out": "axis", "h_n": "axis"},
    cases=shape_cases,
    drive=drivers.call,
    reference=rnn_shapes,
    against="`nn.RNN` itself",
    mistakes=(
        Mistake(
            "A bidirectional network returns both directions side by side: "
            "`out` has 2 H features then.",
            shapes_by_rule(out_factor=lambda directions, layers: 1),
        ),
        Mistake(
            "A bidirectional network has one last state per layer and direction: "
            "the first axis of `h_n` is 2 x `num_layers` then.",
            shapes_by_rule(h_n_factor=lambda directions, layers: layers),
        ),
        Mistake(
            "Bidirectional is forgotten in both: it doubles the features of `out` "
            "and the first axis of `h_n`.",
            shapes_by_rule(lambda directions, layers: 1, lambda directions, layers: layers),
        ),
        Mistake(
            "`num_layers` does not change `out`: it holds the states of the top layer only.",
            shapes_by_rule(out_factor=lambda directions, layers: directions * layers),
        ),
        Mistake(
            "`h_n` has one state per layer: its first axis is `num_layers` (times directions).",
            shapes_by_rule(h_n_factor=lambda directions, layers: directions),
        ),
        Mistake(
            "`batch_first` does not reach `h_n`: layers come first in it whatever the setting.",
            shapes_by_rule(h_n_batch_first=True),
        ),
        Mistake(
            "`batch_first=False` is ignored: `out` is (T, B, ...) then.",
            shapes_by_rule(out_first=True),
        ),
        Mistake(
            "`batch_first=True` is ignored: `out` is (B, T, ...) then.",
            shapes_by_rule(out_first=False),
        ),
        Mistake(
            "Unbatched input, `B` = None, gives outputs without a batch axis, not of size 1.",
            shapes_by_rule(unbatched=False),
        ),
        Mistake(
            "Unbatched input gives `h_n` without a batch axis too, (layers, H).",
            shapes_by_rule(h_n_axis_of_one=True),
        ),
        Mistake(
            "`out` puts the features of both directions side by side, in its last axis; `h_n` "
            "keeps them apart, in its first. Its last axis is always H.",
            shapes_by_rule(h_n_factor=lambda directions, layers: layers, h_n_width=2),
        ),
        Mistake(
            "The states have `hidden_size` features; this uses `input_size`.",
            shapes_by_rule(size="input"),
        ),
    ),
)

# --- LastStepRNN and EveryStepRNN -----------------------------------------------------------------


class RNNWithHead(nn.Module):
    """One `nn.RNN` and one `nn.Linear`; subclasses say what of the states the head reads."""

    batch_first = True

    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=self.batch_first)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, h_n = self.rnn(x)
        return self.head(out, h_n)


def variant(head, batch_first=True):
    """Return a model class that differs from the reference in what its head computes."""
    return type("Variant", (RNNWithHead,), {"head": head, "batch_first": batch_first})


class LastStepRNN(RNNWithHead):
    def head(self, out, h_n):
        return self.fc(h_n[-1])


class EveryStepRNN(RNNWithHead):
    def head(self, out, h_n):
        return self.fc(out)


class KeepsItsState(RNNWithHead):
    state = None

    def forward(self, x):
        out, h_n = self.rnn(x, self.state)
        self.state = h_n.detach()
        return self.fc(out[:, -1])


class ReturnsTheState(RNNWithHead):
    def forward(self, x):
        return self.rnn(x)[0][:, -1]


class VanillaRNN(RNNWithHead):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__(input_size, hidden_size, output_size)
        self.rnn = nn.VanillaRNN(input_size, hidden_size, batch_first=True)


def module_cases(rng):
    sizes = [(3, 5, 3, 4, 2), (1, 6, 1, 5, 3), (4, 1, 2, 3, 1), (4, 4, 5, 6, 4)]  # B, T, D, H, O
    for _ in range(4):
        sizes.append(tuple(rng.permutation(np.arange(2, 9))[:5].tolist()))
    return [
        {
            "input_size": D,
            "hidden_size": H,
            "output_size": outputs,
            "x": normal(rng, B, T, D),
            "seed": int(rng.integers(2**31)),
        }
        for B, T, D, H, outputs in sizes
    ]


def module_outputs(dimensions):
    """Return what `drivers.call_module` gives, for an output of these dimensions."""
    return {
        "number of parameters": "",
        "output": dimensions,
        "output on the same x again": dimensions,
        "gradients of the weights": "parameter",
    }


def explain_module(got, expected):
    """Return which layers are expected if the parameters are others, else where outputs differ."""
    name = "number of parameters"
    if got[name] != expected[name]:
        return (
            f"The model has {got[name]} parameters; one `nn.RNN` and one `nn.Linear` have "
            f"{expected[name]} at these sizes. Too many: a gated network (`nn.LSTM`, `nn.GRU`), "
            "or a second layer? Too few: no linear layer, or layers in a plain list, where "
            "PyTorch misses them?"
        )
    dimensions = module_outputs("B O" if expected["output"].ndim == 2 else "B T O")
    return diagnosis.localise(dimensions, got, expected)


NO_GRADIENT = (
    "The outputs are right, but no gradient reaches the recurrent weights, so they never learn: "
    "something is detached, or computed under `no_grad`."
)

LAST_STEP_RNN = Exercise(
    name="LastStepRNN",
    title="a model that answers once per sequence",
    points=3,
    outputs=module_outputs("B O"),
    cases=module_cases,
    drive=drivers.call_module,
    explain=explain_module,
    reference=LastStepRNN,
    against="`nn.RNN` and `nn.Linear` with the same weights",
    mistakes=(
        Mistake(
            "`out[-1]` is the last sequence of the batch, every step of it. "
            "The last step of every sequence is `out[:, -1]`.",
            variant(lambda self, out, h_n: self.fc(out[-1])),
        ),
        Mistake(
            "This answers at every step. Hand only the last, `out[:, -1]`, to the linear layer.",
            variant(lambda self, out, h_n: self.fc(out)),
        ),
        Mistake(
            "This reads the first step, which has seen one input. The last is `out[:, -1]`.",
            variant(lambda self, out, h_n: self.fc(out[:, 0])),
        ),
        Mistake(
            "This averages the states over time. The task asks for the last one alone.",
            variant(lambda self, out, h_n: self.fc(out.mean(dim=1))),
        ),
        Mistake(
            "`batch_first=True` is missing: the network takes the batch for time.",
            variant(lambda self, out, h_n: self.fc(out[:, -1]), batch_first=False),
        ),
        Mistake(
            "`h_n` has a layer axis in front, (1, B, H), and so has this output. Take `h_n[-1]`.",
            variant(lambda self, out, h_n: self.fc(h_n)),
        ),
        Mistake(
            "`squeeze()` drops every axis of size 1, also that of a batch of one sequence. "
            "Name the axis that is to go, or index it.",
            variant(lambda self, out, h_n: self.fc(out[:, -1]).squeeze()),
        ),
        Mistake(
            "This returns the hidden state itself. Hand it to the linear layer.",
            ReturnsTheState,
        ),
        Mistake(
            "There is a softmax on the output. Return the linear layer's raw values: "
            "`cross_entropy` applies the softmax itself.",
            variant(lambda self, out, h_n: self.fc(out[:, -1]).softmax(dim=-1)),
        ),
        Mistake(
            "There is a ReLU on the output. It can then never be negative.",
            variant(lambda self, out, h_n: self.fc(out[:, -1]).relu()),
        ),
        Mistake(
            "The model remembers the previous call. Every sequence is new: start from zeros.",
            KeepsItsState,
        ),
        Mistake(
            NO_GRADIENT,
            variant(lambda self, out, h_n: self.fc(out[:, -1].detach())),
            also=(variant(lambda self, out, h_n: self.fc(out[:, -1]).detach()),),
        ),
    ),
)

EVERY_STEP_RNN = Exercise(
    name="EveryStepRNN",
    title="repair a model that answers once where an answer per step is due",
    points=2,
    outputs=module_outputs("B T O"),
    cases=module_cases,
    drive=drivers.call_module,
    explain=explain_module,
    reference=EveryStepRNN,
    against="`nn.RNN` and `nn.Linear` with the same weights",
    mistakes=(
        Mistake(
            "`torch.nn` has no `VanillaRNN`. The plain recurrent network is called `nn.RNN`.",
            VanillaRNN,
        ),
        Mistake(
            "This still answers once per sequence, so its output cannot meet a target per step. "
            "Give every state, `out`, to the linear layer.",
            variant(lambda self, out, h_n: self.fc(out[:, -1])),
        ),
        Mistake(
            "This repeats the last answer at every step. "
            "The shape fits now, but step 1 answers with what only step T has seen.",
            variant(lambda self, out, h_n: self.fc(out[:, -1:]).expand(-1, out.shape[1], -1)),
        ),
        Mistake(
            "`batch_first=True` is missing: the network takes the batch for time.",
            variant(lambda self, out, h_n: self.fc(out), batch_first=False),
        ),
        Mistake(
            "This returns (T, B, O). The targets are (B, T, O), batch first.",
            variant(lambda self, out, h_n: self.fc(out).transpose(0, 1)),
        ),
        Mistake(
            "This returns the hidden states. Hand them to the linear layer.",
            variant(lambda self, out, h_n: out),
        ),
        Mistake(
            NO_GRADIENT,
            variant(lambda self, out, h_n: self.fc(out.detach())),
            also=(variant(lambda self, out, h_n: self.fc(out).detach()),),
        ),
    ),
)

# --- carry_state ----------------------------------------------------------------------------------


def carry_state(state):
    with torch.no_grad():
        if isinstance(state, torch.Tensor):
            return state.clone()
        return tuple(part.clone() for part in state)


def each(change):
    """Return an answer that applies `change` to a tensor, or to both parts of a pair."""

    def answer(state):
        return tuple(map(change, state)) if isinstance(state, tuple) else change(state)

    return answer


def carry_cases(rng):
    def part():
        return rng.normal(size=(1, *rng.integers(2, 5, size=2)))

    def pair():
        h = part()
        return [h, rng.normal(size=h.shape)]

    two_layers = rng.normal(size=(2, 3, 4))
    return [{"parts": p} for p in ([part()], pair(), [part()], pair(), [two_layers])]


CARRY_STATE = Exercise(
    name="carry_state",
    title="carry a state into the next window without its graph",
    points=1,
    outputs={"state": "part layer B H", "tied to a graph": "part", "requires grad": "part"},
    cases=carry_cases,
    drive=drivers.call_carry_state,
    reference=carry_state,
    against="a copy made under `torch.no_grad`, for a tensor and for an LSTM's pair,",
    mistakes=(
        Mistake(
            "The state is still tied to the graph of its window. Cut it off with `.detach()`; "
            "`.clone()` copies the values and stays in the graph.",
            each(torch.clone),
        ),
        Mistake(
            "This starts afresh from zeros. The values must go on; only the graph is cut.",
            each(torch.zeros_like),
        ),
        Mistake(
            "Of an LSTM's pair only h is detached; c still drags the graph along.",
            lambda state: (
                (state[0].detach(), state[1]) if isinstance(state, tuple) else state.detach()
            ),
        ),
        Mistake(
            "This takes every state of length 2 for a pair, also the tensor of a network with two "
            "layers. Ask `isinstance(state, tuple)`.",
            lambda state: (
                (state[0].detach(), state[1].detach()) if len(state) == 2 else state.detach()
            ),
        ),
        Mistake(
            "This handles a tensor only. An LSTM's state is a tuple (h, c): detach each part.",
            lambda state: state.detach(),
        ),
        Mistake(
            "The copy is cut off, but then asked to track gradients again. Leave that out.",
            each(lambda part: part.detach().requires_grad_()),
        ),
    ),
)

# --- train_on_stream ------------------------------------------------------------------------------


def train_on_stream(model, windows, optimizer):
    losses, state = [], None
    parameters = list(model.parameters())
    for x, y in windows:
        prediction, _ = model(x, state)
        loss = F.mse_loss(prediction, y)
        with torch.no_grad():
            _, state = model(x, state)
        for parameter, gradient in zip(
            parameters, torch.autograd.grad(loss, parameters), strict=True
        ):
            parameter.grad = gradient
        optimizer.step()
        losses.append(loss.item())
    return losses


def stream_loop(
    cut=lambda state: state.detach(),
    zero=True,
    step=True,
    backward=torch.Tensor.backward,
    output=lambda prediction: prediction,
    keep=lambda loss: loss.item(),
):
    """Return a `train_on_stream` that departs from the right one in one place."""

    def answer(model, windows, optimizer):
        losses, state = [], None
        for x, y in windows:
            prediction, state = model(x, state)
            state = cut(state)
            loss = F.mse_loss(output(prediction), y)
            if zero:
                optimizer.zero_grad()
            backward(loss)
            if step:
                optimizer.step()
            losses.append(keep(loss))
        return losses

    return answer


def stream_cases(rng):
    return [
        {
            "x": normal(rng, n, 1, W, 1),
            "y": normal(rng, n, 1, W, 1),
            "hidden_size": H,
            "seed": int(rng.integers(2**31)),
        }
        for n, W, H in [(4, 5, 4), (2, 8, 3), (5, 3, 6)]
    ]


def last_loss_only(model, windows, optimizer):
    return train_on_stream(model, windows, optimizer)[-1]


def after_step_losses(model, windows, optimizer):
    losses, state = [], None
    for x, y in windows:
        before = state
        prediction, state = model(x, before)
        state = state.detach()
        optimizer.zero_grad()
        F.mse_loss(prediction, y).backward()
        optimizer.step()
        losses.append(F.mse_loss(model(x, before)[0], y).item())
    return losses


TRAIN_ON_STREAM = Exercise(
    name="train_on_stream",
    title="train on a stream, window after window",
    points=3,
    outputs={
        "losses": "T",
        "trained weights": "weight",
        "calls of optimizer.step": "",
        "losses hold on to their graphs": "",
    },
    cases=stream_cases,
    drive=drivers.call_train_on_stream,
    reference=train_on_stream,
    against="`torch.autograd.grad` with the state computed a second time outside the graph,",
    mistakes=(
        Mistake(
            "The state is carried with its graph, so the second `backward` walks into the first "
            "window, whose graph is gone. Cut it with `carry_state`.",
            stream_loop(cut=lambda state: state),
        ),
        Mistake(
            "`retain_graph=True` silences one error and meets the next: the old graph needs "
            "weights that `optimizer.step` has changed. Cut the state with `carry_state` instead.",
            stream_loop(cut=lambda s: s, backward=lambda loss: loss.backward(retain_graph=True)),
        ),
        Mistake(
            "The prediction is detached too, so the loss has nothing to differentiate. "
            "Detach the state only.",
            stream_loop(output=lambda prediction: prediction.detach()),
        ),
        Mistake(
            "Nothing learns: the optimizer finds no gradient when it steps. The order is "
            "`zero_grad`, `backward`, `step`, and only the state is detached, not the prediction.",
            stream_loop(output=lambda prediction: prediction.detach().requires_grad_()),
        ),
        Mistake(
            "Every window starts from a fresh state. Hand the state of one window to the next.",
            stream_loop(cut=lambda state: None),
        ),
        Mistake(
            "Gradients add up from window to window: call `optimizer.zero_grad()` in each.",
            stream_loop(zero=False),
        ),
        Mistake(
            "The weights never change: `optimizer.step()` is missing.",
            stream_loop(step=False),
        ),
        Mistake(
            "The losses are tensors that drag their graphs along. Keep numbers: `loss.item()`.",
            stream_loop(keep=lambda loss: loss),
        ),
        Mistake(
            "The prediction and the target have different shapes here, and the loss stretches them "
            "to fit (section 1.5). Leave the prediction as it is, (B, T, 1).",
            stream_loop(output=lambda prediction: prediction.squeeze(-1)),
        ),
        Mistake(
            "This returns one loss. Return the list of all, one per window.",
            last_loss_only,
        ),
        Mistake(
            "These losses are taken after the update. Report the loss that was differentiated.",
            after_step_losses,
        ),
    ),
)

# --- gradient_norms -------------------------------------------------------------------------------


def gradient_norms(cell, x, loss):
    h, states = x.new_zeros(x.shape[0], cell.hidden_size), []
    for x_t in x.unbind(dim=1):
        h = cell(x_t, h)
        states.append(h)
    gradients = torch.autograd.grad(loss(h), states)
    return torch.stack([torch.linalg.vector_norm(g) for g in gradients])


def norms_of(choose, measure=torch.linalg.vector_norm, reverse=False):
    """Return a `gradient_norms` that measures something else."""

    def answer(cell, x, loss):
        x = x.clone().requires_grad_()
        h, states = x.new_zeros(x.shape[0], cell.hidden_size), []
        for t in range(x.shape[1]):
            h = cell(x[:, t], h)
            h.retain_grad()
            states.append(h)
        loss(h).backward()
        norms = [measure(v) for v in choose(x, states)]
        return torch.stack(norms[::-1] if reverse else norms)

    return answer


def every_step_alone(cell, x, loss):
    h, norms = x.new_zeros(x.shape[0], cell.hidden_size), []
    for t in range(x.shape[1]):
        h = cell(x[:, t], h.detach())
        h.retain_grad()
        loss(h).backward()
        norms.append(torch.linalg.vector_norm(h.grad))
    return torch.stack(norms)


def without_retain_grad(measure):
    def answer(cell, x, loss):
        h, states = x.new_zeros(x.shape[0], cell.hidden_size), []
        for t in range(x.shape[1]):
            h = cell(x[:, t], h)
            states.append(h)
        loss(h).backward()
        return torch.stack([measure(h.grad) for h in states])

    return answer


def by_equation_1_4(cell, x, loss):
    h, states = x.new_zeros(x.shape[0], cell.hidden_size), []
    for t in range(x.shape[1]):
        h = cell(x[:, t], h)
        states.append(h)
    last = states[-1].detach().requires_grad_()
    gradient = torch.autograd.grad(loss(last), last)[0]
    norms = []
    for h in reversed(states):
        norms.append(gradient.norm())
        gradient = (gradient * (1 - h**2)) @ cell.weight_hh
    return torch.stack(norms[::-1])


def state_gradients(x, states):
    return [h.grad for h in states]


def norm_cases(rng):
    sizes = [(2, 6, 3, 4), (1, 1, 2, 3), (3, 9, 1, 5), (1, 12, 4, 2)]  # B, T, D, H
    sizes += [tuple(rng.integers(2, 8, size=4)) for _ in range(4)]
    cells = ["RNNCell", "RNNCell", "GRUCell", "LeakyCell"] * 2
    return [
        {
            "cell": cell,
            "x": rng.normal(size=(B, T, D)),
            "v": rng.normal(size=H),
            "seed": int(rng.integers(2**31)),
        }
        for cell, (B, T, D, H) in zip(cells, sizes, strict=True)
    ]


GRADIENT_NORMS = Exercise(
    name="gradient_norms",
    title="how much of the gradient reaches each time step",
    points=3,
    outputs={"norms": "T"},
    cases=norm_cases,
    drive=drivers.call_gradient_norms,
    reference=gradient_norms,
    against="`torch.autograd.grad` with respect to each state",
    tolerance=1e-8,
    mistakes=(
        Mistake(
            "`h.grad` is None. Was `h.retain_grad()` called on each state, and then `backward` on "
            "the loss? Without the first, PyTorch keeps gradients of leaves only, like parameters.",
            without_retain_grad(lambda gradient: gradient.norm()),
            also=(
                without_retain_grad(torch.linalg.vector_norm),
                without_retain_grad(lambda gradient: (gradient**2).sum().sqrt()),
            ),
        ),
        Mistake(
            "Equation 1.4 written out holds for the plain network only. `cell` may be any step: "
            "let `backward` go through it.",
            by_equation_1_4,
        ),
        Mistake(
            "These are the norms of the states. Measure their gradients, `h.grad`.",
            norms_of(lambda x, states: states),
        ),
        Mistake(
            "These are the gradients of the inputs x_t. Measure those of the states h_t.",
            norms_of(lambda x, states: x.grad.unbind(dim=1)),
        ),
        Mistake(
            "The order is reversed: entry t belongs to step t, so the last step comes last.",
            norms_of(state_gradients, reverse=True),
        ),
        Mistake(
            "These are squared norms: take the root.",
            norms_of(state_gradients, measure=lambda g: g.square().sum()),
        ),
        Mistake(
            "This is the mean size of an entry, not the norm: the root of the sum of squares.",
            norms_of(state_gradients, measure=lambda g: g.abs().mean()),
        ),
        Mistake(
            "This is the sum of absolute values. The norm meant here is the Euclidean one.",
            norms_of(state_gradients, measure=lambda g: g.abs().sum()),
        ),
        Mistake(
            "Each state's loss is taken on its own. There is one loss, on the last state, "
            "and its gradient travels back through all the others.",
            every_step_alone,
        ),
    ),
)

# --- clip_gradients -------------------------------------------------------------------------------


def clip_gradients(parameters, max_norm):
    return nn.utils.clip_grad_norm_(parameters, max_norm)


def clip_by(scale_of, returns="before"):
    """Return a `clip_gradients` with another rule for the factor of each gradient."""

    def answer(parameters, max_norm):
        gradients = [p.grad for p in parameters if p.grad is not None]
        total = torch.stack([g.square().sum() for g in gradients]).sum().sqrt()
        for g in gradients:
            g.mul_(scale_of(g, total, max_norm))
        after = torch.stack([g.square().sum() for g in gradients]).sum().sqrt()
        return after if returns == "after" else total

    return answer


def global_scale(g, total, max_norm):
    return min(1.0, float(max_norm / total))


def clip_values(parameters, max_norm):
    gradients = [p.grad for p in parameters if p.grad is not None]
    total = torch.stack([g.square().sum() for g in gradients]).sum().sqrt()
    for g in gradients:
        g.clamp_(-max_norm, max_norm)
    return total


def goes_through_twice(parameters, max_norm):
    total = sum(p.grad.square().sum() for p in parameters if p.grad is not None) ** 0.5
    for p in parameters:
        if p.grad is not None:
            p.grad.mul_(global_scale(p.grad, total, max_norm))
    return total


def goes_through_twice_and_forgets_unused(parameters, max_norm):
    total = sum(p.grad.square().sum() for p in parameters if p.grad is not None) ** 0.5
    for p in parameters:
        p.grad.mul_(global_scale(p.grad, total, max_norm))
    return total


def divides_by_zero(parameters, max_norm):
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = sum(g.square().sum().item() for g in gradients) ** 0.5
    for g in gradients:
        g.mul_(min(1.0, max_norm / norm))
    return norm


def forgets_the_root(parameters, max_norm):
    gradients = [p.grad for p in parameters if p.grad is not None]
    total = sum(g.square().sum() for g in gradients)
    for g in gradients:
        g.mul_(global_scale(g, total, max_norm))
    return total


def sum_of_norms(parameters, max_norm):
    gradients = [p.grad for p in parameters if p.grad is not None]
    total = sum(g.norm() for g in gradients)
    for g in gradients:
        g.mul_(global_scale(g, total, max_norm))
    return total


def forgets_unused(square_sum):
    def answer(parameters, max_norm):
        parameters = list(parameters)
        total = sum(square_sum(p.grad) for p in parameters) ** 0.5
        for p in parameters:
            p.grad.mul_(global_scale(p.grad, total, max_norm))
        return total

    return answer


def returns_nothing(parameters, max_norm):
    nn.utils.clip_grad_norm_(parameters, max_norm)


def clip_cases(rng):
    def case(ratio, as_generator):
        shapes = [(3,), tuple(rng.integers(2, 5, size=2)), (1,)]
        scales = 10 ** rng.uniform(-1, 1, size=3) if ratio else np.zeros(3)
        gradients = [rng.normal(size=s) * scale for s, scale in zip(shapes, scales, strict=True)]
        total = float(np.sqrt(sum((g**2).sum() for g in gradients)))
        max_norm = ratio * total or 1.0
        return {"gradients": gradients, "max_norm": max_norm, "as_generator": as_generator}

    ratios = [0.3, 0.5, 2.0, 0.05, 20.0, 0.9, *rng.uniform(0.1, 2.0, size=4), 0.0]  # 0: no gradient
    return [case(ratio, as_generator=i % 2 == 1) for i, ratio in enumerate(ratios)]


CLIP_GRADIENTS = Exercise(
    name="clip_gradients",
    title="clip gradients by their global norm",
    points=2,
    outputs={"gradients afterwards": "entry", "returned norm": ""},
    cases=clip_cases,
    drive=drivers.call_clip_gradients,
    reference=clip_gradients,
    against="`nn.utils.clip_grad_norm_`",
    mistakes=(
        Mistake(
            "Each tensor is clipped on its own, which turns the direction of the step. "
            "Use one norm over all tensors together.",
            clip_by(lambda g, total, max_norm: global_scale(g, g.norm(), max_norm)),
        ),
        Mistake(
            "This clips single values, which turns the direction of the step. "
            "Scale all gradients by one factor.",
            clip_values,
            also=(nn.utils.clip_grad_value_,),
        ),
        Mistake(
            "Small gradients are scaled up. Clipping only ever shortens: the factor is at most 1.",
            clip_by(lambda g, total, max_norm: max_norm / total),
        ),
        Mistake(
            "`parameters` may be a generator, as `model.parameters()` is: the second loop over it "
            "finds nothing. Make a list first.",
            goes_through_twice,
            also=(goes_through_twice_and_forgets_unused,),
        ),
        Mistake(
            "With all gradients 0 the norm is 0, and dividing by it fails. Scale only where the "
            "norm is larger than `max_norm`.",
            divides_by_zero,
        ),
        Mistake(
            "The root is missing: this is the square of the global norm.",
            forgets_the_root,
        ),
        Mistake(
            "The norms are added. The global norm is the root of the sum of their squares.",
            sum_of_norms,
        ),
        Mistake(
            "A parameter that the loss did not use has `grad` None. Skip it.",
            forgets_unused(lambda gradient: gradient.square().sum()),
            also=(
                forgets_unused(lambda gradient: (gradient**2).sum()),
                forgets_unused(lambda gradient: gradient.norm() ** 2),
                forgets_unused(lambda gradient: torch.linalg.vector_norm(gradient) ** 2),
            ),
        ),
        Mistake(
            "The gradients are clipped, but nothing is returned. Return the norm before clipping.",
            returns_nothing,
        ),
        Mistake(
            "The returned norm is the one after clipping. Return the norm before it.",
            clip_by(global_scale, returns="after"),
        ),
        Mistake(
            "The returned norm is right, but the gradients are unchanged. Scale `p.grad` in place, "
            "and not in a second loop over a generator that the first loop has used up.",
            clip_by(lambda g, total, max_norm: 1.0),
        ),
    ),
)

# --- mark_claims ----------------------------------------------------------------------------------

CLAIMS = {"A": 4, "B": 1, "C": 0, "D": 6, "E": 2, "F": 0, "G": 5, "H": 0}

HINTS = {
    "A": "Claim A: count the gates in equation 1.2.",
    "B": "Claim B: `rnn_step` would be refused for this. What happens to `h_prev` there?",
    "C": "Claim C: look at what `clip_gradients` does to a gradient that has already vanished.",
    "D": "Claim D: reverse a sequence and look at the last state again (section 1.1).",
    "E": "Claim E: your network of section 1.7 had one layer. How far back did its gradient reach?",
    "F": "Claim F: how many different W_hh did `rnn_forward` use over the whole sequence?",
    "G": "Claim G: what would a gate have to learn, so that the loss falls?",
    "H": "Claim H: move the explorer of section 1.7 above a spectral radius of 1.",
}
MARK_CLAIMS = claims_exercise(
    "mark_claims", "eight claims from the web, marked and corrected", CLAIMS, HINTS
)

EXERCISES = (
    RNN_STEP,
    RNN_FORWARD,
    RNN_SHAPES,
    LAST_STEP_RNN,
    EVERY_STEP_RNN,
    CARRY_STATE,
    TRAIN_ON_STREAM,
    GRADIENT_NORMS,
    CLIP_GRADIENTS,
    MARK_CLAIMS,
)
