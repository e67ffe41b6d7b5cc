"""`CharLSTM`: an LSTM of two layers that predicts the next character, section 5.4.

B texts side by side, T time steps, V characters, E embedding size, H hidden size.
"""

from collections.abc import Callable

import numpy as np
from torch import nn
from torch.nn import functional as F

from helpers.calling.arrays import Case
from helpers.calling.chapter_05 import CHANGES, call_text_model
from helpers.exercises.chapter_01.carry_state import carry_state
from helpers.exercises.chapter_05.rnn_text_gen import (
    AHEAD,
    ALONE,
    CUT,
    DETACHED,
    EVERY_STATE,
    FRESH,
    LAST_ONLY,
    LOG_PROBABILITIES,
    MIXED,
    PROBABILITIES,
    SQUASHED,
    SWAPPED,
    TEXT_OUTPUTS,
    TextModel,
)
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import new_seed


class CharLSTM(nn.Module):
    """PyTorch's `nn.Embedding` and `nn.LSTM`, and a linear layer at every step."""

    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        """Return logits (B, T, V) and the state, h and c (num_layers, B, H), for ids (B, T)."""
        states, state = self.lstm(self.embedding(ids), state)  # (B, T, H)
        return self.fc(states), state


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw texts that end in different characters. The last network has one layer, not two."""
    drawn = []
    for sizes, B, T in [((7, 3, 5), 3, 6), ((9, 6, 4), 2, 9), ((6, 4, 5, 1), 4, 5)]:
        V = sizes[0]
        x = rng.integers(V, size=(B, T))
        inner = np.setdiff1d(np.arange(B * T), [0, *range(T - 1, B * T, T)])  # places kept below
        x.flat[rng.permutation(inner)[:V]] = np.arange(V)
        x[:, -1] = np.arange(B) % V
        x[0, 0] = (x[0, -1] + 1) % V
        drawn.append({"x": x, "sizes": list(sizes), "outputs": V, "seed": new_seed(rng)})
    return drawn


def wrong(
    answer=lambda fc, states, state: (fc(states), state),
    network=nn.LSTM,
    batch_first=True,
    **settings,
) -> Callable:
    """Return a `CharLSTM` that departs from the right one in what is given."""

    def build(vocab_size, embedding_size, hidden_size, num_layers=2):
        embedding = nn.Embedding(vocab_size, embedding_size)
        sizes = embedding_size, hidden_size, num_layers
        lstm = network(*sizes, batch_first=batch_first, **settings)
        return TextModel(embedding, lstm, vocab_size, answer)

    return build


class StartsAfresh(CharLSTM):
    def forward(self, ids, state=None):
        return super().forward(ids)


class PaddingNeverLearns(CharLSTM):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__(vocab_size, embedding_size, hidden_size, num_layers)
        self.embedding = nn.Embedding(vocab_size, embedding_size, padding_idx=0)


class DetachedEmbedding(CharLSTM):
    def forward(self, ids, state=None):
        states, state = self.lstm(self.embedding(ids).detach(), state)
        return self.fc(states), state


EXERCISE = Exercise(
    name="CharLSTM",
    title="an LSTM of two layers that predicts the next character",
    points=3,
    outputs=TEXT_OUTPUTS,
    cases=cases,
    drive=call_text_model,
    reference=CharLSTM,
    against="`nn.Embedding`, `nn.LSTM` and `nn.Linear` with the same weights, causal, in two "
    "halves and row by row,",
    mistakes=(
        Mistake(PROBABILITIES, wrong(lambda fc, s, state: (fc(s).softmax(dim=-1), state))),
        Mistake(LOG_PROBABILITIES, wrong(lambda fc, s, state: (fc(s).log_softmax(dim=-1), state))),
        Mistake(MIXED, wrong(batch_first=False)),
        Mistake(FRESH, StartsAfresh),
        Mistake(CUT, wrong(lambda fc, s, state: (fc(s), carry_state(state)))),
        Mistake(CHANGES, wrong(lambda fc, s, state: (fc(F.dropout(s, 0.5)), state))),
        Mistake(EVERY_STATE, wrong(lambda fc, s, state: (fc(s), s))),
        Mistake(
            "The state's parts have changed places: PyTorch's pair is (h, c).",
            wrong(lambda fc, s, state: (fc(s), state[::-1])),
        ),
        Mistake(AHEAD, wrong(bidirectional=True)),
        Mistake(ALONE, wrong(lambda fc, s, state: fc(s))),
        Mistake(LAST_ONLY, wrong(lambda fc, s, state: (fc(s[:, -1]), state))),
        Mistake(DETACHED, wrong(lambda fc, s, state: (fc(s.detach()), state))),
        Mistake(
            "Nothing below the LSTM would learn: the embedding is cut off by `detach`.",
            DetachedEmbedding,
        ),
        Mistake(SQUASHED, wrong(lambda fc, s, state: (fc(s.relu()), state))),
        Mistake(
            "This network has one layer. The exercise asks for `num_layers` of them, 2 by default.",
            lambda V, E, H, num_layers=2: CharLSTM(V, E, H, 1),
        ),
        Mistake(
            "This network always has two layers, also where `num_layers` says otherwise.",
            lambda V, E, H, num_layers=2: CharLSTM(V, E, H, 2),
        ),
        Mistake(
            "Too few parameters for LSTM layers: this is a GRU or a plain RNN.",
            wrong(network=nn.GRU),
            also=(wrong(network=nn.RNN),),
        ),
        Mistake(
            "The embedding has `hidden_size` numbers per character. Its size is an argument of its "
            "own, `embedding_size`.",
            lambda V, E, H, num_layers=2: CharLSTM(V, H, H, num_layers),
        ),
        Mistake(
            "One row of the embedding never learns: `padding_idx` keeps its gradient at 0. Every "
            "character is one here.",
            PaddingNeverLearns,
        ),
        Mistake(
            "Of the state only h is returned. An LSTM goes on from the pair (h, c).",
            wrong(lambda fc, s, state: (fc(s), state[0])),
        ),
        Mistake(SWAPPED, wrong(lambda fc, s, state: (state, fc(s)))),
    ),
)
