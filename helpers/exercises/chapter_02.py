"""The exercises of chapter 2, backpropagation through time by hand.

Symbols: T time steps, H context units; `w1` (1 + H, H) takes the input and the context to the next
context, `w2` (H, 1) takes the context to the prediction. All arrays are NumPy's, in float64.
"""

import functools

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.sgd import sgd

from helpers.exercises import drivers
from helpers.exercises.checking import Exercise, Mistake


def sine_case(rng, T, H, scale=0.7):
    """Return a series, its targets and weights, as the chapter has them."""
    start, step = rng.uniform(0, 6), rng.uniform(0.2, 0.8)
    data = np.sin(start + step * np.arange(T + 1))
    return {
        "x": data[:-1],
        "y": data[1:],
        "w1": rng.normal(0, scale, (1 + H, H)),
        "w2": rng.normal(0, scale, (H, 1)),
    }


@functools.cache
def torch_rnn(H):
    """Return an `nn.RNN` to be called with weights; its input is added to the context's part."""
    with torch.random.fork_rng(devices=[]):
        return nn.RNN(H, H, bias=False, batch_first=True, dtype=torch.float64)


def torch_forward(x, w1, w2, h_0=None):
    """Return predictions (B, T), contexts (B, T, H) and inputs to tanh (B, T, H), as tensors.

    x (B, T); h_0 (B, H), zeros by default. All carry gradients where the weights do.
    """
    H = w1.shape[1]
    h_0 = torch.zeros(len(x), H, dtype=w1.dtype) if h_0 is None else h_0
    u = x.unsqueeze(-1) * w1[0]
    weights = {"weight_ih_l0": torch.eye(H, dtype=w1.dtype), "weight_hh_l0": w1[1:].T}
    contexts, _ = torch.func.functional_call(torch_rnn(H), weights, (u, h_0.unsqueeze(0)))
    return (contexts @ w2).squeeze(-1), contexts, u


def tensors(*arrays, grad=False):
    return tuple(torch.tensor(np.asarray(a), requires_grad=grad) for a in arrays)


# --- sine_forward ---------------------------------------------------------------------------------


def sine_forward(x, w1, w2):
    predictions, contexts, _ = torch_forward(*tensors(x[None], w1, w2))
    return predictions[0].numpy(), np.vstack([np.zeros(w1.shape[1]), contexts[0].numpy()])


def forward_cases(rng):
    sizes = [
        (20, 6),
        (1, 6),
        (5, 1),
        (3, 3),
        (2, 2),
        *(tuple(rng.integers(2, 12, 2)) for _ in range(5)),
    ]
    keys = ("x", "w1", "w2")
    return [{k: v for k, v in sine_case(rng, T, H).items() if k in keys} for T, H in sizes]


def forward_with(z=lambda x_t, h: np.append(x_t, h), squash=np.tanh, out=lambda h, w2: h @ w2):
    """Return a `sine_forward` that departs from the right one in one place."""

    def answer(x, w1, w2):
        contexts, predictions = [np.zeros(w1.shape[1])], []
        for x_t in x:
            contexts.append(squash(z(x_t, contexts[-1]) @ w1))
            predictions.append(out(contexts[-1], w2)[0])
        return np.array(predictions), np.stack(contexts)

    return answer


def without_first_context(x, w1, w2):
    predictions, contexts = sine_forward(x, w1, w2)
    return predictions, contexts[1:]


def without_last_context(x, w1, w2):
    predictions, contexts = sine_forward(x, w1, w2)
    return predictions, contexts[:-1]


def one_array_for_all(x, w1, w2):
    predictions, contexts = sine_forward(x, w1, w2)
    return predictions, np.tile(contexts[-1], (len(contexts), 1))


def from_previous_context(x, w1, w2):
    _, contexts = sine_forward(x, w1, w2)
    return (contexts[:-1] @ w2)[:, 0], contexts


def as_a_column(x, w1, w2):
    predictions, contexts = sine_forward(x, w1, w2)
    return predictions[:, None], contexts


SINE_FORWARD = Exercise(
    name="sine_forward",
    title="the sine network, forward, in NumPy",
    points=2,
    outputs={"predictions": "T", "contexts": "T+1 H"},
    cases=forward_cases,
    drive=drivers.call_with_numpy,
    reference=sine_forward,
    against="the same network in PyTorch",
    tolerance=1e-10,
    mistakes=(
        Mistake(
            "The context is not carried: every step starts from zeros.",
            forward_with(z=lambda x_t, h: np.append(x_t, 0 * h)),
        ),
        Mistake(
            "Input and context are joined in the wrong order: row 0 of w1 is for the input.",
            forward_with(z=lambda x_t, h: np.append(h, x_t)),
        ),
        Mistake(
            "The context is not squashed. Equation 2.2 has a `tanh`.",
            forward_with(squash=lambda a: a),
        ),
        Mistake(
            "The prediction is squashed too. Equation 2.3 is linear.",
            forward_with(out=lambda h, w2: np.tanh(h @ w2)),
        ),
        Mistake(
            "The first context is missing. Return T + 1 contexts, from h_0 = 0 to h_T.",
            without_first_context,
        ),
        Mistake(
            "The last context is missing. Return T + 1 contexts, from h_0 = 0 to h_T.",
            without_last_context,
        ),
        Mistake(
            "Every row of the contexts is the last one: the same array was changed in place and "
            "stored again. Store a new array at each step.",
            one_array_for_all,
        ),
        Mistake(
            "Each prediction is made from the context before its step. Use the new one, h_t.",
            from_previous_context,
        ),
        Mistake(
            "The predictions have a second axis of size 1, (T, 1). Against targets (T,) that would "
            "broadcast to (T, T). Return (T,).",
            as_a_column,
        ),
    ),
)

