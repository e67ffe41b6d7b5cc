"""`network_probabilities`: what a network said of each character that came, equation 5.1.

N characters in a text, V in the vocabulary. A model is called as `logits, state = model(ids)`, with
ids (1, N) and logits (1, N, V).
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_05 import call_network_probabilities
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import new_seed


def network_probabilities(model, ids):
    """Return the probabilities (N,): exponentials of the logits, each row scaled to the sum 1."""
    model.eval()
    with torch.no_grad():
        scores = model(ids[None])[0][0].double()  # (N, V)
    scores = (scores - scores.amax(dim=1, keepdim=True)).exp()
    came = scores[torch.arange(len(ids) - 1), ids[1:]] / scores[:-1].sum(dim=1)
    return np.concatenate([[1 / scores.shape[1]], came.numpy()])


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw texts; one consists of a single character, and one has more steps than characters."""
    settings = ((5, 12), (3, 40), (9, 9), (4, 1), (30, 25))  # V, N
    return [
        {"ids": rng.integers(0, V, size=N), "letters": V, "seed": new_seed(rng)}
        for V, N in settings
    ]


def wrong(
    read: Callable = lambda ids: ids[:-1],
    asked: Callable = lambda ids: ids[1:],
    chance: Callable = lambda logits: logits.softmax(dim=1),
    first: Callable = lambda V: [1 / V],
    mode: Callable = lambda model: model.eval(),
    pick: Callable = lambda p, ids: p.gather(1, ids[:, None])[:, 0],
) -> Callable:
    """Return a `network_probabilities` that departs from the right one in what is given.

    read, asked  ids (N,) -> what the model reads, and the characters whose chance is looked up
    chance       logits (n, V) -> their chances
    first        V -> what is said of the first character
    """

    @torch.no_grad()
    def answer(model, ids):
        mode(model)
        if not len(read(ids)):
            V = model(ids[None])[0].shape[2]
            return torch.tensor(first(V))
        logits = model(read(ids)[None])[0][0]
        p = pick(chance(logits), asked(ids))
        return torch.cat([torch.tensor(first(logits.shape[1])).to(p), p])

    return answer


def first_by_length(model, ids):
    p = network_probabilities(model, ids)
    return np.concatenate([[1 / len(ids)], p[1:]])


def with_gradients(model, ids):
    model.eval()
    p = model(ids[None])[0][0].softmax(dim=1)  # (N, V)
    rest = p[:-1].gather(1, ids[1:, None])[:, 0]
    return torch.cat([torch.tensor([1 / p.shape[1]]), rest]).detach()


@torch.no_grad()
def each_alone(model, ids):
    """Let the network read one character at a time, each without what stands before it."""
    p = model.eval()(ids[:, None])[0][:, 0].softmax(dim=1)  # (N, V)
    rest = p[:-1].gather(1, ids[1:, None])[:, 0]
    return torch.cat([torch.tensor([1 / p.shape[1]]), rest])


def in_pieces(size: int) -> Callable:
    """Return one that lets the network read pieces of the text, each with a new state."""

    @torch.no_grad()
    def answer(model, ids):
        parts = [model.eval()(part[None])[0][0] for part in ids.split(size)]
        p = torch.cat(parts).softmax(dim=1)
        rest = p[:-1].gather(1, ids[1:, None])[:, 0]
        return torch.cat([torch.tensor([1 / p.shape[1]]), rest])

    return answer


