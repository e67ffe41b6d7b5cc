"""`RNNTextGen`: a plain RNN that predicts the next character, section 5.4.

B texts side by side, T time steps, V characters, H hidden size.
"""

from collections.abc import Callable

import numpy as np
from torch import nn
from torch.nn import functional as F

from helpers.calling.arrays import Case
from helpers.calling.chapter_05 import call_text_model
from helpers.exercises.chapter_05.parts.text_models import (
    TEXT_OUTPUTS,
    TextModel,
    explain,
    mistakes_of_both,
)
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import new_seed


class RNNTextGen(nn.Module):
    """One layer of PyTorch's `nn.RNN` on one-hot input, and a linear layer at every step."""

    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        """Return logits (B, T, output_size) and the state (1, B, H) for x (B, T, input_size)."""
        states, h = self.rnn(x, h0)  # (B, T, H), (1, B, H)
        return self.fc(states), h


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw one-hot texts that the driver's changes are sure to change.

    They end in different characters, and the first begins with a row that is no character's.
    """
    drawn = []
    for V, H, B, T in [(5, 4, 3, 6), (7, 3, 2, 9), (4, 6, 4, 5)]:
        x = np.eye(V, dtype=np.float32)[rng.integers(V, size=(B, T))]
        x[:, -1], x[0, 0] = np.eye(V)[np.arange(B) % V], 1 - x[0, -2]
        sizes = [V, H, V + 2]
        drawn.append({"x": x, "sizes": sizes, "outputs": V + 2, "seed": new_seed(rng)})
    return drawn


def wrong(
    answer=lambda fc, s, h: (fc(s), h),
    network=nn.RNN,
    linear=nn.Linear,
    model=TextModel,
    batch_first=True,
    hooks=None,
    **settings,
) -> Callable:
    """Return an `RNNTextGen` that departs from the right one in what is given.

    hooks  what of a `TextModel` is not as it should be, `answer` aside
    """

    def build(input_size, hidden_size, output_size):
        rnn = network(input_size, hidden_size, batch_first=batch_first, **settings)
        fc = linear(hidden_size * (2 if rnn.bidirectional else 1), output_size)
        return model(nn.Identity(), rnn, fc, answer, **(hooks or {}))

    return build


EXERCISE = Exercise(
    name="RNNTextGen",
    title="a plain RNN that predicts the next character",
    points=2,
    difficulty=1,
    outputs=TEXT_OUTPUTS,
    cases=cases,
    drive=call_text_model,
    reference=RNNTextGen,
    against="`nn.RNN` and `nn.Linear` with the same weights, causal, in two halves and row by row,",
    explain=explain,
    mistakes=(
        *mistakes_of_both(wrong),
        Mistake(
            "The linear layer has `input_size` outputs. It needs `output_size`.",
            lambda V, hidden_size, output_size: RNNTextGen(V, hidden_size, V),
            also=(lambda V, hidden_size, output_size: RNNTextGen(V, hidden_size, hidden_size),),
        ),
        Mistake(
            "The state that you return has lost its axis of layers, so that the network does not "
            "take it the next time. Return it as the network gives it, (1, B, H).",
            wrong(lambda fc, s, h: (fc(s), h[0])),
            also=(wrong(lambda fc, s, h: (fc(s), s[:, -1])),),
        ),
        Mistake("Two layers. One is asked for here.", wrong(num_layers=2)),
        Mistake(
            "Too many parameters: a gated network. `RNNTextGen` is a plain one, `nn.RNN`.",
            wrong(network=nn.GRU),
            also=(wrong(network=nn.LSTM),),
        ),
        Mistake(
            "The network's nonlinearity is another than `tanh`, which is what `nn.RNN` has if "
            "nothing is said.",
            wrong(nonlinearity="relu"),
        ),
        Mistake(
            "The network's state has another size than `hidden_size`: the order is "
            "`nn.RNN(input_size, hidden_size)`.",
            lambda V, hidden_size, output_size: RNNTextGen(V, V, output_size),
            also=(lambda V, hidden_size, output_size: RNNTextGen(V, output_size, output_size),),
        ),
        Mistake(
            "`nn.Embedding` wants numbers of characters. `x` holds one-hot rows, which go into the "
            "network as they are.",
            wrong(hooks={"into": lambda embedding, x: F.embedding(x, x[0])}),
        ),
    ),
)
