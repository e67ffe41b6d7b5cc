"""The drivers of chapter 5: texts, ids, models of text and what they write."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import Given, Misfit, as_array, call, kind_of, named, whole
from helpers.calling.models import PlainSGD, holds_graph, parts_of, set_weights, weights_of


def call_build_vocab(answer: Callable, case: Given) -> dict[str, Any]:
    """Return the code points of the characters that an answer finds in `case["text"]`."""
    vocab = answer(case["text"])
    if isinstance(vocab, set | frozenset):
        raise Misfit(
            "A set has no order of its own: the same text would get other numbers tomorrow. "
            "Return a list."
        )
    if not isinstance(vocab, list | tuple | str):
        raise Misfit(f"Return the characters as a list; got {kind_of(vocab)}.")
    return {"vocab": _code_points(vocab, "vocab")}


def _code_points(characters: Iterable, name: str) -> list[int]:
    for character in characters:
        if not (isinstance(character, str) and len(character) == 1):
            raise Misfit(f"`{name}` must consist of single characters; found {character!r:.40}.")
    return [ord(character) for character in characters]


def _letters(case: Given) -> list[str]:
    """Lend the characters of `case["vocab"]` as a list."""
    vocab: list[str] = case.with_values(vocab=list(case["vocab"])).array("vocab")
    return vocab


def call_encode(answer: Callable, case: Given) -> dict[str, Any]:
    """Return the ids, and whether an answer refused the text with a ValueError.

    "refused" is 1 if the error names the unknown character, a half if not. A ValueError about a
    text without unknown characters is the answer's mistake, and goes through.
    """
    unknown = [c for c in case["text"] if c not in case["vocab"]]
    try:
        ids = answer(case["text"], _letters(case))
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


def call_decode(answer: Callable, case: Given) -> dict[str, Any]:
    """Return the code points of the text that an answer makes of ids."""
    text = answer(case.tensor("ids"), _letters(case))
    if not isinstance(text, str):
        raise Misfit(f"Return one string; got {kind_of(text)}. `''.join` makes one of many.")
    return {"text": _code_points(text, "text")}


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


DRAWS = 2000  # characters that an answer draws at once; samples are compared by their counts


def call_sample_next(answer: Callable, case: Given) -> dict[str, Any]:
    """Draw from the same rows of logits, DRAWS times at once: twice, and once from the first seed.

    The rows lie by turns: row i of what is drawn belongs to row i modulo their number.
    """
    rows = case["logits"]  # (rows, V), which differ
    many = np.tile(rows, (DRAWS // len(rows), 1))  # (DRAWS, V), by turns

    def draw(logits, rng):
        lent = case.with_values(logits=logits).tensor("logits")
        ids = answer(lent, case["temperature"], case["top_k"], rng)
        return _drawn(ids, (len(logits),), logits.shape[1])

    rng = torch.Generator().manual_seed(case["seed"])
    draw(rows[:1], rng)  # a batch of one has its own mistakes
    rng.manual_seed(case["seed"])
    first, second = draw(many, rng), draw(many, rng)
    again = draw(many, torch.Generator().manual_seed(case["seed"]))
    return {"first": first, "second": second, "again": again}


def _drawn(ids: Any, shape: tuple, letters: int) -> np.ndarray:
    """Return ids as an array of the shape that is expected. Raises Misfit."""
    array = as_array(ids, "ids")
    if array.shape != shape:
        raise Misfit(f"`ids` has shape {array.shape}; expected {shape}.")
    array = whole(array, "ids")
    if array.min() < 0 or array.max() >= letters:
        raise Misfit(f"`ids` runs from {array.min()} to {array.max()}; V is {letters}.")
    return array


class Reader(nn.Module):
    """A model of text that forgets nothing: its logits depend on every character it has read.

    The state (1, B), a number made of all of them, picks a row of a table of random logits.
    """

    ROWS = 9973  # a prime, so that texts seldom meet in one row
    normal = staticmethod(lru_cache(8)(lambda seed, n: np.random.default_rng(seed).normal(0, 2, n)))

    def __init__(self, letters: int, seed: int):
        super().__init__()
        table = self.normal(seed, (self.ROWS, letters))
        self.table = nn.Parameter(torch.from_numpy(table).float())
        self.recorded = False

    def forward(self, ids, state=None):
        self.recorded |= torch.is_grad_enabled()
        read = ids.new_zeros(len(ids)) if state is None else state[0]  # (B,)
        logits = []
        for ids_t in ids.unbind(dim=1):
            read = (31 * read + ids_t + 1) % self.ROWS
            logits.append(self.table[read])  # (B, V)
        return torch.stack(logits, dim=1), read[None]


def call_generate(answer: Callable, case: Given) -> dict[str, Any]:
    """Have an answer continue `case["prime"]` (B, P) with a small model, in two ways.

    "written" is what it writes where only the likeliest character is allowed; the others, each
    (DRAWS / 2, 2), are drawn from the first prime with the case's temperature and top_k, twice from
    one seed and once from another.
    """
    letters, length = case["letters"], case["length"]
    model = Reader(letters, case["seed"])
    prime = case["prime"]
    many = np.repeat(prime[:1], DRAWS // 2, axis=0)

    def write(prime, length, temperature, top_k, seed):
        rng = torch.Generator().manual_seed(seed)
        lent = case.with_values(prime=prime).tensor("prime")
        ids = answer(model, lent, length, temperature, top_k, rng)
        return _drawn(ids, (len(prime), length), letters)

    chance = (case["temperature"], case["top_k"])
    with torch.enable_grad():
        return {
            "written": write(prime, length, 1.0, 1, case["seed"]),
            "first": write(many, 2, *chance, case["seed"]),
            "again": write(many, 2, *chance, case["seed"]),
            "other": write(many, 2, *chance, case["seed"] + 1),
            "gradients recorded": model.recorded,
        }