EXERCISE = Exercise(
    name="network_probabilities",
    title="what the network said of each character that came",
    points=3,
    difficulty=2,
    outputs={"probabilities": "n", "gradients recorded": ""},
    cases=cases,
    drive=call_network_probabilities,
    reference=network_probabilities,
    against="exponentials of the logits, scaled to the sum 1,",
    mistakes=(
        Mistake(
            "The probabilities are not shifted: those after a character are asked about the same "
            "character. What the network says at step t is about character t + 1.",
            wrong(read=lambda ids: ids[1:]),
            also=(
                wrong(read=lambda ids: ids, asked=lambda ids: ids, first=lambda V: []),
                wrong(
                    read=lambda ids: ids,
                    asked=lambda ids: ids,
                    pick=lambda p, ids: p.gather(1, ids[:, None])[1:, 0],
                ),
                wrong(asked=lambda ids: ids[:-1]),
            ),
        ),
        Mistake(
            "The first character is missing: N probabilities are asked for, the first 1 / V.",
            wrong(first=lambda V: []),
        ),
        Mistake(
            "The first character gets the probability 1, as if it were known. Nothing stands "
            "before it, so it gets 1 / V.",
            wrong(first=lambda V: [1.0]),
        ),
        Mistake(
            "The first character gets 1 / N. V is not the length of the text, but the number of "
            "characters that could come: as many as there are logits.",
            first_by_length,
        ),
        Mistake(
            "The first character gets the probability 0, an infinite surprise. It gets 1 / V.",
            wrong(first=lambda V: [0.0]),
        ),
        Mistake(
            "These are logits. Their softmax over the V characters is the probabilities.",
            wrong(chance=lambda logits: logits),
        ),
        Mistake(
            "These are logarithms of probabilities. Leave them as they are: `softmax`, not "
            "`log_softmax`.",
            wrong(chance=lambda logits: logits.log_softmax(dim=1)),
            also=(
                wrong(
                    chance=lambda logits: logits.log_softmax(dim=1),
                    first=lambda V: [-float(np.log(V))],
                ),
                wrong(
                    chance=lambda logits: -logits.log_softmax(dim=1),
                    first=lambda V: [float(np.log(V))],
                ),
                wrong(
                    chance=lambda logits: -logits.log_softmax(dim=1) / np.log(2),
                    first=lambda V: [float(np.log2(V))],
                ),
            ),
        ),
        Mistake(
            "The softmax runs over time. At each step the V characters share the probability 1.",
            wrong(chance=lambda logits: logits.softmax(dim=0)),
        ),
        Mistake(
            "These are the probabilities of the likeliest characters. Look up those that came: "
            "`gather`.",
            wrong(pick=lambda p, ids: p.amax(dim=1)),
        ),
        Mistake(
            "The network is in training mode, where dropout is at work. Call `model.eval()`.",
            wrong(mode=lambda model: model.train()),
            also=(wrong(mode=lambda model: model),),
        ),
        Mistake(
            "Gradients are recorded, which costs memory for every step of the text. Nothing is "
            "learned here: `torch.no_grad()`.",
            with_gradients,
        ),
        Mistake(
            "Each character is read alone, with a new state, so that the network knows one "
            "character only. Let it read the text in one call.",
            each_alone,
        ),
        Mistake(
            "The text is read in pieces, and each begins with a new state. Hand the state on, or "
            "read all in one call.",
            in_pieces(8),
            also=tuple(map(in_pieces, (2, 3, 4, 5, 10, 16, 20, 32))),
        ),
        Mistake(
            "The softmax is applied twice, which makes everything nearly equally likely.",
            wrong(chance=lambda logits: logits.softmax(dim=1).softmax(dim=1)),
        ),
        Mistake(
            "These are the whole distributions, (N, V). Return one number per character: that of "
            "the one that came.",
            wrong(pick=lambda p, ids: p, first=lambda V: [[1 / V] * V]),
        ),
        Mistake(
            "The probability that should be the first stands at the end.",
            lambda model, ids: np.roll(network_probabilities(model, ids), -1),
        ),
        Mistake(
            "The numbers are multiplied up from the beginning: each is that of the whole text so "
            "far. Return those of the single characters.",
            lambda model, ids: np.cumprod(network_probabilities(model, ids)),
        ),
        Mistake(
            "This is one number for the whole text. Return the N probabilities; `bits_per_char` "
            "takes their logarithms and the mean.",
            lambda model, ids: -np.log2(network_probabilities(model, ids)).mean(),
            also=(
                lambda model, ids: -np.log(network_probabilities(model, ids)).mean(),
                lambda model, ids: network_probabilities(model, ids).mean(),
                lambda model, ids: network_probabilities(model, ids).prod(),
            ),
        ),
    ),
)