# --- sine_backward --------------------------------------------------------------------------------


def sine_backward(x, y, predictions, contexts, w1, w2):
    weights = tensors(w1, w2, grad=True)
    made, states, u = torch_forward(*tensors(x[None]), *weights)
    loss = (made - torch.tensor(y)).square().sum() / 2
    dw1, dw2, delta = torch.autograd.grad(loss, (*weights, u))
    return dw1.numpy(), dw2.numpy(), (delta / (1 - states.detach() ** 2))[0].numpy()


def backward_cases(rng):
    sizes = [
        (20, 6),
        (1, 6),
        (5, 1),
        (7, 7),
        (2, 3),
        *(tuple(rng.integers(2, 15, 2)) for _ in range(5)),
    ]
    cases = []
    for T, H in sizes:
        case = sine_case(rng, T, H)
        predictions, contexts = sine_forward(case["x"], case["w1"], case["w2"])
        weights = {"w1": case.pop("w1"), "w2": case.pop("w2")}
        cases.append({**case, "predictions": predictions, "contexts": contexts, **weights})
    return cases


def backward_with(
    error=lambda prediction, target: prediction - target,
    carried=lambda delta, w1: w1[1:] @ delta,
    slope=lambda contexts, t: 1 - contexts[t + 1] ** 2,
    z=lambda x, contexts, t: np.append(x[t], contexts[t]),
    add=lambda total, new: total + new,
    h_for_dw2=lambda contexts, t: contexts[t + 1],
    to_h=lambda e, w2: w2[:, 0] * e,
    order=lambda T: range(T)[::-1],
    add_to_dw2=None,
    sent=lambda delta, dh: delta,
    into_dw1=lambda delta, dh: delta,
):
    """Return a `sine_backward` that departs from the right one in one place."""

    def answer(x, y, predictions, contexts, w1, w2):
        dw1, dw2 = np.zeros_like(w1), np.zeros_like(w2)
        dh = np.zeros_like(contexts[1:])
        back = np.zeros(len(w2))
        for t in order(len(x)):
            e = error(predictions[t], y[t])
            dw2 = (add_to_dw2 or add)(dw2, np.outer(h_for_dw2(contexts, t), e))
            dh[t] = to_h(e, w2) + back
            delta = dh[t] * slope(contexts, t)
            dw1 = add(dw1, np.outer(z(x, contexts, t), into_dw1(delta, dh[t])))
            back = carried(sent(delta, dh[t]), w1)
        return dw1, dw2, dh

    return answer


def dw1_without_context_rows(*arguments):
    dw1, dw2, dh = sine_backward(*arguments)
    dw1[1:] = 0
    return dw1, dw2, dh


def deltas_for_dh(x, y, predictions, contexts, w1, w2):
    dw1, dw2, dh = sine_backward(x, y, predictions, contexts, w1, w2)
    return dw1, dw2, dh * (1 - contexts[1:] ** 2)


def only_own_error(x, y, predictions, contexts, w1, w2):
    dw1, dw2, _ = sine_backward(x, y, predictions, contexts, w1, w2)
    return dw1, dw2, np.outer(predictions - y, w2)


def flat_dw2(*arguments):
    dw1, dw2, dh = sine_backward(*arguments)
    return dw1, dw2[:, 0], dh


def dw1_transposed(*arguments):
    dw1, dw2, dh = sine_backward(*arguments)
    return dw1.T, dw2, dh


def mean_over_time(x, *arguments):
    return tuple(part / len(x) for part in sine_backward(x, *arguments))


def w2_as_it_is(x, y, predictions, contexts, w1, w2):
    return backward_with(to_h=lambda e, w2: e @ w2)(x, y, predictions[:, None], contexts, w1, w2)


