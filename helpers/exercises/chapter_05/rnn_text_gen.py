"""`RNNTextGen`: a plain RNN that predicts the next character, section 5.4.

B texts side by side, T time steps, V characters, H hidden size. What both models of section 5.4
share stands here: the outputs that are compared, the frame of wrong models, and messages.
"""

from collections.abc import Callable

import numpy as np
from torch import nn
from torch.nn import functional as F

from helpers.calling.arrays import Case
from helpers.calling.chapter_05 import CHANGES, call_text_model
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


class TextModel(nn.Module):
    """A recurrent network between an embedding and a linear layer, for known mistakes.

    answer  (linear layer, the network's states, its new state) -> what `forward` returns
    """

    def __init__(
        self, embedding: nn.Module, network: nn.RNNBase, output_size: int, answer: Callable
    ):
        super().__init__()
        self.embedding, self.network, self.answer = embedding, network, answer
        directions = 2 if network.bidirectional else 1
        self.fc = nn.Linear(directions * network.hidden_size, output_size)

    def forward(self, x, state=None):
        states, state = self.network(self.embedding(x), state)  # (B, T, H)
        return self.answer(self.fc, states, state)


def wrong(
    answer=lambda fc, states, h: (fc(states), h),
    network=nn.RNN,
    batch_first=True,
    **settings,
) -> Callable:
    """Return an `RNNTextGen` that departs from the right one in what is given."""

    def build(input_size, hidden_size, output_size):
        rnn = network(input_size, hidden_size, batch_first=batch_first, **settings)
        return TextModel(nn.Identity(), rnn, output_size, answer)

    return build


class StartsAfresh(RNNTextGen):
    def forward(self, x, h0=None):
        return super().forward(x)


class Remembers(RNNTextGen):
    h = None

    def forward(self, x, h0=None):
        states, self.h = self.rnn(x, self.h if h0 is None else h0)
        return self.fc(states), self.h


TEXT_OUTPUTS = {
    "number of parameters": "",
    "a later character changes an earlier prediction": "",
    "one sequence changes another": "",
    "rows of the weights that get no gradient": "",
    "logits": "B T V",
    "state": "number",
    "logits of the second half, the state handed on": "B T V",
    "the state is cut off from the graph": "",
}
PROBABILITIES = (
    "These are probabilities: `cross_entropy` applies the softmax itself, and doing it twice "
    "flattens everything. Return the logits, what the linear layer says."
)
LOG_PROBABILITIES = (
    "These are log-probabilities. The loss would not mind, but the exercise asks for the logits, "
    "what the linear layer says."
)
MIXED = "One text changes another: without `batch_first=True` the network takes the batch for time."
FRESH = (
    "The second half of a text does not know the first. Give the state that is handed in to the "
    "network, and return the one that comes out of it."
)
CUT = (
    "The state is cut off from the graph inside the model. Return it as the network gives it: what "
    "is cut, and when, is the training's business."
)
AHEAD = "A later character changes an earlier prediction: a network in both directions has read on."
ALONE = "Return the logits *and* the state; got the logits alone."
LAST_ONLY = "These are the logits of the last step. Every step predicts a character: (B, T, V)."
DETACHED = "Nothing in the network would learn: `detach` cuts the logits off from the weights."
SQUASHED = (
    "An activation stands between the network's states and the linear layer. The states have been "
    "through `tanh` already."
)
EVERY_STATE = (
    "What is returned as the state holds every step. What goes on is the second value "
    "that the network returns."
)
SWAPPED = "The two values are in the wrong order: logits first, then the state."

EXERCISE = Exercise(
    name="RNNTextGen",
    title="a plain RNN that predicts the next character",
    points=2,
    outputs=TEXT_OUTPUTS,
    cases=cases,
    drive=call_text_model,
    reference=RNNTextGen,
    against="`nn.RNN` and `nn.Linear` with the same weights, causal, in two halves and row by row,",
    mistakes=(
        Mistake(PROBABILITIES, wrong(lambda fc, s, h: (fc(s).softmax(dim=-1), h))),
        Mistake(LOG_PROBABILITIES, wrong(lambda fc, s, h: (fc(s).log_softmax(dim=-1), h))),
        Mistake(MIXED, wrong(batch_first=False)),
        Mistake(FRESH, StartsAfresh),
        Mistake(CUT, wrong(lambda fc, s, h: (fc(s), h.detach()))),
        Mistake(CHANGES, wrong(lambda fc, s, h: (fc(F.dropout(s, 0.5)), h)), also=(Remembers,)),
        Mistake(EVERY_STATE, wrong(lambda fc, s, h: (fc(s), s))),
        Mistake(
            "The linear layer has `input_size` outputs. It needs `output_size`.",
            lambda V, hidden_size, output_size: RNNTextGen(V, hidden_size, V),
        ),
        Mistake(AHEAD, wrong(bidirectional=True)),
        Mistake(ALONE, wrong(lambda fc, s, h: fc(s))),
        Mistake(
            LAST_ONLY,
            wrong(lambda fc, s, h: (fc(s[:, -1]), h)),
            also=(wrong(lambda fc, s, h: (fc(h[-1]), h)),),
        ),
        Mistake(DETACHED, wrong(lambda fc, s, h: (fc(s.detach()), h))),
        Mistake(SQUASHED, wrong(lambda fc, s, h: (fc(s.relu()), h))),
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
        Mistake(SWAPPED, wrong(lambda fc, s, h: (h, fc(s)))),
    ),
)
