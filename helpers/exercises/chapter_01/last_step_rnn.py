"""`LastStepRNN`: a model that answers once per sequence, section 1.5.

What all exercises share that ask for a module of one `nn.RNN` and one `nn.Linear` is here too: a
base class, cases, outputs, the factory of wrong heads. `EveryStepRNN` imports it.

B sequences in a batch, T time steps, D input size, H hidden size, O output size.
"""

from collections.abc import Callable

import numpy as np
from torch import nn

from helpers.calling.arrays import Case
from helpers.calling.models import call_module
from helpers.exercises import chapter_01
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.equality import equal_arrays
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
        right = equal_arrays(first, expected["output"], 1e-5)
        if np.array_equal(first, again):
            return _explain_gradients(got, expected) if right else ""
        return chapter_01.KEPT if right else chapter_01.TWO_RUNS
    if not got[name]:
        return f"The model has 0 parameters; {chapter_01.NOT_SEEN}"
    return (
        f"The model has {got[name]} parameters; one `nn.RNN` and one `nn.Linear` have "
        f"{expected[name]} at these sizes. Too many: a gated network (`nn.LSTM`, `nn.GRU`), or a "
        "second layer? Too few: no linear layer, or layers in a plain list, where PyTorch misses "
        "them?"
    )


def _explain_gradients(got: Arrays, expected: Arrays) -> str:
    name = "gradients of the weights"
    zeros = [np.count_nonzero(arrays[name] == 0) for arrays in (got, expected)]
    return chapter_01.NO_GRADIENT if zeros[0] > zeros[1] else chapter_01.GRADIENTS


def wrong(wrong_head: Callable, first=True, run=lambda rnn, x: rnn(x)) -> Callable:
    """Return a model class that departs from the right one in what is given.

    first: its `batch_first`; run: (rnn, x) -> what the head gets
    """

    class Wrong(RNNWithHead):
        batch_first = first
        head = wrong_head

        def forward(self, x):
            return self.head(*run(self.rnn, x))

    return Wrong


def from_ones(rnn, x):
    return rnn(x, x.new_ones(1, len(x), rnn.hidden_size))


def from_the_end(rnn, x):
    return rnn(x.flip(1))


def keeps_its_state(right_head: Callable) -> Callable:
    """Return a model class that starts a run from the last state of the run before."""

    class KeepsItsState(RNNWithHead):
        head = right_head
        state = None

        def forward(self, x):
            out, h_n = self.rnn(x, self.state)
            self.state = h_n.detach()
            return self.head(out, h_n)

    return KeepsItsState


def other_layers(model: type[RNNWithHead], layers: Callable) -> Callable:
    """Return what makes a model with other layers: layers(D, H, O) -> attribute -> layer."""

    def make(*sizes):
        made = model(*sizes)
        for name, layer in layers(*sizes).items():
            setattr(made, name, layer)
        return made

    return make


def layer_mistakes(model: type[RNNWithHead]) -> tuple[Mistake, ...]:
    """Return mistakes in the layers; most are given away by the number of parameters."""

    def mistake(sentence: str, layers: Callable) -> Mistake:
        counted = f"Going by the number of parameters, {sentence}"
        return Mistake(counted, other_layers(model, layers))

    def network(kind=nn.RNN, **options):
        return lambda D, H, outputs: {"rnn": kind(D, H, batch_first=True, **options)}

    return (
        mistake("the recurrent layer is an `nn.GRU`. Take the plain `nn.RNN`.", network(nn.GRU)),
        mistake("the recurrent layer is an `nn.LSTM`. Take the plain `nn.RNN`.", network(nn.LSTM)),
        mistake("there are two recurrent layers. One is enough.", network(num_layers=2)),
        mistake(
            "the network is bidirectional. Let it read in one direction, and give the linear layer "
            "`hidden_size` inputs.",
            lambda D, H, outputs: (
                network(bidirectional=True)(D, H, outputs) | {"fc": nn.Linear(2 * H, outputs)}
            ),
        ),
        mistake("the recurrent layer has no biases. Leave them on.", network(bias=False)),
        mistake(
            "the linear layer has no bias. It has one in equation 1.3: leave it on.",
            lambda D, H, outputs: {"fc": nn.Linear(H, outputs, bias=False)},
        ),
        mistake(
            "the linear layer gives `input_size` values. Give it `output_size`.",
            lambda D, H, outputs: {"fc": nn.Linear(H, D)},
        ),
        mistake(
            "there is one more linear layer, from `hidden_size` to `hidden_size`. One linear layer "
            "is asked for.",
            lambda D, H, outputs: {"fc": nn.Sequential(nn.Linear(H, H), nn.Linear(H, outputs))},
        ),
        mistake(
            f"the recurrent layer is the only one. Where is the linear one? {chapter_01.NOT_SEEN}",
            lambda D, H, outputs: {"fc": nn.Identity()},
        ),
        Mistake(
            "The network uses ReLU inside. The plain one uses `tanh`, `nn.RNN`'s default.",
            other_layers(model, network(nonlinearity="relu")),
        ),
    )