SINE_BACKWARD = Exercise(
    name="sine_backward",
    title="backpropagation through time, in NumPy",
    points=5,
    outputs={"dh": "T H", "dw2": "row column", "dw1": "row column"},
    cases=backward_cases,
    drive=drivers.call_sine_backward,
    reference=sine_backward,
    against="autograd",
    tolerance=1e-10,
    mistakes=(
        Mistake(
            "The carried term is missing: `dh[t]` has only the error of its own step. Add what "
            "comes back from step t + 1 (the second term of equation 2.6).",
            backward_with(carried=lambda delta, w1: 0 * delta),
        ),
        Mistake(
            "The slope of tanh is 1 - h², not 1 - h (equation 2.7).",
            backward_with(slope=lambda contexts, t: 1 - contexts[t + 1]),
        ),
        Mistake(
            "The slope of tanh is missing between `dh` and the sum before `tanh` (equation 2.7).",
            backward_with(slope=lambda contexts, t: 1.0),
        ),
        Mistake(
            "What is sent back to step t - 1 has not gone through tanh: send `w1[1:] @ delta`, not "
            "`w1[1:] @ dh[t]` (equation 2.6).",
            backward_with(sent=lambda delta, dh: dh),
        ),
        Mistake(
            "`dw1` is made of `dh`. It takes δ, the gradient before `tanh` (equation 2.8).",
            backward_with(into_dw1=lambda delta, dh: dh),
        ),
        Mistake(
            "`tanh` is applied twice: the contexts have gone through it already, so its slope is "
            "`1 - contexts[t + 1] ** 2`.",
            backward_with(slope=lambda contexts, t: 1 - np.tanh(contexts[t + 1]) ** 2),
        ),
        Mistake(
            "z is joined in the wrong order: the input comes first, as in equation 2.1.",
            backward_with(z=lambda x, contexts, t: np.append(contexts[t], x[t])),
        ),
        Mistake(
            "`dw2` is overwritten at every step. It is a sum over time: use `+=`.",
            backward_with(add_to_dw2=lambda total, new: new),
        ),
        Mistake(
            "`dw1` is overwritten at every step. It is a sum over time: use `+=`.",
            backward_with(add=lambda total, new: new, add_to_dw2=lambda total, new: total + new),
        ),
        Mistake(
            "`dw1` and `dw2` are swapped.",
            lambda *a: (sine_backward(*a)[1], sine_backward(*a)[0], sine_backward(*a)[2]),
        ),
        Mistake(
            "The slope of tanh is taken one step too early: `contexts[t + 1]` is what step t made.",
            backward_with(slope=lambda contexts, t: 1 - contexts[t] ** 2),
        ),
        Mistake(
            "The gradients are overwritten at every step. The weights are shared over time, so "
            "their gradients add up: use `+=`.",
            backward_with(add=lambda total, new: new),
        ),
        Mistake(
            "The context rows of `dw1`, from 1 on, are empty. What enters w1 is the input and the "
            "context, z (equation 2.8).",
            dw1_without_context_rows,
        ),
        Mistake(
            "`dw1` uses the context after the step. What enters w1 there is `contexts[t]`.",
            backward_with(z=lambda x, contexts, t: np.append(x[t], contexts[t + 1])),
        ),
        Mistake(
            "`dw2` uses the context before the step. Prediction t is made of `contexts[t + 1]`.",
            backward_with(h_for_dw2=lambda contexts, t: contexts[t]),
        ),
        Mistake(
            "w1 is not transposed on the way back. Forward it is `h @ w1[1:]`, so backward it is "
            "`w1[1:] @ delta`.",
            backward_with(carried=lambda delta, w1: delta @ w1[1:]),
        ),
        Mistake(
            "The wrong rows of w1 carry the gradient back. Row 0 is for the input; `w1[1:]` is for "
            "the context.",
            backward_with(carried=lambda delta, w1: w1[:-1] @ delta),
        ),
        Mistake(
            "`e @ w2` needs the transpose: one error goes to all H contexts, through `w2.T`.",
            w2_as_it_is,
        ),
        Mistake(
            "The sign is reversed: the derivative of ½ (ŷ - y)² by ŷ is ŷ - y.",
            backward_with(error=lambda prediction, target: target - prediction),
        ),
        Mistake(
            "Everything is twice too large: the loss has a factor ½, so its derivative has none.",
            backward_with(error=lambda prediction, target: 2 * (prediction - target)),
        ),
        Mistake(
            "Everything is divided by T: the loss of equation 2.4 is a sum, not a mean.",
            mean_over_time,
        ),
        Mistake(
            "Time runs forwards. Start at the last step: what it sends back is needed before it.",
            backward_with(order=range),
        ),
        Mistake(
            "`dh` holds δ, the gradient before `tanh`. Return the gradient of the context itself.",
            deltas_for_dh,
        ),
        Mistake(
            "`dw1` and `dw2` are right, but `dh` holds only each step's own error.",
            only_own_error,
        ),
        Mistake(
            "`dw2` must have the shape of w2, (H, 1).",
            flat_dw2,
        ),
        Mistake(
            "`dw1` is transposed. It must have the shape of w1, (1 + H, H).",
            dw1_transposed,
        ),
    ),
)

# --- numerical_gradient ---------------------------------------------------------------------------


