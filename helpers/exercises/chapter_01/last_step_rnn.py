"""`LastStepRNN`: a model that answers once per sequence, section 1.5.

What all exercises share that ask for a module of one `nn.RNN` and one `nn.Linear` is here too: a
base class, cases, outputs, the factory of wrong heads. `EveryStepRNN` and `SimpleRNN` of chapter 4
import it.

B sequences in a batch, T time steps, D input size, H hidden size, O output size.
"""

from collections.abc import Callable

import numpy as np
from torch import nn

from helpers.calling.arrays import Case
from helpers.calling.models import call_module
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.shared import new_seed, normal


class RNNWithHead(nn.Module):
    """One `nn.RNN` and one `nn.Linear`; a subclass says what its head makes of the states."""

    batch_first = True

    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=self.batch_first)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        return self.head(*self.rnn(x))

    def head(self, out, h_n):
        """Return the model's output, made of all states (B, T, H) and the last ones (1, B, H)."""
        raise NotImplementedError


class LastStepRNN(RNNWithHead):
    """A recurrent network that answers once per sequence: x (B, T, D) to output (B, O), float32.

    The layers are PyTorch's, `nn.RNN` and `nn.Linear`.
    """

    def head(self, out, h_n):
        return self.fc(out[:, -1])


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw sizes of a model and its input. A batch of 1 tells `squeeze`, B = T swapped axes."""
    sizes = [(3, 5, 3, 4, 2), (1, 6, 1, 5, 3), (4, 1, 2, 3, 1), (4, 4, 5, 6, 4)]  # B, T, D, H, O
    sizes += [tuple(rng.permutation(np.arange(2, 9))[:5].tolist()) for _ in range(4)]
    return [
        {
            "input_size": D,
            "hidden_size": H,
            "output_size": outputs,
            "x": normal(rng, B, T, D),
            "seed": new_seed(rng),
        }
        for B, T, D, H, outputs in sizes
    ]


def module_outputs(dimensions: str) -> dict[str, str]:
    """Return what `call_module` gives, for an output of these dimensions."""
    return {
        "number of parameters": "",
        "output": dimensions,
        "output on the same x again": dimensions,
        "gradients of the weights": "parameter",
    }


def explain_module(got: Arrays, expected: Arrays) -> str:
    """Return which layers are expected if their parameters are more or fewer, or what varies."""
    name = "number of parameters"
    if got[name] == expected[name]:
        first, again = got["output"], got["output on the same x again"]
        return "" if np.array_equal(first, again) else TWO_RUNS
    return (
        f"The model has {got[name]} parameters; one `nn.RNN` and one `nn.Linear` have "
        f"{expected[name]} at these sizes. Too many: a gated network (`nn.LSTM`, `nn.GRU`), or a "
        "second layer? Too few: no linear layer, or layers in a plain list, where PyTorch misses "
        "them?"
    )


TWO_RUNS = (
    "Two runs on the same x give different outputs: is the first state drawn at random, a layer "
    "made anew in `forward`, a dropout on, or something kept from the run before?"
)


def wrong(wrong_head: Callable) -> Callable:
    """Return a model class with another head than the right one."""

    class Wrong(RNNWithHead):
        head = wrong_head

    return Wrong


class WithoutBatchFirst(LastStepRNN):
    batch_first = False


class KeepsItsState(RNNWithHead):
    state = None

    def forward(self, x):
        out, h_n = self.rnn(x, self.state)
        self.state = h_n.detach()
        return self.fc(out[:, -1])


NO_GRADIENT = (
    "The outputs are right, but no gradient reaches the recurrent weights, so they never learn: "
    "something is detached, or computed under `no_grad`."
)

EXERCISE = Exercise(
    name="LastStepRNN",
    title="a model that answers once per sequence",
    points=3,
    outputs=module_outputs("B O"),
    cases=cases,
    drive=call_module,
    explain=explain_module,
    reference=LastStepRNN,
    against="`nn.RNN` and `nn.Linear` with the same weights",
    mistakes=(
        Mistake(
            "`out[-1]` is the last sequence of the batch, every step of it. "
            "The last step of every sequence is `out[:, -1]`.",
            wrong(lambda self, out, h_n: self.fc(out[-1])),
        ),
        Mistake(
            "This answers at every step. Hand only the last, `out[:, -1]`, to the linear layer.",
            wrong(lambda self, out, h_n: self.fc(out)),
        ),
        Mistake(
            "This reads the first step, which has seen one input. The last is `out[:, -1]`.",
            wrong(lambda self, out, h_n: self.fc(out[:, 0])),
        ),
        Mistake(
            "This averages the states over time. The task asks for the last one alone.",
            wrong(lambda self, out, h_n: self.fc(out.mean(dim=1))),
        ),
        Mistake(
            "`batch_first=True` is missing: the network takes the batch for time.",
            WithoutBatchFirst,
        ),
        Mistake(
            "`h_n` has a layer axis in front, (1, B, H), and so has this output. Take `h_n[-1]`.",
            wrong(lambda self, out, h_n: self.fc(h_n)),
        ),
        Mistake(
            "`squeeze()` drops every axis of size 1, also that of a batch of one sequence. "
            "Name the axis that is to go, or index it.",
            wrong(lambda self, out, h_n: self.fc(out[:, -1]).squeeze()),
        ),
        Mistake(
            "This returns the hidden state itself. Hand it to the linear layer.",
            wrong(lambda self, out, h_n: out[:, -1]),
        ),
        Mistake(
            "There is a softmax on the output. Return the linear layer's raw values: "
            "`cross_entropy` applies the softmax itself.",
            wrong(lambda self, out, h_n: self.fc(out[:, -1]).softmax(dim=-1)),
        ),
        Mistake(
            "There is a log-softmax on the output. Return the linear layer's raw values: "
            "`cross_entropy` applies it itself.",
            wrong(lambda self, out, h_n: self.fc(out[:, -1]).log_softmax(dim=-1)),
        ),
        Mistake(
            "There is a sigmoid on the output, which can then only be between 0 and 1.",
            wrong(lambda self, out, h_n: self.fc(out[:, -1]).sigmoid()),
        ),
        Mistake(
            "There is a `tanh` on the output. The states have been through it; the output is the "
            "linear layer's, as it is.",
            wrong(lambda self, out, h_n: self.fc(out[:, -1]).tanh()),
        ),
        Mistake(
            "There is a ReLU on the output, which can then never be negative.",
            wrong(lambda self, out, h_n: self.fc(out[:, -1]).relu()),
        ),
        Mistake(
            "The model remembers the previous call. Every sequence is new: start from zeros.",
            KeepsItsState,
        ),
        Mistake(
            NO_GRADIENT,
            wrong(lambda self, out, h_n: self.fc(out[:, -1].detach())),
            also=(wrong(lambda self, out, h_n: self.fc(out[:, -1]).detach()),),
        ),
    ),
)
