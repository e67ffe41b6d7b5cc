"""`SimpleRNN`: a model that answers once per sequence, as `LastStepRNN` of chapter 1, section 4.4.

B sequences in a batch, T time steps, D input size, O output size.
"""

from helpers.calling.models import call_module
from helpers.exercises.chapter_01 import last_step_rnn
from helpers.exercises.chapter_01.last_step_rnn import (
    LastStepRNN,
    RNNWithHead,
    cases,
    explain_module,
    module_outputs,
    wrong,
)
from helpers.exercises.contract import Exercise, Mistake


class SimpleRNN(LastStepRNN):
    """A recurrent layer and a linear layer on its last state: x (B, T, D) to output (B, O).

    The layers are PyTorch's, `nn.RNN` and `nn.Linear`.
    """


class WantsAState(RNNWithHead):
    def forward(self, x, h_0):
        out, _ = self.rnn(x, h_0)
        return self.fc(out[:, -1])


class MixesSequencesAndSteps(RNNWithHead):
    batch_first = False

    def forward(self, x):
        B, T, D = x.shape
        out, _ = self.rnn(x.reshape(T, B, D))
        return self.fc(out[-1])


EXERCISE = Exercise(
    name="SimpleRNN",
    title="the model that the program uses and never defines",
    points=2,
    difficulty=1,
    outputs=module_outputs("B O"),
    cases=cases,
    drive=call_module,
    reference=SimpleRNN,
    against="`nn.RNN` and `nn.Linear` with the same weights",
    explain=explain_module,
    mistakes=(
        Mistake(
            "`forward` asks for a state that nobody hands over. Call the network as `self.rnn(x)`: "
            "it starts from zeros then.",
            WantsAState,
        ),
        Mistake(
            "This returns the output and the state. Return the output alone.",
            wrong(lambda self, out, h_n: (self.fc(out[:, -1]), h_n)),
        ),
        Mistake(
            "`squeeze(-1)` takes away the axis of the output where it is 1, and the loss "
            "broadcasts. Leave the output at (B, output_size).",
            wrong(lambda self, out, h_n: self.fc(out[:, -1]).squeeze(-1)),
        ),
        Mistake(
            "The linear layer has one output, whatever is asked for. Give it `output_size`.",
            lambda input_size, hidden_size, output_size: SimpleRNN(input_size, hidden_size, 1),
        ),
        Mistake(
            "The recurrent layer takes one feature, whatever is asked for. Give it `input_size`.",
            lambda input_size, hidden_size, output_size: SimpleRNN(1, hidden_size, output_size),
        ),
        Mistake(
            "A `reshape` or `view` to (T, B, D) mixes series and steps. `x.transpose(0, 1)` swaps "
            "the axes; with `batch_first=True` neither is needed.",
            MixesSequencesAndSteps,
        ),
        Mistake(
            "There are 20 units, whatever is asked for. Use `hidden_size`.",
            lambda input_size, hidden_size, output_size: SimpleRNN(input_size, 20, output_size),
        ),
        *last_step_rnn.EXERCISE.mistakes,
    ),
)
