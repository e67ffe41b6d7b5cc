"""`CharLSTM`: an LSTM of two layers that predicts the next character, section 5.4.

B texts side by side, T time steps, V characters, E embedding size, H hidden size.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn

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
    answer=lambda fc, s, state: (fc(s), state),
    network=nn.LSTM,
    linear=nn.Linear,
    model=TextModel,
    batch_first=True,
    hooks=None,
    embedding=nn.Embedding,
    **settings,
) -> Callable:
    """Return a `CharLSTM` that departs from the right one in what is given."""

    def build(vocab_size, embedding_size, hidden_size, num_layers=2):
        sizes = embedding_size, hidden_size, num_layers
        lstm = network(*sizes, batch_first=batch_first, **settings)
        fc = linear(hidden_size * (2 if lstm.bidirectional else 1), vocab_size)
        table = embedding(vocab_size, embedding_size)
        return model(table, lstm, fc, answer, **(hooks or {}))

    return build


def after_the_embedding(change: Callable) -> Callable:
    """Return a `CharLSTM` that changes the rows between the embedding and the LSTM."""
    return wrong(hooks={"into": lambda embedding, ids: change(embedding(ids))})


def one_part_new(which: int) -> Callable:
    """Return a `CharLSTM` that puts zeros for one part of the state that is handed in."""

    def start(state):
        return state and tuple(
            torch.zeros_like(part) if i == which else part for i, part in enumerate(state)
        )

    return wrong(hooks={"start": start})


def frozen(vocab_size, embedding_size):
    return nn.Embedding(vocab_size, embedding_size).requires_grad_(False)


EXERCISE = Exercise(
    name="CharLSTM",
    title="an LSTM of two layers that predicts the next character",
    points=3,
    difficulty=1,
    outputs=TEXT_OUTPUTS,
    cases=cases,
    drive=call_text_model,
    reference=CharLSTM,
    against="`nn.Embedding`, `nn.LSTM` and `nn.Linear` with the same weights, causal, in two "
    "halves and row by row,",
    explain=explain,
    mistakes=(
        *mistakes_of_both(wrong),
        Mistake(
            "The state's parts have changed places: PyTorch's pair is (h, c).",
            wrong(lambda fc, s, state: (fc(s), state[::-1])),
            also=(
                wrong(
                    lambda fc, s, state: (fc(s), state[::-1]),
                    hooks={"start": lambda state: state and state[::-1]},
                ),
            ),
        ),
        Mistake(
            "Nothing below the LSTM would learn: `detach` or `no_grad` cuts the embedding off.",
            after_the_embedding(torch.detach),
        ),
        Mistake(
            "The embedding is frozen, so it would never learn: leave `requires_grad` on.",
            wrong(embedding=frozen),
        ),
        Mistake(
            "An activation stands between the embedding and the LSTM. Its rows go in as they are.",
            after_the_embedding(torch.relu),
        ),
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
            "`embedding_size` and `hidden_size` have changed places: the order is "
            "`nn.LSTM(embedding_size, hidden_size, num_layers)`.",
            lambda V, E, H, num_layers=2: CharLSTM(V, H, E, num_layers),
        ),
        Mistake(
            "One row of the embedding never learns: `padding_idx` keeps its gradient at 0. Every "
            "character is one here.",
            wrong(embedding=partial(nn.Embedding, padding_idx=0)),
        ),
        Mistake(
            "The embedding has a row too many: there are `vocab_size` characters, 0 among their "
            "numbers.",
            wrong(embedding=lambda V, E: nn.Embedding(V + 1, E)),
        ),
        Mistake(
            "Of the state only h is returned. An LSTM goes on from the pair (h, c).",
            wrong(lambda fc, s, state: (fc(s), state[0])),
        ),
        Mistake(
            "Of the state that is handed in only one part is used, the other begins at zero. Hand "
            "on both, h and c: `self.lstm(x, state)`.",
            one_part_new(1),
            also=(one_part_new(0),),
        ),
        Mistake(
            "The state that you return is that of one layer alone, and the next call needs all "
            "layers. Return the LSTM's pair as it is.",
            wrong(lambda fc, s, state: (fc(s), tuple(part[-1:] for part in state))),
        ),
        Mistake(
            "The linear layer has another number of outputs than `vocab_size`.",
            wrong(linear=lambda inputs, V: nn.Linear(inputs, inputs)),
        ),
    ),
)
