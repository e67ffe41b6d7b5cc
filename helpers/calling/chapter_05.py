"""The drivers of chapter 5: texts, ids, models of text. What writes is in writing.py."""

import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import Given, Misfit, as_array, call, kind_of, named, whole
from helpers.calling.models import PlainSGD, holds_graph, parts_of, set_weights, weights_of


def call_encode(answer: Callable, case: Given) -> dict[str, Any]:
    """Return the ids, and whether an answer refused the text with a ValueError.

    "refused" is 1 if the error names the unknown character, a half if not. A ValueError about a
    text without unknown characters is the answer's mistake, and goes through.
    """
    unknown = [c for c in case["text"] if c not in case["vocab"]]
    try:
        letters = case.with_values(vocab=list(case["vocab"])).array("vocab")
        ids = answer(case["text"], letters)
    except ValueError as error:
        if not unknown:
            raise
        names_it = unknown[0] in str(error).replace(case["text"], "")
        return {"refused": 1.0 if names_it else 0.5, "ids": []}
    array = as_array(ids, "ids")
    if array.ndim != 1:
        raise Misfit(f"`ids` has shape {array.shape}; expected one number per character.")
    whole(array, "ids")
    if not isinstance(ids, torch.Tensor) or ids.dtype != torch.int64:
        is_now = f"of {ids.dtype}" if isinstance(ids, torch.Tensor) else f"{kind_of(ids)}"
        raise Misfit(f"`ids` is {is_now}. Return a tensor of dtype `torch.long`, 64 bits.")
    return {"refused": 0.0, "ids": array}


def call_batchify(answer: Callable, case: Given) -> dict[str, Any]:
    """Return x, y and the held-out ids, all of them whole numbers."""
    returned = named(call(answer, case).value, "x", "y", "held_out")
    return {name: whole(value, name) for name, value in returned.items()}


def call_bits_per_char(answer: Callable, case: Given) -> dict[str, Any]:
    """Hand over a way to learn, which counts pairs of characters and adds a little, and two texts.

    What is added keeps a pair that was never seen from having the probability 0.
    """

    added = case["added"]

    def learn(text):
        pairs, firsts = Counter(itertools.pairwise(text)), Counter(text[:-1])

        def probabilities(new):
            before = itertools.pairwise(new)
            first = [(text.count(c) + added) / (len(text) + 26 * added) for c in new[:1]]
            rest = [(pairs[a, b] + added) / (firsts[a] + 26 * added) for a, b in before]
            return np.array(first + rest)

        return probabilities

    return {"bits": answer(learn, case["train"], case["held_out"])}


CHANGES = (
    "Two equal calls give different logits: is a layer made anew in `forward`, is there a dropout "
    "that `eval()` does not switch off, or is something kept from the call before?"
)
ROW_GONE = "With one text alone the axis B is gone from the logits. Keep it: (1, T, V)."


def call_text_model(answer: Callable, case: Given) -> dict[str, Any]:
    """Build a model of text of the case's sizes, set its weights, and test its promises.

    Two equal calls must give equal logits. The second half of a text, run with the state of the
    first, must continue it; a later character must not change an earlier prediction, nor may one
    text change the predictions for another.
    """
    x = case.tensor("x")  # (B, T) ids or (B, T, V) one-hot
    model = answer(*case["sizes"])
    if not isinstance(model, nn.Module):
        raise Misfit(f"`{type(model).__name__}` is no `nn.Module`: derive the class from it.")
    set_weights(model, case["seed"], lambda model: model(x))
    model.eval()
    logits, last = _logits_and_state(model, x)  # (B, T, V)
    shape = (*x.shape[:2], case["outputs"])
    if logits.shape != shape:
        raise Misfit(f"The logits have shape {tuple(logits.shape)}; expected (B, T, V), {shape}.")
    if not torch.equal(_logits_and_state(model, x)[0], logits):
        raise Misfit(CHANGES)
    if _logits_and_state(model, x[:1])[0].shape != (1, *shape[1:]):
        raise Misfit(ROW_GONE)
    half = x.shape[1] // 2
    _, state = _logits_and_state(model, x[:, :half])
    second, _ = _logits_and_state(model, x[:, half:], state)
    later, other = x.clone(), x.clone()
    later[:, -1] = x[:, -1].roll(1, dims=0)
    other[0] = x[0].flip(0)
    with_later, with_other = (_logits_and_state(model, changed)[0] for changed in (later, other))
    parameters = list(model.parameters())
    cut = bool(parameters) and not any(map(holds_graph, parts_of(state)))
    return {
        "number of parameters": sum(p.numel() for p in parameters),
        "a later character changes an earlier prediction": _differ(
            with_later, logits, np.s_[:, :-1]
        ),
        "one sequence changes another": _differ(with_other, logits, np.s_[1:]),
        "rows of the weights that get no gradient": _unreached(parameters, logits),
        "logits": logits,
        "state": np.concatenate([as_array(part, "state").ravel() for part in parts_of(last)]),
        "logits of the second half, the state handed on": second,
        "the state is cut off from the graph": float(cut),
    }


