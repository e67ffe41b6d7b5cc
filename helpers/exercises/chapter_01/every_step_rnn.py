"""`EveryStepRNN`: repair a model that answers once where an answer per step is due, section 1.5.

B sequences in a batch, T time steps, D input size, H hidden size, O output size.
"""

from collections.abc import Callable

import torch
from torch import nn

from helpers.calling.models import call_module
from helpers.exercises import chapter_01
from helpers.exercises.chapter_01.last_step_rnn import (
    RNNWithHead,
    cases,
    explain_module,
    from_ones,
    from_the_end,
    keeps_its_state,
    layer_mistakes,
    module_outputs,
    wrong,
)
from helpers.exercises.contract import Exercise, Mistake


class EveryStepRNN(RNNWithHead):
    """A recurrent network that answers at every step: x (B, T, D) to output (B, T, O), float32.

    The layers are PyTorch's, `nn.RNN` and `nn.Linear`.
    """

    def head(self, out, h_n):
        return self.fc(out)


def afresh_at_each_step(rnn, x):
    out, h_n = rnn(x.flatten(0, 1).unsqueeze(1))  # every step is a sequence
    return out.view(*x.shape[:2], -1), h_n


def from_the_end_and_back(rnn, x):
    out, h_n = rnn(x.flip(1))
    return out.flip(1), h_n


def shifted(by: int) -> Callable:
    """Return a model class that answers with the states of other steps, zeros where none is."""

    def head(self, out, h_n):
        nothing = torch.zeros_like(out[:, :1])
        parts = [nothing, out[:, :-1]] if by > 0 else [out[:, 1:], nothing]
        return self.fc(torch.cat(parts, dim=1))

    return wrong(head)


def unanswered(step: int) -> Callable:
    """Return a model class that leaves the answer of one step at 0."""

    def head(self, out, h_n):
        answered = torch.ones(out.shape[1], 1)
        answered[step] = 0
        return self.fc(out) * answered

    return wrong(head)


class VanillaRNN(RNNWithHead):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__(input_size, hidden_size, output_size)
        self.rnn = nn.VanillaRNN(input_size, hidden_size, batch_first=True)


EXERCISE = Exercise(
    name="EveryStepRNN",
    title="repair a model that answers once where an answer per step is due",
    points=2,
    difficulty=1,
    outputs=module_outputs("B T O"),
    cases=cases,
    drive=call_module,
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
            wrong(lambda self, out, h_n: self.fc(out[:, -1])),
            also=(
                wrong(lambda self, out, h_n: self.fc(out[:, -1:])),
                wrong(lambda self, out, h_n: self.fc(h_n)),
            ),
        ),
        Mistake(
            "`out[-1]` is the last sequence of the batch. Give all of `out` to the linear layer.",
            wrong(lambda self, out, h_n: self.fc(out[-1])),
        ),
        Mistake(
            "This repeats the last answer at every step. "
            "Step 1 then answers with what only step T has seen. Hand all of `out` to the layer.",
            wrong(lambda self, out, h_n: self.fc(out[:, -1:]).expand(-1, out.shape[1], -1)),
        ),
        Mistake(chapter_01.BATCH_FOR_TIME, wrong(EveryStepRNN.head, first=False)),
        Mistake(
            "This returns (T, B, O). The targets are (B, T, O), batch first.",
            wrong(lambda self, out, h_n: self.fc(out).transpose(0, 1)),
        ),
        Mistake(
            "This returns the hidden states. Hand them to the linear layer.",
            wrong(lambda self, out, h_n: out),
        ),
        Mistake(
            chapter_01.NO_GRADIENT,
            wrong(lambda self, out, h_n: self.fc(out.detach())),
            also=(wrong(lambda self, out, h_n: self.fc(out).detach()),),
        ),
        Mistake(
            "Every step starts from the state 0, so nothing is remembered. Hand the whole sequence "
            "to the network at once, or the state of one step to the next.",
            wrong(EveryStepRNN.head, run=afresh_at_each_step),
        ),
        Mistake(chapter_01.REMEMBERS, keeps_its_state(EveryStepRNN.head)),
        Mistake(chapter_01.ONES, wrong(EveryStepRNN.head, run=from_ones)),
        Mistake(
            "The sequence is read from its end, so that an answer knows what comes after it. "
            "Leave `x` in order.",
            wrong(EveryStepRNN.head, run=from_the_end),
            also=(wrong(EveryStepRNN.head, run=from_the_end_and_back),),
        ),
        Mistake(
            "Answers come a step late: step t is answered with the state of step t - 1, which has "
            "not seen its input. Give `out` as it is.",
            shifted(1),
        ),
        Mistake(
            "Answers come a step early: step t is answered with the state of step t + 1. "
            "Give `out` as it is.",
            shifted(-1),
        ),
        Mistake(
            "The answer of the first or of the last step stays 0. A loop over all T steps is "
            "`range(T)`; the linear layer takes all of `out` at once.",
            unanswered(0),
            also=(unanswered(-1),),
        ),
        Mistake(
            "The states go through one more function before the linear layer, ReLU or `tanh`. "
            "Hand them over as they are.",
            wrong(lambda self, out, h_n: self.fc(out.relu())),
            also=(wrong(lambda self, out, h_n: self.fc(out.tanh())),),
        ),
        *layer_mistakes(EveryStepRNN),
    ),
)