def numerical_gradient(loss, w):
    """Fourth-order central differences, on a copy."""

    def at(index, distance):
        moved = w.copy()
        moved[index] += distance
        return loss(moved)

    eps, gradient = 1e-3, np.zeros_like(w)
    for i in np.ndindex(w.shape):
        near, far = at(i, eps) - at(i, -eps), at(i, 2 * eps) - at(i, -2 * eps)
        gradient[i] = (8 * near - far) / (12 * eps)
    return gradient


def differences(eps=1e-5, restore=True, forward=False, divide=2.0):
    """Return a `numerical_gradient` by plain differences, in place."""

    def answer(loss, w):
        gradient = np.zeros_like(w)
        for i in np.ndindex(w.shape):
            kept = w[i]
            w[i] = kept + eps
            above = loss(w)
            w[i] = kept if forward else kept - eps
            below = loss(w)
            gradient[i] = (above - below) / (eps if forward else divide * eps)
            if restore:
                w[i] = kept
        return gradient

    return answer


def all_at_once(loss, w):
    return np.full_like(w, (loss(w + 1e-5) - loss(w - 1e-5)) / 2e-5)


def numerical_cases(rng):
    shapes = [(3, 2), (1, 1), (7, 6), (4, 1), tuple(rng.integers(1, 5, 2))]
    return [
        {"w": rng.normal(size=s), "a": rng.normal(size=s), "b": rng.uniform(4, 8, size=s)}
        for s in shapes
    ]


NUMERICAL_GRADIENT = Exercise(
    name="numerical_gradient",
    title="a gradient by central differences",
    points=2,
    outputs={"gradient": "row column", "w afterwards": "row column"},
    cases=numerical_cases,
    drive=drivers.call_numerical_gradient,
    reference=numerical_gradient,
    against="differences of the fourth order",
    tolerance=3e-9,
    mistakes=(
        Mistake(
            "These are one-sided differences, whose error shrinks with eps only. Step to both "
            "sides and divide by 2 eps: then it shrinks with eps².",
            differences(forward=True),
            also=(differences(eps=1e-6, forward=True), differences(eps=1e-4, forward=True)),
        ),
        Mistake(
            "The step is too large: its error shows. About 1e-5 is best in float64.",
            differences(eps=1e-2),
            also=(differences(eps=1e-1), differences(eps=1e-3), differences(eps=1e-4)),
        ),
        Mistake(
            "The gradient has the digits of float32 only. Make it with `np.zeros_like(w)`.",
            lambda loss, w: differences()(loss, w).astype(np.float32),
        ),
        Mistake(
            "`/ 2 * eps` divides by 2 and multiplies by eps. Write `/ (2 * eps)`.",
            differences(divide=2e10),
        ),
        Mistake(
            "The sign is reversed: the value above minus the value below.",
            differences(divide=-2.0),
        ),
        Mistake(
            "The weight is not put back after its two steps: put it back before the next one.",
            differences(restore=False),
        ),
        Mistake(
            "The two points are 2 eps apart; this divides by eps.",
            differences(divide=1.0),
        ),
        Mistake(
            "All weights are moved together. Move one entry at a time.",
            all_at_once,
        ),
    ),
)

# --- sgd_step -------------------------------------------------------------------------------------


def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    parts = [torch.nn.Parameter(w) for w in tensors(*weights)]
    for part, gradient in zip(parts, tensors(*gradients), strict=True):
        part.grad = gradient.clone()
    torch.nn.utils.clip_grad_norm_(parts, max_norm)
    buffers = [v.clone() for v in tensors(*velocities)]
    sgd(
        [p.data for p in parts],
        [p.grad for p in parts],
        buffers,
        weight_decay=0.0,
        momentum=momentum,
        lr=lr,
        dampening=0.0,
        nesterov=False,
        maximize=False,
        foreach=False,
    )
    return [p.data.numpy() for p in parts], [b.numpy() for b in buffers]


