"""How an answer is run on a case: plain arrays in, plain arrays out.

A driver is `(answer, case) -> values`. It knows how to call an answer and nothing about what is
right, so that it is the only part of an exercise that has to stand beside untrusted code.
"""

import contextlib
import functools
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn


class Misfit(Exception):
    """An answer returned something that cannot be compared; the message says what."""


@contextlib.contextmanager
def gradients_left_on() -> Iterator[None]:
    """Restore the recording of gradients, and raise Misfit if an answer has switched it off."""
    before = torch.is_grad_enabled()
    try:
        yield
    finally:
        after = torch.is_grad_enabled()
        torch.set_grad_enabled(before)
    if before != after:
        raise Misfit(
            "Gradients stay switched off for everything that follows, so nothing would learn any "
            "more. Use `with torch.no_grad():`, which ends with its block."
        )


def as_arrays(values: Any, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Return `values` as arrays under `names`; where there is one name, `values` is its value.

    Raises Misfit where that cannot be.
    """
    if len(names) == 1:
        values = (values,)
    elif not isinstance(values, tuple | list) or len(values) != len(names):
        got = f"{len(values)} values" if isinstance(values, tuple | list) else _kind(values)
        raise Misfit(
            f"Return {len(names)} values, {', '.join(f'`{n}`' for n in names)}; got {got}."
        )
    return {name: _as_array(value, name) for name, value in zip(names, values, strict=True)}


def _kind(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"{len(value)} values"
    return "None (is a `return` missing?)" if value is None else f"one {type(value).__name__}"


def _as_array(value: Any, name: str) -> np.ndarray:
    if value is None:
        raise Misfit(f"`{name}` is None: is a `return` missing?")
    if isinstance(value, tuple) and any(isinstance(part, torch.Tensor) for part in value):
        raise Misfit(f"Return `{name}` alone; got a tuple of {len(value)}.")
    if isinstance(value, list) and any(
        isinstance(part, torch.Tensor) and part.ndim for part in value
    ):
        raise Misfit(
            f"`{name}` is a list of {len(value)} tensors. Make one of them: `torch.stack`."
        )
    try:
        if isinstance(value, list) and any(isinstance(part, torch.Tensor) for part in value):
            value = torch.stack([torch.as_tensor(part) for part in value])
        if isinstance(value, torch.Tensor):
            value = value.detach().cpu().resolve_conj().resolve_neg().numpy()
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise Misfit(f"`{name}` cannot be read as one array: {error}") from None
    if array.dtype.kind not in "biuf":
        raise Misfit(f"`{name}` must consist of real numbers; it is {value!r:.60}.")
    return array


def call(answer: Callable, case: dict[str, Any]) -> Any:
    """Call a function with the case's values in order; arrays become tensors it must not change."""
    given = {name: _tensor(value) for name, value in case.items()}
    result = answer(*given.values())
    for name, value in given.items():
        if isinstance(value, torch.Tensor) and not torch.equal(value, _tensor(case[name])):
            raise Misfit(
                f"Your function changed its argument `{name}` in place: make a new tensor."
            )
    return result


def _tensor(value: Any) -> Any:
    return torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value


def call_with_numpy(answer: Callable, case: dict[str, Any]) -> Any:
    """Call a function with the case's values in order; it must not change its arrays."""
    given = {name: _copy(value) for name, value in case.items()}
    result = answer(*given.values())
    for name, value in given.items():
        if not all(map(np.array_equal, _listed(value), _listed(case[name]))):
            raise Misfit(f"Your function changed its argument `{name}` in place: make a new array.")
    return result


def _copy(value: Any) -> Any:
    return [part.copy() for part in value] if isinstance(value, list) else np.copy(value)[()]


def _listed(value: Any) -> list:
    return value if isinstance(value, list) else [value]


def call_for_dict(answer: Callable, case: dict[str, Any]) -> tuple:
    """Call a function that returns a dict with the keys `case["keys"]`; return its values."""
    result = answer()
    keys = case["keys"].split()
    if not isinstance(result, dict) or set(result) != set(keys):
        raise Misfit(f"Return a dict with exactly the keys {', '.join(keys)}.")
    for key, value in result.items():
        if not isinstance(value, int):
            raise Misfit(f"`{key}` is {value!r}; it must be a whole number.")
    return tuple(result[key] for key in keys)


def call_module(answer: Callable, case: dict[str, Any]) -> tuple:
    """Build a module of the case's sizes, set its weights, and run it twice on `case["x"]`.

    Returns the number of its parameters, its output, its output on the same input again, and the
    norms of the gradients that the first output sends to the parameters, in ascending order.
    """
    x = torch.from_numpy(case["x"])
    sizes = (case[name] for name in ("input_size", "hidden_size", "output_size"))
    model = answer(*sizes)
    set_weights(model, case["seed"])
    first, again = model(x), model(x)
    parameters = list(model.parameters())
    norms = [torch.zeros(())] * len(parameters)
    if parameters and isinstance(first, torch.Tensor) and first.requires_grad:
        loss = first.square().sum()
        gradients = torch.autograd.grad(loss, parameters, materialize_grads=True)
        norms = sorted(torch.linalg.vector_norm(g) for g in gradients)
    return sum(p.numel() for p in parameters), first, again, norms


def set_weights(model: nn.Module, seed: int) -> None:
    """Set every parameter from its shape and `seed`, whatever the modules are called."""
    drawn: dict[tuple, np.random.Generator] = {}
    with torch.no_grad():
        for parameter in model.parameters():
            shape = tuple(parameter.shape)
            rng = drawn.setdefault(shape, np.random.default_rng([seed, *shape]))
            values = rng.normal(size=shape) / np.sqrt(shape[-1])
            parameter.copy_(torch.as_tensor(values))


def call_carry_state(answer: Callable, case: dict[str, Any]) -> tuple:
    """Hand over a state that hangs in a graph: one tensor, or an LSTM's pair.

    Returns the values of what comes back, and of each part whether it still hangs in a graph and
    whether it asks for gradients of its own.
    """
    leaves = [torch.from_numpy(part).requires_grad_() for part in case["parts"]]
    parts = tuple(leaf * 1.0 for leaf in leaves)
    result = answer(parts if len(parts) == 2 else parts[0])
    if len(parts) == 2 and not (isinstance(result, tuple | list) and len(result) == 2):
        raise Misfit("An LSTM's state is the pair (h, c): return a pair for a pair.")
    results = tuple(result) if len(parts) == 2 else (result,)
    if not all(isinstance(part, torch.Tensor) for part in results):
        raise Misfit("The state that is carried on must consist of tensors.")
    tied = [part.grad_fn is not None for part in results]
    return torch.stack(results), tied, [part.requires_grad for part in results]


class StreamModel(nn.Module):
    """The smallest model that carries a state: `prediction, state = model(x, state)`."""

    def __init__(self, hidden_size: int):
        super().__init__()
        self.rnn = nn.RNN(1, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, 1)

    def forward(self, x, state=None):
        out, state = self.rnn(x, state)
        return self.fc(out), state


class PlainSGD:
    """Gradient descent that counts its steps.

    The first optimizer of `torch.optim` in a process costs a second (it imports a compiler), which
    is longer than an answer to an exercise may take.
    """

    def __init__(self, parameters, lr: float):
        self.param_groups = [{"params": list(parameters), "lr": lr}]
        self.steps = 0

    def zero_grad(self, set_to_none: bool = True):
        for parameter in self.param_groups[0]["params"]:
            parameter.grad = None if set_to_none else torch.zeros_like(parameter)

    @torch.no_grad()
    def step(self):
        self.steps += 1
        for parameter in self.param_groups[0]["params"]:
            if parameter.grad is not None:
                parameter.sub_(self.param_groups[0]["lr"] * parameter.grad)


def call_train_on_stream(answer: Callable, case: dict[str, Any]) -> tuple:
    """Train a small model on the windows `case["x"]`, `case["y"]`.

    Returns the losses, the weights at the end, how often the optimizer was stepped, and whether a
    loss still holds on to its graph.
    """
    x, y = torch.from_numpy(case["x"]), torch.from_numpy(case["y"])
    model = StreamModel(case["hidden_size"])
    set_weights(model, case["seed"])
    optimizer = PlainSGD(model.parameters(), lr=0.1)
    losses = answer(model, _once(zip(x, y, strict=True)), optimizer)
    weights = torch.cat([p.detach().flatten() for p in model.parameters()])
    listed = losses if isinstance(losses, list) else []
    kept = any(isinstance(loss, torch.Tensor) and loss.requires_grad for loss in listed)
    return losses, weights, optimizer.steps, kept


class LeakyCell(nn.Module):
    """A cell of one's own making: half of the old state and half of an RNN's new one."""

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.hidden_size = hidden_size
        self.rnn = nn.RNNCell(input_size, hidden_size)

    def forward(self, x_t, h):
        return 0.5 * h + 0.5 * self.rnn(x_t, h)


CELLS = {"RNNCell": nn.RNNCell, "GRUCell": nn.GRUCell, "LeakyCell": LeakyCell}


def call_gradient_norms(answer: Callable, case: dict[str, Any]) -> Any:
    """Run an answer on the case's kind of cell and weights, with a loss that weighs h_T by v."""
    x, v = torch.from_numpy(case["x"]), torch.from_numpy(case["v"])
    cell = CELLS[case["cell"]](x.shape[-1], v.shape[-1]).to(x.dtype)
    set_weights(cell, case["seed"])
    return answer(cell, x, lambda h_T: (h_T * v).sum())


def call_sine_backward(answer: Callable, case: dict[str, Any]) -> tuple:
    """Return what an answer gives as dw1, dw2, dh in the order in which errors travel."""
    result = call_with_numpy(answer, case)
    if not isinstance(result, tuple | list) or len(result) != 3:
        raise Misfit(f"Return three arrays, dw1, dw2 and dh; got {_kind(result)}.")
    return tuple(result)[::-1]


def call_epoch_today(answer: Callable, case: dict[str, Any]) -> tuple:
    """Hand over tensors, the weights as leaves.

    Returns the total and the weights afterwards, whether the total still holds on to its graph, and
    whether each weight still requires gradients.
    """
    x, y, w1, w2 = (torch.from_numpy(case[name].copy()) for name in ("x", "y", "w1", "w2"))
    w1.requires_grad_()
    w2.requires_grad_()
    total = answer(x, y, w1, w2, case["lr"])
    kept = isinstance(total, torch.Tensor) and total.requires_grad
    return total, w1, w2, kept, [w.requires_grad for w in (w1, w2)]


def call_numerical_gradient(answer: Callable, case: dict[str, Any]) -> tuple:
    """Hand over a smooth function of the array `case["w"]`; return gradient and w afterwards."""
    w, a, b = (case[name].copy() for name in ("w", "a", "b"))

    def loss(w):
        return float(np.sum(a * np.sin(b * w)) + np.prod(np.cos(w)))

    gradient = answer(loss, w)
    return gradient, w


def call_sgd_step(answer: Callable, case: dict[str, Any]) -> tuple:
    """Take three steps in a row; return all weights, and all velocities, as one array each."""
    weights, velocities = case["weights"], case["velocities"]
    for gradients in (case["gradients"], case["gradients_2"], case["gradients_3"]):
        settings = (case["lr"], case["momentum"], case["max_norm"])
        step = {"weights": weights, "gradients": gradients, "velocities": velocities}
        step |= dict(zip(("lr", "momentum", "max_norm"), settings, strict=True))
        result = call_with_numpy(answer, step)
        if not (isinstance(result, tuple | list) and len(result) == 2):
            raise Misfit("Return two lists, the new weights and the new velocities.")
        weights, velocities = ([np.asarray(part) for part in parts] for parts in result)
    return tuple(
        np.concatenate([part.ravel() for part in parts]) for parts in (weights, velocities)
    )


def call_clip_gradients(answer: Callable, case: dict[str, Any]) -> tuple:
    """Hand over parameters with the case's gradients, one of them without; return what is left.

    In half of the cases the parameters come as `model.parameters()` gives them: to go through once.
    """
    parameters = [nn.Parameter(torch.zeros_like(torch.from_numpy(g))) for g in case["gradients"]]
    for parameter, gradient in zip(parameters, case["gradients"], strict=True):
        parameter.grad = torch.from_numpy(gradient.copy())
    unused = nn.Parameter(torch.zeros(2))
    given = [parameters[0], unused, *parameters[1:]]
    norm = answer(_once(given) if case["as_generator"] else given, case["max_norm"])
    norm = float("nan") if norm is None else norm
    return torch.cat([p.grad.flatten() for p in parameters]), norm


def call_encode_padded(answer: Callable, case: dict[str, Any]) -> Any:
    """Hand over a bidirectional GRU of the case's sizes, the padded batch and its lengths."""
    x, lengths = torch.from_numpy(case["x"]), torch.from_numpy(case["lengths"])
    sizes = (x.shape[-1], case["hidden_size"], case["num_layers"])
    gru = nn.GRU(*sizes, batch_first=True, bidirectional=True)
    set_weights(gru, case["seed"])
    return answer(gru, x, lengths)


def call_adding_problem_batch(answer: Callable, case: dict[str, Any]) -> tuple:
    """Return x and y of a batch, x of a second with the same seed, and x of one with another."""

    def batch(seed):
        named = as_arrays(answer(case["batch_size"], case["T"], seed), ("x", "y"))
        return named["x"], named["y"]

    (x, y), (again, _) = batch(case["seed"]), batch(case["seed"])
    other, _ = batch((case["seed"] + 1) % 2**31)
    return x, y, again, other


def call_set_forget_bias(answer: Callable, case: dict[str, Any]) -> tuple:
    """Hand over an LSTM of the case's sizes.

    Returns what is left in it: the forget gate's biases, both of them added, of every layer and
    direction; the other gates' biases; all matrices; and which parameters still ask for gradients.
    """
    sizes = (case["input_size"], case["hidden_size"], case["num_layers"])
    lstm = nn.LSTM(*sizes, bidirectional=case["bidirectional"])
    set_weights(lstm, case["seed"])
    answer(lstm, case["value"])
    named = dict(lstm.named_parameters())
    first = [name for name in named if "bias_ih" in name]
    sums = [named[name] + named[name.replace("bias_ih", "bias_hh")] for name in first]
    gates = torch.stack(sums).unflatten(1, (4, case["hidden_size"])).detach()
    matrices = torch.cat([p.flatten() for name, p in named.items() if "weight" in name])
    grads = [p.requires_grad for p in named.values()]
    return gates[:, 1], gates[:, [0, 2, 3]], matrices, grads


def call_loss(answer: Callable, case: dict[str, Any]) -> tuple:
    """Call a loss with the case's values in order, the first of which asks for a gradient.

    Returns the loss and its gradient as one row, zeros if there is none.
    """
    prediction, *others = (_tensor(value) for value in case.values())
    prediction.requires_grad_()
    loss = answer(prediction, *others)
    gradient = torch.zeros_like(prediction)
    if isinstance(loss, torch.Tensor) and loss.requires_grad and loss.ndim == 0:
        (gradient,) = torch.autograd.grad(loss, prediction, materialize_grads=True)
    return loss, gradient.flatten()


def call_guarded_loss(answer: Callable, case: dict[str, Any]) -> tuple:
    """Call a loss as `call_loss` does, on two arrays whose shapes may differ.

    Returns also, in front, whether it refused them with a ValueError because they do: 1 if the
    error names both shapes, a half if not. A ValueError about equal shapes goes through.
    """
    shapes = [value.shape for value in case.values()]
    try:
        return 0.0, *call_loss(answer, case)
    except ValueError as error:
        if len(set(shapes)) == 1:
            raise
        named = all(re.search(_as_pattern(shape), str(error)) for shape in shapes)
        return 1.0 if named else 0.5, 0.0, torch.zeros(case["prediction"].size)


def _as_pattern(shape: tuple) -> str:
    """Return a pattern for a shape in words, in round or square brackets."""
    return r"[(\[]" + r",\s*".join(map(str, shape)) + r",?[)\]]"


class Watched(nn.Module):
    """A linear model of the mean over time that notes how it was called.

    Out of training mode its output is twice as large: that stands for dropout, without its chance.
    """

    def __init__(self, seed: int):
        super().__init__()
        self.fc = nn.Linear(1, 1)
        set_weights(self, seed)
        self.recorded, self.in_order = False, True

    def forward(self, x):
        self.recorded |= torch.is_grad_enabled()
        self.in_order &= bool((x.diff(dim=1) >= 0).all())
        return self.fc(x.mean(dim=1)) * (1 if self.training else 2)

    def weights(self):
        return torch.cat([p.detach().flatten() for p in self.parameters()])


def call_train_epoch(answer: Callable, case: dict[str, Any]) -> tuple:
    """Hand over a model out of an evaluation and batches of rising series, the last one smaller.

    Returns whether the model always saw the series rise; the loss; the weights afterwards; how
    often the optimizer was stepped; and whether the loss still holds on to its graph.
    """
    x, y = torch.from_numpy(case["x"]), torch.from_numpy(case["y"])
    model = Watched(case["seed"]).eval()
    optimizer = PlainSGD(model.parameters(), lr=0.2)
    sizes = case["batch_size"]
    loss = answer(model, list(zip(x.split(sizes), y.split(sizes), strict=True)), optimizer)
    kept = isinstance(loss, torch.Tensor) and loss.requires_grad
    return model.in_order, loss, model.weights(), optimizer.steps, kept


def call_evaluate(answer: Callable, case: dict[str, Any]) -> tuple:
    """Hand over a model out of training.

    Returns the error, whether gradients were recorded while the model ran, its weights, and whether
    each of them can still learn.
    """
    model = Watched(case["seed"]).train()
    error = answer(model, torch.from_numpy(case["x"]), torch.from_numpy(case["y"]))
    can_learn = [p.requires_grad for p in model.parameters()]
    return error, model.recorded, model.weights(), can_learn


def call_make_windows(answer: Callable, case: dict[str, Any]) -> tuple:
    """Return windows and targets, and how many bits their numbers have."""
    result = call_with_numpy(answer, case)
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise Misfit(f"Return two arrays or tensors, x and y; got {_kind(result)}.")
    bits = [torch.as_tensor(part).dtype.itemsize * 8 for part in result]
    return *result, bits


def call_forecast_recursive(answer: Callable, case: dict[str, Any]) -> Any:
    """Hand over a function, a small recurrent model of one step, and series not to be changed."""
    model = StreamModel(6)
    set_weights(model, case["seed"])
    forecast = functools.partial(answer, lambda x: model(x)[0][:, -1])
    return call(forecast, {"x": case["x"], "steps": case["steps"]})


def call_fill_gaps(answer: Callable, case: dict[str, Any]) -> tuple:
    """Return whether the series was refused with a ValueError, and the filled series.

    A ValueError about a series that begins with a number goes through.
    """
    values = case["values"].copy()
    try:
        filled = answer(values)
    except ValueError:
        if not np.isnan(case["values"][0]):
            raise
        return True, np.zeros(0)
    if not np.array_equal(values, case["values"], equal_nan=True):
        raise Misfit("Your function changed its argument `values` in place: make a new array.")
    return False, filled


def call_split_and_scale(answer: Callable, case: dict[str, Any]) -> tuple:
    """Return the three parts, and the first once more, after the values behind it were changed."""
    parts = call_with_numpy(answer, case)
    if not isinstance(parts, tuple | list) or len(parts) != 3:
        raise Misfit(f"Return three arrays, train, validation and test; got {_kind(parts)}.")
    changed = case["values"].copy()
    changed[case["n_train"] :] = 7.0
    return *parts, answer(changed, case["n_train"], case["n_val"])[0]


def call_forecaster(answer: Callable, case: dict[str, Any]) -> Any:
    """Run the model that an answer returns on the series `case["x"]`, out of training mode."""
    model = answer()
    if not isinstance(model, nn.Module):
        raise Misfit(f"Return a trained model, an `nn.Module`; got {_kind(model)}.")
    was_training = model.training
    with torch.no_grad():
        forecast = model.eval()(torch.from_numpy(case["x"]))
    model.train(was_training)
    return forecast


def _once(items: Iterable) -> Iterator:
    yield from items


# --- text -----------------------------------------------------------------------------------------


def call_build_vocab(answer: Callable, case: dict[str, Any]) -> Any:
    """Return the code points of the characters that an answer finds in `case["text"]`."""
    vocab = answer(case["text"])
    if isinstance(vocab, set | frozenset):
        raise Misfit(
            "A set has no order of its own: the same text would get other numbers tomorrow. "
            "Return a list."
        )
    if not isinstance(vocab, list | tuple | str):
        raise Misfit(f"Return the characters as a list; got {_kind(vocab)}.")
    return _code_points(vocab, "vocab")


def _code_points(characters: Iterable, name: str) -> list[int]:
    for character in characters:
        if not (isinstance(character, str) and len(character) == 1):
            raise Misfit(f"`{name}` must consist of single characters; found {character!r:.40}.")
    return [ord(character) for character in characters]


def call_encode(answer: Callable, case: dict[str, Any]) -> tuple:
    """Return whether an answer refused the text with a ValueError, and the ids.

    Refused is 1 if the error names the unknown character, a half if not. A ValueError about a text
    without unknown characters goes through.
    """
    unknown = [c for c in case["text"] if c not in case["vocab"]]
    try:
        ids = answer(case["text"], list(case["vocab"]))
    except ValueError as error:
        if not unknown:
            raise
        named = unknown[0] in str(error).replace(case["text"], "")
        return 1.0 if named else 0.5, []
    array = as_arrays(ids, ("ids",))["ids"]
    if array.ndim != 1:
        raise Misfit(f"`ids` has shape {array.shape}; expected one number per character.")
    _check_whole(array, "ids")
    return 0.0, array


def _check_whole(array: np.ndarray, name: str) -> None:
    """Raise Misfit unless an array holds whole numbers, as numbers of characters are."""
    if array.dtype.kind not in "iu":
        raise Misfit(
            f"`{name}` holds {array.dtype}; the number of a character is whole: torch.int64."
        )


def call_decode(answer: Callable, case: dict[str, Any]) -> Any:
    """Return the code points of the text that an answer makes of ids."""
    text = answer(torch.from_numpy(case["ids"]), list(case["vocab"]))
    if not isinstance(text, str):
        raise Misfit(f"Return one string; got {_kind(text)}. `''.join` makes one of many.")
    return _code_points(text, "text")


def call_batchify(answer: Callable, case: dict[str, Any]) -> tuple:
    """Return x, y and the held-out ids, all of them whole numbers."""
    named = as_arrays(call(answer, case), ("x", "y", "held_out"))
    for name, array in named.items():
        _check_whole(array, name)
    return tuple(named.values())


def call_bits_per_char(answer: Callable, case: dict[str, Any]) -> Any:
    """Hand over a way to learn, which counts pairs of characters and adds one, and two texts."""

    def learn(text):
        pairs, firsts = Counter(itertools.pairwise(text)), Counter(text[:-1])

        def probabilities(new):
            before = itertools.pairwise(new)
            rest = [(pairs[a, b] + 1) / (firsts[a] + 26) for a, b in before]
            return np.array([1 / 26, *rest][: len(new)])

        return probabilities

    return answer(learn, case["train"], case["held_out"])


CHANGES = (
    "Two equal calls give different logits: is a layer made anew in `forward`, is there a dropout "
    "that `eval()` does not switch off, or is something kept from the call before?"
)


def call_text_model(answer: Callable, case: dict[str, Any]) -> tuple:
    """Build a model of text of the case's sizes, set its weights, and run it on `case["x"]`.

    Returns the number of its parameters; whether a later character changes an earlier prediction;
    whether one sequence changes another; how many parameters the logits send no gradient to; its
    logits; those of the second half of the time steps, with the state handed on; and whether the
    state is cut off from the graph. Two equal calls must give equal logits.
    """
    x = torch.from_numpy(case["x"])
    model = answer(*case["sizes"])
    if not isinstance(model, nn.Module):
        raise Misfit(f"`{type(model).__name__}` is no `nn.Module`: derive the class from it.")
    set_weights(model, case["seed"])
    model.eval()

    def run(*inputs):
        result = model(*inputs)
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise Misfit(
                f"`forward` must return two values, logits and state; got {_kind(result)}."
            )
        if not isinstance(result[0], torch.Tensor):
            raise Misfit(f"The logits must be a tensor; got {_kind(result[0])}.")
        return result

    logits, _ = run(x)
    shape = (*x.shape[:2], case["outputs"])
    if logits.shape != shape:
        raise Misfit(f"The logits have shape {tuple(logits.shape)}; expected (B, T, V), {shape}.")
    if not torch.equal(run(x)[0], logits):
        raise Misfit(CHANGES)
    half = x.shape[1] // 2
    _, state = run(x[:, :half])
    second, _ = run(x[:, half:], state)
    later, other = x.clone(), x.clone()
    later[:, -1] = x[:, -1].roll(1, dims=0)
    other[0] = x[0].flip(0)
    looks_ahead = not torch.allclose(run(later)[0][:, :-1], logits[:, :-1], atol=1e-5)
    mixes = not torch.allclose(run(other)[0][1:], logits[1:], atol=1e-5)
    parameters = unreached = list(model.parameters())
    if parameters and logits.requires_grad:
        gradients = torch.autograd.grad(logits.square().sum(), parameters, materialize_grads=True)
        unreached = [g for g in gradients if not g.any()]
    size = sum(p.numel() for p in parameters)
    facts = [float(fact) for fact in (looks_ahead, mixes)]
    parts = state if isinstance(state, tuple | list) else (state,)
    cut = not any(isinstance(part, torch.Tensor) and part.requires_grad for part in parts)
    return size, *facts, len(unreached), logits, second, float(cut and bool(parameters))


class LetterModel(nn.Module):
    """The smallest recurrent model of text: `logits, state = model(ids, state)`."""

    def __init__(self, network: str, letters: int, hidden_size: int, seed: int):
        super().__init__()
        self.embedding = nn.Embedding(letters, hidden_size)
        self.rnn = getattr(nn, network)(hidden_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, letters)
        set_weights(self, seed)

    def forward(self, ids, state=None):
        out, state = self.rnn(self.embedding(ids), state)
        return self.fc(out), state


def call_train_text_step(answer: Callable, case: dict[str, Any]) -> tuple:
    """Train a small model on the chunks `case["x"]`, `case["y"]` (chunks, B, T), one after another.

    Returns the losses, the weights at the end, how often the optimizer was stepped, whether a loss
    still holds on to its graph, and whether a state does.
    """
    model = LetterModel(case["network"], case["letters"], 4, case["seed"])
    optimizer = PlainSGD(model.parameters(), lr=0.5)
    losses, state, kept, tied = [], None, False, False
    for x, y in zip(torch.from_numpy(case["x"]), torch.from_numpy(case["y"]), strict=True):
        result = answer(model, x, y, state, optimizer, case["max_norm"])
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise Misfit(f"Return two values, the loss and the state; got {_kind(result)}.")
        loss, state = result
        if isinstance(loss, tuple) or isinstance(state, float):
            raise Misfit("The two values are in the wrong order: the loss first, then the state.")
        losses.append(loss)
        kept |= isinstance(loss, torch.Tensor) and loss.requires_grad
        parts = state if isinstance(state, tuple | list) else (state,)
        tied |= any(isinstance(part, torch.Tensor) and part.requires_grad for part in parts)
    weights = torch.cat([p.detach().flatten() for p in model.parameters()])
    return losses, weights, optimizer.steps, kept, tied


DRAWS = 2000


def call_sample_next(answer: Callable, case: dict[str, Any]) -> tuple:
    """Draw from the same logits DRAWS times at once, twice, and once more from the first seed."""
    logits = torch.from_numpy(case["logits"]).repeat(DRAWS, 1)

    def draw(rng):
        ids = answer(logits.clone(), case["temperature"], case["top_k"], rng)
        return _drawn(ids, (DRAWS,), logits.shape[1])

    rng = torch.Generator().manual_seed(case["seed"])
    one = answer(logits[:1].clone(), case["temperature"], case["top_k"], rng)
    _drawn(one, (1,), logits.shape[1])
    rng.manual_seed(case["seed"])
    return draw(rng), draw(rng), draw(torch.Generator().manual_seed(case["seed"]))


def _drawn(ids: Any, shape: tuple, letters: int) -> np.ndarray:
    """Return ids as an array of the shape that is expected, or raise Misfit."""
    array = as_arrays(ids, ("ids",))["ids"]
    if array.shape != shape:
        raise Misfit(f"`ids` has shape {array.shape}; expected {shape}, one number per row.")
    _check_whole(array, "ids")
    if array.min() < 0 or array.max() >= letters:
        raise Misfit(f"`ids` runs from {array.min()} to {array.max()}; V is {letters}.")
    return array


class Reader(nn.Module):
    """A model of text that forgets nothing: its logits depend on every character it has read.

    The state (1, B) is a number made of all of them, and picks a row of a table of random logits.
    """

    ROWS = 9973

    def __init__(self, letters: int, seed: int):
        super().__init__()
        table = np.random.default_rng(seed).normal(scale=2.0, size=(self.ROWS, letters))
        self.table = nn.Parameter(torch.from_numpy(table).float())
        self.recorded = False

    def forward(self, ids, state=None):
        self.recorded |= torch.is_grad_enabled()
        read = ids.new_zeros(len(ids)) if state is None else state[0]
        logits = []
        for ids_t in ids.unbind(dim=1):
            read = (31 * read + ids_t + 1) % self.ROWS
            logits.append(self.table[read])
        return torch.stack(logits, dim=1), read[None]


def call_generate(answer: Callable, case: dict[str, Any]) -> tuple:
    """Let a small model write on from `case["prime"]` (B, P), in two ways.

    Returns what it writes where only the likeliest character is allowed; what it draws from the
    first prime with the case's temperature and top_k, (DRAWS / 2, 2), twice from one seed and once
    from another; and whether gradients were recorded.
    """
    letters, length = case["letters"], case["length"]
    model = Reader(letters, case["seed"])
    prime = torch.from_numpy(case["prime"])
    many = prime[:1].repeat(DRAWS // 2, 1)

    def draw(seed):
        rng = torch.Generator().manual_seed(seed)
        drawn = answer(model, many.clone(), 2, case["temperature"], case["top_k"], rng)
        return _drawn(drawn, (len(many), 2), letters)

    with torch.enable_grad():
        rng = torch.Generator().manual_seed(case["seed"])
        likeliest = answer(model, prime.clone(), length, 1.0, 1, rng)
        likeliest = _drawn(likeliest, (len(prime), length), letters)
        first, again, other = (draw(case["seed"] + k) for k in (0, 0, 1))
    return likeliest, first, again, other, model.recorded