def _logits_and_state(model: nn.Module, *inputs: Any) -> tuple:
    result = model(*inputs)
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise Misfit(f"`forward` must return two values, logits and state; got {kind_of(result)}.")
    if not isinstance(result[0], torch.Tensor):
        raise Misfit(f"The logits must be a tensor; got {kind_of(result[0])}.")
    return tuple(result)


def _differ(some: torch.Tensor, others: torch.Tensor, where: Any) -> float:
    return float(not torch.allclose(some[where], others[where], atol=1e-5))


def _unreached(parameters: list, logits: torch.Tensor) -> int:
    """Return how many rows of the parameters the logits send no gradient to."""
    if not parameters or not logits.requires_grad:
        return sum(map(len, torch.atleast_1d(parameters)))
    gradients = torch.autograd.grad(logits.square().sum(), parameters, materialize_grads=True)
    rows = (gradient.reshape(len(gradient), -1) for gradient in torch.atleast_1d(gradients))
    return sum(int((~gradient.any(dim=1)).sum()) for gradient in rows)


class LetterModel(nn.Module):
    """The smallest recurrent model of text: `logits, state = model(ids, state)`."""

    def __init__(self, network: str, letters: int, hidden_size: int, seed: int):
        super().__init__()
        self.embedding = nn.Embedding(letters, hidden_size)
        self.rnn = getattr(nn, network)(hidden_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, letters)
        set_weights(self, seed)

    def forward(self, ids, state=None):
        out, state = self.rnn(self.embedding(ids), state)  # (B, T, H)
        return self.fc(out), state  # (B, T, V)


def call_train_text_step(answer: Callable, case: Given) -> dict[str, Any]:
    """Train a small model on the chunks `case["x"]`, `case["y"]` (chunks, B, T), one by one."""
    model = LetterModel(case["network"], case["letters"], 4, case["seed"])
    taken: list[int] = []
    optimizer = PlainSGD(model.parameters(), lr=0.5, taken=taken)
    losses, state, loss_kept, state_kept = [], None, False, False
    for x, y in zip(case.tensor("x"), case.tensor("y"), strict=True):
        result = answer(model, x, y, state, optimizer, case["max_norm"])
        loss, state = named(result, "loss", "state").values()
        if isinstance(loss, tuple) or isinstance(state, float):
            raise Misfit("The two values are in the wrong order: the loss first, then the state.")
        losses.append(loss)
        loss_kept |= holds_graph(loss)
        state_kept |= any(map(holds_graph, parts_of(state)))
    return {
        "losses": losses,
        "trained weights": weights_of(model),
        "calls of optimizer.step": len(taken),
        "the loss holds on to its graph": loss_kept,
        "the state holds on to its graph": state_kept,
    }


class Questioned(LetterModel):
    """A model of text that notes whether gradients were recorded, and what state it was given.

    In training mode its logits are halved: that stands in for dropout, without its chance.
    """

    def __init__(self, letters: int, seed: int):
        super().__init__("GRU", letters, 6, seed)
        self.recorded = False

    def forward(self, ids, state=None):
        self.recorded |= torch.is_grad_enabled()
        logits, state = super().forward(ids, state)
        return (logits / 2 if self.training else logits) * 3, state


def call_network_probabilities(answer: Callable, case: Given) -> dict[str, Any]:
    """Hand over a model left in training mode, and the ids (N,) of a text."""
    model = Questioned(case["letters"], case["seed"]).train()
    with torch.enable_grad():
        p = answer(model, case.tensor("ids"))
    return {"probabilities": p, "gradients recorded": model.recorded}


def call_ablate_unit(answer: Callable, case: Given) -> dict[str, Any]:
    """Run the LSTM and the linear layer that an answer returns, on two halves of `case["x"]`.

    Raises Misfit unless it returns two things that can be called.
    """
    x = case.tensor("x")  # (B, T, E)
    lstm = nn.LSTM(x.shape[2], case["hidden_size"], batch_first=True)
    fc = nn.Linear(case["hidden_size"], case["outputs"])
    for layer in (lstm, fc):
        set_weights(layer, case["seed"])
    before = weights_of(nn.ModuleList([lstm, fc]))
    returned = named(answer(lstm, fc, case["unit"], case["value"]), "lstm", "fc")
    for name, layer in returned.items():
        if not callable(layer):
            raise Misfit(f"`{name}` is {kind_of(layer)}; return two layers that can be called.")
    half = x.shape[1] // 2
    out, state = returned["lstm"](x[:, :half])
    logits = [returned["fc"](out)]
    logits.append(returned["fc"](returned["lstm"](x[:, half:], state)[0]))
    return {
        "logits": torch.cat(logits, dim=1),
        "the layers that were given have changed": not torch.equal(
            before, weights_of(nn.ModuleList([lstm, fc]))
        ),
    }


def call_language(answer: Callable, case: Given) -> dict[str, Any]:
    """Have a language learned from `case["text"]`, and ask what comes after each beginning.

    The beginnings have `case["width"]` characters each and stand one after another in one string.
    """
    predict = answer(case["text"])
    if not callable(predict):
        raise Misfit(f"Return a function, `predict`; got {kind_of(predict)}.")
    text, width = case["beginnings"], case["width"]
    beginnings = [text[i : i + width] for i in range(0, len(text), width)]
    with torch.no_grad():
        return {"p": predict(list(beginnings)), "p of one": predict(beginnings[:1])}