EXERCISE = Exercise(
    name="LastStepRNN",
    title="a model that answers once per sequence",
    points=3,
    difficulty=1,
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
            "This averages over time, states or answers. The last one alone is asked for.",
            wrong(lambda self, out, h_n: self.fc(out.mean(dim=1))),
        ),
        Mistake(
            chapter_01.BATCH_FOR_TIME,
            wrong(LastStepRNN.head, first=False),
            also=(wrong(lambda self, out, h_n: self.fc(h_n[-1]), first=False),),
        ),
        Mistake(
            "`h_n` has a layer axis in front, (1, B, H), and so has this output. Take `h_n[-1]`.",
            wrong(lambda self, out, h_n: self.fc(h_n)),
        ),
        Mistake(
            "`squeeze()` drops every axis of size 1, also that of a batch of one sequence. "
            "Name the axis that is to go, or index it.",
            wrong(lambda self, out, h_n: self.fc(out[:, -1]).squeeze()),
            also=(wrong(lambda self, out, h_n: self.fc(h_n.squeeze())),),
        ),
        Mistake(
            "This returns the hidden state itself. Hand it to the linear layer.",
            wrong(lambda self, out, h_n: out[:, -1]),
        ),
        Mistake(
            "There is a softmax on the output. Return the linear layer's values as they are.",
            wrong(lambda self, out, h_n: self.fc(out[:, -1]).softmax(dim=-1)),
        ),
        Mistake(
            "There is a log-softmax on the output. Return the linear layer's values as they are.",
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
        Mistake(chapter_01.REMEMBERS, keeps_its_state(LastStepRNN.head)),
        Mistake(
            chapter_01.NO_GRADIENT,
            wrong(lambda self, out, h_n: self.fc(out[:, -1].detach())),
            also=(wrong(lambda self, out, h_n: self.fc(out[:, -1]).detach()),),
        ),
        Mistake(chapter_01.ONES, wrong(LastStepRNN.head, run=from_ones)),
        Mistake(
            "The sequence is read from its end, so the last state is that after the first input. "
            "Leave `x` in order.",
            wrong(LastStepRNN.head, run=from_the_end),
        ),
        Mistake(
            "These are the last rows of all states laid end to end: steps of the last sequences "
            "only. The last step of every sequence is `out[:, -1]`.",
            wrong(lambda self, out, h_n: self.fc(out.flatten(0, 1)[-len(out) :])),
        ),
        Mistake(
            "All steps enter the answer, by a sum or a maximum over time. The task asks for the "
            "last state alone.",
            wrong(lambda self, out, h_n: self.fc(out.sum(dim=1))),
            also=(wrong(lambda self, out, h_n: self.fc(out.amax(dim=1))),),
        ),
        Mistake(
            "The last state goes through one more function before the linear layer, ReLU or "
            "`tanh`. Hand it over as it is.",
            wrong(lambda self, out, h_n: self.fc(out[:, -1].relu())),
            also=(wrong(lambda self, out, h_n: self.fc(out[:, -1].tanh())),),
        ),
        *layer_mistakes(LastStepRNN),
    ),
)
