"""`EveryStepRNN`: repair a model that answers once where an answer per step is due, section 1.5.

B sequences in a batch, T time steps, D input size, H hidden size, O output size.
"""

from torch import nn

from helpers.calling.models import call_module
from helpers.exercises.chapter_01.last_step_rnn import (
    NO_GRADIENT,
    RNNWithHead,
    cases,
    explain_module,
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


class WithoutBatchFirst(EveryStepRNN):
    batch_first = False


class VanillaRNN(RNNWithHead):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__(input_size, hidden_size, output_size)
        self.rnn = nn.VanillaRNN(input_size, hidden_size, batch_first=True)


EXERCISE = Exercise(
    name="EveryStepRNN",
    title="repair a model that answers once where an answer per step is due",
    points=2,
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
        ),
        Mistake(
            "This repeats the last answer at every step. "
            "The shape fits now, but step 1 answers with what only step T has seen.",
            wrong(lambda self, out, h_n: self.fc(out[:, -1:]).expand(-1, out.shape[1], -1)),
        ),
        Mistake(
            "`batch_first=True` is missing: the network takes the batch for time.",
            WithoutBatchFirst,
        ),
        Mistake(
            "This returns (T, B, O). The targets are (B, T, O), batch first.",
            wrong(lambda self, out, h_n: self.fc(out).transpose(0, 1)),
        ),
        Mistake(
            "This returns the hidden states. Hand them to the linear layer.",
            wrong(lambda self, out, h_n: out),
        ),
        Mistake(
            NO_GRADIENT,
            wrong(lambda self, out, h_n: self.fc(out.detach())),
            also=(wrong(lambda self, out, h_n: self.fc(out).detach()),),
        ),
    ),
)