def clipped(gradients, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    return [g * min(1.0, max_norm / norm) for g in gradients]


def scaled(gradients, max_norm, norm):
    return [g * min(1.0, max_norm / norm) for g in gradients]


def moves_by_the_old_velocity(weights, gradients, velocities, lr, momentum, max_norm):
    moved = [w - lr * v for w, v in zip(weights, velocities, strict=True)]
    return moved, step_with()(weights, gradients, velocities, lr, momentum, max_norm)[1]


def step_with(
    clip=clipped,
    velocity=lambda v, g, lr, momentum: momentum * v + g,
    move=lambda w, v, g, lr, momentum: w - lr * v,
):
    """Return a `sgd_step` that departs from the right one in one place."""

    def answer(weights, gradients, velocities, lr, momentum, max_norm):
        gradients = clip(gradients, max_norm)
        pairs = zip(velocities, gradients, strict=True)
        velocities = [velocity(v, g, lr, momentum) for v, g in pairs]
        triples = zip(weights, velocities, gradients, strict=True)
        return [move(w, v, g, lr, momentum) for w, v, g in triples], velocities

    return answer


def moves_in_place(weights, gradients, velocities, lr, momentum, max_norm):
    for w, v, g in zip(weights, velocities, clipped(gradients, max_norm), strict=True):
        v *= momentum
        v += g
        w -= lr * v
    return weights, velocities


def step_cases(rng):
    def case(ratio):
        shapes = [(7, 6), (6, 1)] if rng.random() < 0.5 else [(3, 2), (2, 1)]
        gradients = [rng.normal(size=s) for s in shapes]
        norm = float(np.sqrt(sum((g**2).sum() for g in gradients)))
        return {
            "weights": [rng.normal(size=s) for s in shapes],
            "gradients": gradients,
            "gradients_2": [rng.normal(size=s) for s in shapes],
            "gradients_3": [rng.normal(size=s) for s in shapes],
            "velocities": [rng.normal(size=s) for s in shapes],
            "lr": float(rng.uniform(0.01, 0.2)),
            "momentum": float(rng.uniform(0.5, 0.95)),
            "max_norm": ratio * norm,
        }

    return [case(ratio) for ratio in (0.3, 10.0, 0.5, 0.7, 3.0, 0.1)]


SGD_STEP = Exercise(
    name="sgd_step",
    title="gradient descent with momentum and clipping",
    points=2,
    outputs={"weights": "entry", "velocities": "entry"},
    cases=step_cases,
    drive=drivers.call_sgd_step,
    reference=sgd_step,
    against="`torch.optim`'s SGD and `clip_grad_norm_`, over three steps each,",
    tolerance=1e-6,  # clip_grad_norm_ divides by norm + 1e-6
    mistakes=(
        Mistake(
            "The weights move uphill: subtract the step.",
            step_with(move=lambda w, v, g, lr, momentum: w + lr * v),
        ),
        Mistake(
            "The old velocity is forgotten: this is plain descent. Keep momentum times of it.",
            step_with(velocity=lambda v, g, lr, momentum: g),
        ),
        Mistake(
            "The learning rate is inside the velocity. In equation 2.10 it multiplies it.",
            step_with(
                velocity=lambda v, g, lr, momentum: momentum * v + lr * g,
                move=lambda w, v, g, lr, momentum: w - v,
            ),
        ),
        Mistake(
            "This averages: momentum v + (1 - momentum) g. Equation 2.10 adds the whole gradient.",
            step_with(velocity=lambda v, g, lr, momentum: momentum * v + (1 - momentum) * g),
        ),
        Mistake(
            "The velocity is computed, but the weights move by the gradient alone.",
            step_with(move=lambda w, v, g, lr, momentum: w - lr * g),
        ),
        Mistake(
            "Each gradient is clipped on its own. Use the norm of both together, as in chapter 1.",
            step_with(clip=lambda gs, limit: [clipped([g], limit)[0] for g in gs]),
        ),
        Mistake(
            "The norm lacks its root: this compares the square of the norm with `max_norm`.",
            step_with(clip=lambda gs, limit: scaled(gs, limit, sum((g**2).sum() for g in gs))),
        ),
        Mistake(
            "The norms of the arrays are added. The global norm is the root of the sum of squares.",
            step_with(clip=lambda gs, limit: scaled(gs, limit, sum(map(np.linalg.norm, gs)))),
        ),
        Mistake(
            "Single entries are clipped, which turns the step. Scale all by one factor.",
            step_with(clip=lambda gs, limit: [np.clip(g, -limit, limit) for g in gs]),
        ),
        Mistake(
            "The weights move by the old velocity. Update the velocity first, then the weights.",
            moves_by_the_old_velocity,
        ),
        Mistake(
            "This looks ahead, as Nesterov's momentum does. Equation 2.10 moves by the velocity.",
            step_with(move=lambda w, v, g, lr, momentum: w - lr * (g + momentum * v)),
        ),
        Mistake(
            "The gradients are not clipped.",
            step_with(clip=lambda gradients, max_norm: gradients),
        ),
        Mistake(
            "Small gradients are scaled up to `max_norm`. Clipping only ever shortens.",
            step_with(
                clip=lambda gs, limit: [
                    g * limit / np.sqrt(sum((h**2).sum() for h in gs)) for g in gs
                ]
            ),
        ),
        Mistake(
            "This changes the arrays that it was given. Make new ones: the caller may compare.",
            moves_in_place,
        ),
    ),
)

# --- truncated_backward ---------------------------------------------------------------------------


def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    """One window of k steps per prediction, in front of the series filled up with zeros: from a
    context of zeros they leave zeros behind, and no gradient.
    """
    weights = tensors(w1, w2, grad=True)
    k = min(k, len(x))
    windows = np.lib.stride_tricks.sliding_window_view(np.append(np.zeros(k - 1), x), k)
    starts = np.maximum(0, np.arange(len(x)) - k + 1)
    made, _, _ = torch_forward(*tensors(windows), *weights, *tensors(contexts[starts]))
    loss = (made[:, -1] - torch.tensor(y)).square().sum() / 2
    return tuple(g.numpy() for g in torch.autograd.grad(loss, weights))


def truncation_cases(rng):
    cases = []
    for T, H, k in [(20, 6, 1), (20, 6, 3), (12, 4, 12), (9, 3, 20), (15, 5, 2), (10, 2, 5)]:
        case = sine_case(rng, T, H)
        predictions, contexts = sine_forward(case["x"], case["w1"], case["w2"])
        weights = {"w1": case.pop("w1"), "w2": case.pop("w2")}
        cases.append({**case, "predictions": predictions, "contexts": contexts, **weights, "k": k})
    return cases


def with_reach(change):
    """Return a `truncated_backward` that goes back change(k) steps instead of k."""

    def answer(*arguments):
        return truncated_backward(*arguments[:-1], max(0, change(arguments[-1])))

    return answer


def in_blocks(x, y, predictions, contexts, w1, w2, k):
    weights = tensors(w1, w2, grad=True)
    inputs, targets, given = tensors(x, y, contexts)
    total = torch.zeros((), dtype=torch.float64)
    for first in range(0, len(x), k):
        made = torch_forward(inputs[None, first : first + k], *weights, given[None, first])[0]
        total = total + (made[0] - targets[first : first + k]).square().sum() / 2
    return tuple(g.numpy() for g in torch.autograd.grad(total, weights))


def last_steps_only(x, y, predictions, contexts, w1, w2, k):
    first = max(0, len(x) - k)
    weights = tensors(w1, w2, grad=True)
    inputs, targets, given = tensors(x, y, contexts)
    made = torch_forward(inputs[None, first:], *weights, given[None, first])[0]
    loss = (made[0] - targets[first:]).square().sum() / 2
    return tuple(g.numpy() for g in torch.autograd.grad(loss, weights))


def not_added(x, y, predictions, contexts, w1, w2, k):
    G = (predictions - y)[:, None] * w2[:, 0]
    h, z = contexts[1:], np.column_stack([x, contexts[:-1]])
    for _ in range(k - 1):
        back = (G * (1 - h**2)) @ w1[1:].T
        G = np.vstack([back[1:], np.zeros((1, len(w2)))])
    return z.T @ (G * (1 - h**2)), h.T @ (predictions - y)[:, None]


def up_one_row(sent):
    return np.vstack([sent[1:], np.zeros_like(sent[:1])])


def in_rounds(shift=up_one_row, slope=True, slope_at_end=True, back=lambda w1: w1[1:].T, most=None):
    """Return a `truncated_backward` as the hint tells it, departing from it in one place."""

    def answer(x, y, predictions, contexts, w1, w2, k):
        h, z = contexts[1:], np.column_stack([x, contexts[:-1]])
        slopes = 1 - h**2
        G = total = np.outer(predictions - y, w2)
        for _ in range((most or min)(k, len(x)) - 1):
            G = shift((G * slopes if slope else G) @ back(w1))
            total = total + G
        return z.T @ (total * slopes if slope_at_end else total), h.T @ (predictions - y)[:, None]

    return answer


def wraps(sent):
    return np.roll(sent, -1, axis=0)


TRUNCATED_BACKWARD = Exercise(
    name="truncated_backward",
    title="backpropagation through at most k steps",
    points=3,
    outputs={"dw1": "row column", "dw2": "row column"},
    cases=truncation_cases,
    drive=drivers.call_with_numpy,
    reference=truncated_backward,
    against="autograd, with the context detached k steps before each prediction,",
    tolerance=1e-10,
    mistakes=(
        Mistake(
            "One step too far: k = 1 means each error reaches its own step and none before it.",
            with_reach(lambda k: k + 1),
        ),
        Mistake(
            "One step too short: k = 1 must still reach each error's own step.",
            with_reach(lambda k: k - 1 if k > 1 else 1),
        ),
        Mistake(
            "k is ignored: this is the full gradient.",
            with_reach(lambda k: 1_000),
        ),
        Mistake(
            "k is ignored: each error stays in its own step, as for k = 1.",
            with_reach(lambda k: 1),
        ),
        Mistake(
            "The series is cut into blocks of k steps. Every error goes back k steps, wherever it "
            "arises.",
            in_blocks,
        ),
        Mistake(
            "Only the last k steps count here. Every step has an error, which goes back k steps.",
            last_steps_only,
        ),
        Mistake(
            "Only what arrives after k steps is counted. Add up what arrives on the way, too.",
            not_added,
        ),
        Mistake(
            "What falls off at the first step comes in again at the last: `np.roll` wraps around. "
            "Nothing comes back to the last step; set it to 0.",
            in_rounds(shift=wraps),
            also=(in_rounds(shift=wraps, most=lambda k, T: k),),
        ),
        Mistake(
            "The errors move forwards in time: row t + 1 sends to row t, so shift up by one row.",
            in_rounds(shift=lambda sent: np.vstack([np.zeros_like(sent[:1]), sent[:-1]])),
        ),
        Mistake(
            "What is sent stays in its row. Row t + 1 sends to row t: shift up by one row.",
            in_rounds(shift=lambda sent: sent),
        ),
        Mistake(
            "In each round the slope of tanh is missing before `w1[1:].T`.",
            in_rounds(slope=False),
        ),
        Mistake(
            "The slope of tanh is missing between `dh` and `dw1` (equation 2.7).",
            in_rounds(slope_at_end=False),
        ),
        Mistake(
            "w1 is not transposed on the way back: rows go through `w1[1:].T`.",
            in_rounds(back=lambda w1: w1[1:]),
        ),
    ),
)

# --- free_run -------------------------------------------------------------------------------------


def free_run(x, w1, w2, steps):
    w1, w2, x = tensors(w1, w2, x[None])
    predictions, contexts, _ = torch_forward(x, w1, w2)
    values = [predictions[:, -1:]]
    for _ in range(steps - 1):
        predictions, contexts, _ = torch_forward(values[-1], w1, w2, contexts[:, -1])
        values.append(predictions)
    return torch.cat(values, dim=1)[0].numpy()


def run_with(feed=lambda value, x, i: value, context=lambda h: h, first=0):
    """Return a `free_run` that departs from the right one in one place."""

    def answer(x, w1, w2, steps):
        predictions, contexts = sine_forward(x, w1, w2)
        value, h, values = predictions[-1], contexts[-1], [predictions[-1]]
        for i in range(steps + first):
            h = np.tanh(np.append(feed(value, x, i), context(h)) @ w1)
            value = (h @ w2)[0]
            values.append(value)
        return np.array(values[first : first + steps])

    return answer


def without_warm_up(x, w1, w2, steps):
    values, value, h = [], x[-1], np.zeros(w1.shape[1])
    for _ in range(steps):
        h = np.tanh(np.append(value, h) @ w1)
        value = (h @ w2)[0]
        values.append(value)
    return np.array(values)


def reset_once(x, w1, w2, steps):
    first = sine_forward(x, w1, w2)[0][-1:]
    return np.concatenate([first, without_warm_up(first, w1, w2, steps)])[:steps]


def frozen_context(x, w1, w2, steps):
    predictions, contexts = sine_forward(x, w1, w2)
    values = [predictions[-1]]
    for _ in range(steps - 1):
        values.append((np.tanh(np.append(values[-1], contexts[-1]) @ w1) @ w2)[0])
    return np.array(values)


def predictions_first(x, w1, w2, steps):
    return np.concatenate([sine_forward(x, w1, w2)[0], free_run(x, w1, w2, steps)])


def run_cases(rng):
    sizes = [(20, 6, 12), (5, 3, 4), (8, 2, 1), *(tuple(rng.integers(2, 10, 3)) for _ in range(4))]
    cases = []
    for T, H, steps in sizes:
        case = sine_case(rng, T, H, scale=1.0)
        cases.append({k: case[k] for k in ("x", "w1", "w2")} | {"steps": int(steps)})
    return cases


FREE_RUN = Exercise(
    name="free_run",
    title="predictions fed back",
    points=2,
    outputs={"predictions": "T"},
    cases=run_cases,
    drive=drivers.call_with_numpy,
    reference=free_run,
    against="the same run in PyTorch",
    tolerance=1e-10,
    mistakes=(
        Mistake(
            "This keeps feeding values of the series. After the last of them, feed the network's "
            "own predictions.",
            run_with(feed=lambda value, x, i: x[i % len(x)]),
        ),
        Mistake(
            "The same last value is fed again and again. Feed each new prediction.",
            run_with(feed=lambda value, x, i: x[-1]),
        ),
        Mistake(
            "The context is reset to zeros. It must run on, also into the first free step.",
            run_with(context=lambda h: 0 * h),
            also=(reset_once,),
        ),
        Mistake(
            "The context is frozen: each free step starts from the same one. Hand on the new one.",
            frozen_context,
        ),
        Mistake(
            "The first value is the last input. Begin with the prediction made from it.",
            lambda x, w1, w2, n: np.append(x[-1], free_run(x, w1, w2, n))[:n],
        ),
        Mistake(
            "The network is not run over the series first, so it starts without a context.",
            without_warm_up,
        ),
        Mistake(
            "Off by one: the first value is the prediction made from the last true value.",
            run_with(first=1),
        ),
        Mistake(
            "Return the free steps only, not the predictions on the series before them.",
            predictions_first,
        ),
    ),
)

# --- epoch_today ----------------------------------------------------------------------------------


def epoch_today(x, y, w1, w2, lr):
    h, total = torch.zeros(w1.shape[1], dtype=w1.dtype), 0.0
    for x_t, y_t in zip(x, y, strict=True):
        with torch.enable_grad():
            new = torch.tanh(F.linear(torch.cat([x_t.view(1), h]), w1.T))
            loss = (new @ w2 - y_t).square().sum() / 2
        gradients = torch.autograd.grad(loss, (w1, w2))
        with torch.no_grad():
            for weight, gradient in zip((w1, w2), gradients, strict=True):
                weight -= lr * gradient
        h, total = new.detach(), total + loss.item()
    return total


def epoch_with(
    cut=torch.Tensor.detach, clear=True, half=0.5, number=lambda loss: loss.item(), updated=2
):
    """Return an `epoch_today` that departs from the right one in one place."""

    def answer(x, y, w1, w2, lr):
        h, total = torch.zeros(w1.shape[1], dtype=w1.dtype), 0.0
        for x_t, y_t in zip(x, y, strict=True):
            h = torch.tanh(torch.cat([x_t.view(1), h]) @ w1)
            loss = half * ((h @ w2 - y_t) ** 2).sum()
            loss.backward()
            total = total + number(loss)
            with torch.no_grad():
                for w in (w1, w2)[:updated]:
                    w -= lr * w.grad
                    if clear:
                        w.grad = None
            h = cut(h)
        return total

    return answer


def once_per_epoch(x, y, w1, w2, lr):
    total, h = 0.0, torch.zeros(w1.shape[1], dtype=w1.dtype)
    for x_t, y_t in zip(x, y, strict=True):
        h = torch.tanh(torch.cat([x_t.view(1), h.detach()]) @ w1)
        total = total + ((h @ w2 - y_t) ** 2).sum() / 2
    total.backward()
    with torch.no_grad():
        for w in (w1, w2):
            w -= lr * w.grad
    return total.item()


def on_copies(x, y, w1, w2, lr):
    copies = [w.detach().clone().requires_grad_() for w in (w1, w2)]
    return epoch_today(x, y, *copies, lr)


def outside_no_grad(x, y, w1, w2, lr):
    loss = (
        (torch.tanh(torch.cat([x[:1], torch.zeros_like(w2[:, 0])]) @ w1) @ w2 - y[0]) ** 2
    ).sum()
    loss.backward()
    w1 -= lr * w1.grad


def last_loss(x, y, w1, w2, lr):
    epoch_today(x[:-1], y[:-1], w1, w2, lr)
    return epoch_today(x[-1:], y[-1:], w1, w2, lr)


def epoch_cases(rng):
    sizes = [(20, 6), (1, 6), (5, 3), (12, 4)]
    return [sine_case(rng, T, H) | {"lr": float(rng.uniform(0.02, 0.2))} for T, H in sizes]


EPOCH_TODAY = Exercise(
    name="epoch_today",
    title="repair: an epoch of the old program, in today's PyTorch",
    points=2,
    outputs={
        "total loss": "",
        "w1 afterwards": "row column",
        "w2 afterwards": "row column",
        "the total holds on to its graph": "",
        "weights require gradients": "weight",
    },
    cases=epoch_cases,
    drive=drivers.call_epoch_today,
    reference=epoch_today,
    against="`torch.autograd.grad` and updates by hand",
    tolerance=1e-9,
    mistakes=(
        Mistake(
            "A loss is a tensor without axes today, so `.data[0]` finds nothing. Use `.item()`.",
            epoch_with(number=lambda loss: loss.data[0]),
            also=(epoch_with(number=lambda loss: loss[0]),),
        ),
        Mistake(
            "The gradients are never cleared, so each step adds to those before. Set them to zero "
            "or None after the update.",
            epoch_with(clear=False),
        ),
        Mistake(
            "The context drags its graph into the next step, whose `backward` fails. Detach it.",
            epoch_with(cut=lambda h: h),
        ),
        Mistake(
            "The loss is half of the squared error. Here the half is missing.",
            epoch_with(half=1.0),
        ),
        Mistake(
            "The weights are updated once, at the end. The program updates them after every step.",
            once_per_epoch,
        ),
        Mistake(
            "The caller's weights have not changed. Update w1 and w2 in place.",
            on_copies,
        ),
        Mistake(
            "A leaf that requires gradients may be changed in place only inside `torch.no_grad()`.",
            outside_no_grad,
        ),
        Mistake(
            "The total is a tensor that drags the graphs of all steps along. Add `loss.item()`.",
            epoch_with(number=lambda loss: loss),
        ),
        Mistake(
            "w2 is never updated.",
            epoch_with(updated=1),
        ),
        Mistake(
            "This returns the last step's loss. Return the sum over the epoch.",
            last_loss,
        ),
        Mistake(
            "The context starts from zeros at every step. Hand it on, detached.",
            epoch_with(cut=torch.zeros_like),
        ),
    ),
)

EXERCISES = (
    SINE_FORWARD,
    SINE_BACKWARD,
    NUMERICAL_GRADIENT,
    SGD_STEP,
    TRUNCATED_BACKWARD,
    FREE_RUN,
    EPOCH_TODAY,
)
