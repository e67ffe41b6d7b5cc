"""`carry_state`: carry a state into the next window without its graph, section 1.6.

B sequences in a batch, H hidden size. A state is a tensor (layers, B, H), that of an LSTM a pair of
such tensors (h, c).
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_01 import call_carry_state
from helpers.exercises.contract import Exercise, Mistake


def carry_state(state):
    """Return a state with the same values and no graph, copied by PyTorch under `no_grad`.

    state: a tensor (layers, B, H) or a tuple of such tensors; the result is of the same kind
    """
    with torch.no_grad():
        if isinstance(state, torch.Tensor):
            return state.clone()
        return tuple(part.clone() for part in state)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw states of one part and of two. The last has two layers: its length is 2, as a pair's."""

    def draw(parts):
        shape = (1, *rng.integers(2, 5, size=2))  # layers, B, H
        return [rng.normal(size=shape) for _ in range(parts)]

    two_layers = [rng.normal(size=(2, 3, 4))]
    return [{"parts": parts} for parts in (draw(1), draw(2), draw(1), draw(2), two_layers)]


def wrong(change=torch.detach) -> Callable:
    """Return a `carry_state` that departs from the right one in what is given.

    change: what is done to the tensor, or to both parts of the pair
    """
    return wrong_pair(lambda h, c: (change(h), change(c)), change)


def wrong_pair(pair: Callable, single=torch.detach) -> Callable:
    """Return a `carry_state` that makes pair(h, c) of an LSTM's state, single(state) of others."""
    return lambda state: pair(*state) if isinstance(state, tuple) else single(state)


def pair_by_length(state):
    return (state[0].detach(), state[1].detach()) if len(state) == 2 else state.detach()


EXERCISE = Exercise(
    name="carry_state",
    title="carry a state into the next window without its graph",
    points=1,
    difficulty=1,
    outputs={"state": "part layer B H", "tied to a graph": "part", "requires grad": "part"},
    cases=cases,
    drive=call_carry_state,
    reference=carry_state,
    tolerance=0.0,
    against="a copy made under `torch.no_grad`, for a tensor and for an LSTM's pair,",
    mistakes=(
        Mistake(
            "The state is still tied to the graph of its window. `detach` returns a new tensor: "
            "return that one. (`.clone()` stays in the graph.)",
            wrong(torch.clone),
        ),
        Mistake(
            "This starts afresh from zeros. The values must go on; only the graph is cut.",
            wrong(torch.zeros_like),
        ),
        Mistake(
            "Of an LSTM's pair only h is detached; c still drags the graph along.",
            wrong_pair(lambda h, c: (h.detach(), c)),
        ),
        Mistake(
            "Of an LSTM's pair only c is detached; h still drags the graph along.",
            wrong_pair(lambda h, c: (h, c.detach())),
        ),
        Mistake(
            "A single tensor is cut off; an LSTM's pair is handed on with its graph. Return what "
            "`detach` returns, for each part.",
            wrong_pair(lambda h, c: (h, c)),
        ),
        Mistake(
            "An LSTM's pair is cut off; a single tensor is handed on with its graph. Return what "
            "`detach` returns.",
            wrong_pair(lambda h, c: (h.detach(), c.detach()), lambda state: state),
        ),
        Mistake(
            "The pair comes back as (c, h). Keep its order, (h, c).",
            wrong_pair(lambda h, c: (c.detach(), h.detach())),
        ),
        Mistake(
            "Both parts of the pair are h, and c is lost. Return (h, c), each detached.",
            wrong_pair(lambda h, c: (h.detach(), h.detach())),
        ),
        Mistake(
            "Both parts of the pair are c, and h is lost. Return (h, c), each detached.",
            wrong_pair(lambda h, c: (c.detach(), c.detach())),
        ),
        Mistake(
            "c starts afresh from zeros, while h goes on. Both parts of the pair are the state.",
            wrong_pair(lambda h, c: (h.detach(), torch.zeros_like(c))),
        ),
        Mistake(
            "h starts afresh from zeros, while c goes on. Both parts of the pair are the state.",
            wrong_pair(lambda h, c: (torch.zeros_like(h), c.detach())),
        ),
        Mistake(
            "An LSTM's pair does not come back as a pair, but as one part, one tensor of both, a "
            "generator, or nothing. Return the tuple of both, each detached.",
            wrong_pair(lambda h, c: h.detach()),
        ),
        Mistake(
            "A single tensor does not come back as a tensor: is it taken apart along its layers, "
            "made an array, or is `return` missing? Only a tuple consists of parts.",
            lambda state: tuple(part.detach() for part in state),
        ),
        Mistake(
            "What comes back is no tensor. `.detach()` is enough: no `.numpy()`, no `.tolist()`.",
            wrong(lambda part: part.detach().numpy()),
        ),
        Mistake(
            "Only one layer's state is carried on. Every layer goes on with its own: keep the "
            "whole tensor.",
            wrong(lambda part: part[-1:].detach()),
            also=(
                wrong(lambda part: part[-1].detach()),
                wrong(lambda part: part[:1].detach()),
                wrong(lambda part: part[0].detach()),
            ),
        ),
        Mistake(
            "Only one sequence's state is carried on. Every sequence of the batch goes on with its "
            "own: keep the whole tensor.",
            wrong(lambda part: part[:, -1:].detach()),
            also=(
                wrong(lambda part: part[:, 0].detach()),
                wrong(lambda part: part[:, -1].detach()),
            ),
        ),
        Mistake(
            "All sequences go on from the mean of their states. Each has its own: keep the values "
            "as they are.",
            wrong(lambda part: part.detach().mean(dim=1, keepdim=True).expand_as(part)),
        ),
        Mistake(
            "This takes every state of length 2 for a pair, also the tensor of a network with two "
            "layers. Ask `isinstance(state, tuple)`.",
            pair_by_length,
        ),
        Mistake(
            "This handles a tensor only. An LSTM's state is a tuple (h, c): detach each part.",
            lambda state: state.detach(),
        ),
        Mistake(
            "The copy is cut off, but then asked to track gradients again. Leave that out.",
            wrong(lambda part: part.detach().requires_grad_()),
        ),
    ),
)
