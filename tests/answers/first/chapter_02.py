"""Answers to the exercises of chapter 2, written before their checks were seen."""

import itertools
from dataclasses import dataclass
from functools import reduce

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tests.answers import right, wrong

# ---------------------------------------------------------------------------------------------
# sine_forward
# ---------------------------------------------------------------------------------------------


@wrong("sine_forward", "the context is joined before the input, so row 0 of w1 meets a context")
def sine_forward(x, w1, w2):
    h = np.zeros(w1.shape[1])
    predictions, contexts = [], [h]
    for x_t in x:
        h = np.tanh(np.append(h, x_t) @ w1)
        contexts.append(h)
        predictions.append((h @ w2)[0])
    return np.array(predictions), np.array(contexts)


@wrong("sine_forward", "the contexts leave out h_0 and have only T rows")
def sine_forward(x, w1, w2):
    T, H = len(x), w1.shape[1]
    predictions = np.zeros(T)
    contexts = np.zeros((T, H))
    h = np.zeros(H)
    for t in range(T):
        z = np.concatenate(([x[t]], h))
        h = np.tanh(z @ w1)
        contexts[t] = h
        predictions[t] = (h @ w2)[0]
    return predictions, contexts


@wrong("sine_forward", "the predictions have shape (T, 1)")
def sine_forward(x, w1, w2):
    T, H = x.shape[0], w1.shape[1]
    contexts = np.zeros((T + 1, H))
    for t in range(T):
        contexts[t + 1] = np.tanh(np.append(x[t], contexts[t]) @ w1)
    return contexts[1:] @ w2, contexts


@wrong("sine_forward", "each prediction is made from the context before the step")
def sine_forward(x, w1, w2):
    T, H = x.shape[0], w1.shape[1]
    contexts = np.zeros((T + 1, H))
    predictions = np.zeros(T)
    for t in range(T):
        h = contexts[t]
        contexts[t + 1] = np.tanh(np.append(x[t], h) @ w1)
        predictions[t] = (h @ w2)[0]
    return predictions, contexts


@wrong("sine_forward", "every row of the contexts is the same array, overwritten at each step")
def sine_forward(x, w1, w2):
    h = np.zeros(w1.shape[1])
    predictions, contexts = [], [h]
    for value in x:
        h[:] = np.tanh(np.append(value, h) @ w1)
        contexts.append(h)
        predictions.append(float((h @ w2)[0]))
    return np.array(predictions), np.stack(contexts)


_context_kept = {}


@wrong("sine_forward", "a second call begins with the last context of the call before")
def sine_forward(x, w1, w2, state=_context_kept):
    H = w1.shape[1]
    h = state.get(H, np.zeros(H))
    predictions, contexts = [], [h]
    for x_t in x:
        h = np.tanh(x_t * w1[0] + h @ w1[1:])
        predictions.append((h @ w2).item())
        contexts.append(h)
    state[H] = h
    return np.array(predictions), np.array(contexts)


@wrong("sine_forward", "works with six context units only")
def sine_forward(x, w1, w2):
    contexts = np.zeros((len(x) + 1, 6))
    predictions = np.zeros(len(x))
    for t in range(len(x)):
        z = np.append(x[t], contexts[t])
        contexts[t + 1] = np.tanh(z @ w1)
        predictions[t] = (contexts[t + 1] @ w2)[0]
    return predictions, contexts


@wrong("sine_forward", "the contexts are kept in float32, so about seven digits are left")
def sine_forward(x, w1, w2):
    T, H = len(x), w1.shape[1]
    contexts = np.zeros((T + 1, H), dtype=np.float32)
    predictions = np.zeros(T)
    for t in range(T):
        contexts[t + 1] = np.tanh(np.append(x[t], contexts[t]) @ w1)
        predictions[t] = (contexts[t + 1] @ w2)[0]
    return predictions, contexts


@wrong("sine_forward", "after the first step the network is fed its own predictions, not x")
def sine_forward(x, w1, w2):
    T, H = len(x), w1.shape[1]
    contexts, predictions = np.zeros((T + 1, H)), np.zeros(T)
    inp = x[0]
    for t in range(T):
        contexts[t + 1] = np.tanh(np.append(inp, contexts[t]) @ w1)
        predictions[t] = inp = (contexts[t + 1] @ w2)[0]
    return predictions, contexts


@wrong("sine_forward", "the context's rows of w1 are used transposed")
def sine_forward(x, w1, w2):
    W_xh, W_hh = w1[0], w1[1:]
    h = np.zeros(W_hh.shape[0])
    hs, ys = [h], []
    for xt in x:
        h = np.tanh(W_xh * xt + np.dot(W_hh, h))
        hs.append(h)
        ys.append(np.dot(w2.T, h)[0])
    return np.array(ys), np.array(hs)


@wrong("sine_forward", "h_0 is small noise instead of zero")
def sine_forward(x, w1, w2):
    rng = np.random.default_rng(0)
    contexts = np.empty((len(x) + 1, w1.shape[1]))
    contexts[0] = 0.01 * rng.standard_normal(w1.shape[1])
    for t, value in enumerate(x):
        contexts[t + 1] = np.tanh(np.append(value, contexts[t]) @ w1)
    return (contexts[1:] @ w2)[:, 0], contexts


@wrong("sine_forward", "the prediction uses the first context unit only")
def sine_forward(x, w1, w2):
    T, H = len(x), w1.shape[1]
    predictions, contexts = np.zeros(T), np.zeros((T + 1, H))
    for t in range(T):
        contexts[t + 1] = np.tanh(np.append(x[t], contexts[t]) @ w1)
        predictions[t] = contexts[t + 1, 0] * w2[0, 0]
    return predictions, contexts


@wrong("sine_forward", "the loop leaves out the last step")
def sine_forward(x, w1, w2):
    T, H = len(x), w1.shape[1]
    predictions, contexts = np.zeros(T), np.zeros((T + 1, H))
    for t in range(1, T):
        contexts[t] = np.tanh(np.append(x[t - 1], contexts[t - 1]) @ w1)
        predictions[t - 1] = (contexts[t] @ w2)[0]
    return predictions, contexts


@wrong(
    "sine_forward",
    "the predictions go through tanh too",
    "the contexts end before the last step, a row short",
)
def sine_forward(x, w1, w2):
    T, H = len(x), w1.shape[1]
    contexts = np.zeros((T, H))
    predictions = np.zeros(T)
    h = np.zeros(H)
    for t in range(T):
        contexts[t] = h
        h = np.tanh(np.append(x[t], h) @ w1)
        predictions[t] = np.tanh(h @ w2)[0]
    return predictions, contexts


@wrong(
    "sine_forward",
    "the predictions are those of the contexts one step before",
    "the returned contexts are the sums before tanh",
)
def sine_forward(x, w1, w2):
    T, H = len(x), w1.shape[1]
    h = np.zeros(H)
    predictions, sums = np.zeros(T), np.zeros((T + 1, H))
    for t in range(T):
        predictions[t] = (h @ w2)[0]
        sums[t + 1] = np.append(x[t], h) @ w1
        h = np.tanh(sums[t + 1])
    return predictions, sums


@right("sine_forward", "itertools.accumulate over the inputs")
def sine_forward(x, w1, w2):
    step = lambda h, x_t: np.tanh(x_t * w1[0] + h @ w1[1:])
    contexts = np.array(list(itertools.accumulate(x, step, initial=np.zeros(w1.shape[1]))))
    return np.einsum("th,ho->t", contexts[1:], w2), contexts


@right("sine_forward", "recursion over the series, last input first")
def sine_forward(x, w1, w2):
    def contexts_after(t):
        if t == 0:
            return [np.zeros(w1.shape[1])]
        past = contexts_after(t - 1)
        return past + [np.tanh(np.r_[x[t - 1], past[-1]] @ w1)]

    contexts = np.vstack(contexts_after(len(x)))
    return (contexts @ w2).ravel()[1:], contexts


@right("sine_forward", "loops over single entries, the matrix product written out")
def sine_forward(x, w1, w2):
    T, H = len(x), w1.shape[1]
    contexts = np.zeros((T + 1, H))
    predictions = np.zeros(T)
    for t in range(T):
        for j in range(H):
            a = x[t] * w1[0, j]
            for i in range(H):
                a += contexts[t, i] * w1[1 + i, j]
            contexts[t + 1, j] = np.tanh(a)
        for j in range(H):
            predictions[t] += contexts[t + 1, j] * w2[j, 0]
    return predictions, contexts


@right("sine_forward", "one table z (T + 1, 1 + H) whose columns after the first are the contexts")
def sine_forward(x, w1, w2):
    z = np.zeros((len(x) + 1, w1.shape[0]))
    z[:-1, 0] = x
    for now, after in zip(z, z[1:]):
        np.tanh(now @ w1, out=after[1:])
    contexts = np.ascontiguousarray(z[:, 1:])
    return np.squeeze(contexts[1:] @ w2, axis=1), contexts


def _states(x, w1):
    h = np.zeros((1, w1.shape[1]))
    yield h
    for x_t in np.nditer(x):
        yield (h := np.tanh(np.hstack([x_t.reshape(1, 1), h]) @ w1))


@right("sine_forward", "a generator of row vectors, with a walrus")
def sine_forward(x, w1, w2):
    contexts = np.concatenate([*_states(x, w1)])
    return np.inner(contexts[1:], w2.T)[:, 0], contexts


# ---------------------------------------------------------------------------------------------
# sine_backward
# ---------------------------------------------------------------------------------------------


@wrong("sine_backward", "nothing comes back from the step after: the gradient of k = 1")
def sine_backward(x, y, predictions, contexts, w1, w2):
    e = predictions - y
    dh = np.outer(e, w2[:, 0])
    delta = dh * (1 - contexts[1:] ** 2)
    z = np.column_stack([x, contexts[:-1]])
    return z.T @ delta, contexts[1:].T @ e[:, None], dh


@wrong("sine_backward", "what comes back goes through w1[1:] without the transpose")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    dw1, dw2, dh = np.zeros_like(w1), np.zeros_like(w2), np.zeros((T, H))
    back = np.zeros(H)
    for t in reversed(range(T)):
        e = predictions[t] - y[t]
        h = contexts[t + 1]
        dw2 += e * h[:, None]
        dh[t] = e * w2[:, 0] + back
        delta = dh[t] * (1 - h**2)
        dw1 += np.outer(np.append(x[t], contexts[t]), delta)
        back = delta @ w1[1:]
    return dw1, dw2, dh


@wrong("sine_backward", "what comes back goes through rows 0 to H - 1 of w1, not 1 to H")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    dw1, dw2, dh = np.zeros_like(w1), np.zeros_like(w2), np.zeros((T, H))
    back = np.zeros(H)
    for t in range(T - 1, -1, -1):
        e = predictions[t] - y[t]
        dw2[:, 0] += e * contexts[t + 1]
        dh[t] = e * w2[:, 0] + back
        delta = dh[t] * (1 - contexts[t + 1] ** 2)
        dw1 += np.outer(np.append(x[t], contexts[t]), delta)
        back = (w1 @ delta)[:H]
    return dw1, dw2, dh


@wrong("sine_backward", "the slope of tanh is taken at the context before the step")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    dw1, dw2, dh = np.zeros_like(w1), np.zeros_like(w2), np.zeros((T, H))
    back = np.zeros(H)
    for t in reversed(range(T)):
        e = predictions[t] - y[t]
        dw2 += (contexts[t + 1] * e).reshape(-1, 1)
        dh[t] = e * w2.ravel() + back
        delta = dh[t] * (1 - contexts[t] ** 2)
        dw1 += np.outer(np.append(x[t], contexts[t]), delta)
        back = w1[1:] @ delta
    return dw1, dw2, dh


@wrong("sine_backward", "in dw1 the input is joined to the new context instead of the last one")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    dw1, dh, back = np.zeros_like(w1), np.zeros((T, H)), 0
    e = predictions - y
    for t in reversed(range(T)):
        dh[t] = e[t] * w2[:, 0] + back
        delta = dh[t] * (1 - contexts[t + 1] ** 2)
        dw1 += np.outer(np.append(x[t], contexts[t + 1]), delta)
        back = w1[1:] @ delta
    return dw1, contexts[1:].T @ e[:, np.newaxis], dh


@wrong("sine_backward", "dw2 pairs each error with the context before the step")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    dw1, dw2, dh = np.zeros_like(w1), np.zeros_like(w2), np.zeros((T, H))
    back = np.zeros(H)
    for t in reversed(range(T)):
        e = predictions[t] - y[t]
        h_prev, h = contexts[t], contexts[t + 1]
        dw2 += np.outer(h_prev, e)
        dh[t] = e * w2[:, 0] + back
        delta = dh[t] * (1 - h * h)
        dw1 += np.outer(np.append(x[t], h_prev), delta)
        back = w1[1:] @ delta
    return dw1, dw2, dh


@wrong("sine_backward", "dh is the gradient before tanh, the deltas")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    dw1, dw2, dh = np.zeros_like(w1), np.zeros_like(w2), np.zeros((T, H))
    back = np.zeros(H)
    for t in reversed(range(T)):
        e = predictions[t] - y[t]
        dw2 += np.outer(contexts[t + 1], e)
        dh[t] = (1 - contexts[t + 1] ** 2) * (e * w2[:, 0] + back)
        dw1 += np.outer(np.append(x[t], contexts[t]), dh[t])
        back = w1[1:] @ dh[t]
    return dw1, dw2, dh


@wrong("sine_backward", "the walk back stops before the first step, which adds nothing to dw1")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T = len(x)
    e = (predictions - y).reshape(T, 1)
    dw1, dw2 = np.zeros(w1.shape), contexts[1:].T @ e
    dh = e @ w2.T
    for t in range(T - 1, 0, -1):
        delta = dh[t] * (1 - contexts[t + 1] ** 2)
        dw1 += np.outer(np.append(x[t], contexts[t]), delta)
        dh[t - 1] += w1[1:] @ delta
    return dw1, dw2, dh


@wrong("sine_backward", "dw1 and dw2 are clipped to [-5, 5] at the end")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    dw1, dw2, dh = np.zeros_like(w1), np.zeros_like(w2), np.zeros((T, H))
    dhnext = np.zeros(H)
    for t in reversed(range(T)):
        dy = predictions[t] - y[t]
        dw2 += np.outer(contexts[t + 1], dy)
        dh[t] = w2[:, 0] * dy + dhnext
        dhraw = (1 - contexts[t + 1] * contexts[t + 1]) * dh[t]
        dw1 += np.outer(np.append(x[t], contexts[t]), dhraw)
        dhnext = np.dot(w1[1:], dhraw)
    for dparam in [dw1, dw2]:
        np.clip(dparam, -5, 5, out=dparam)
    return dw1, dw2, dh


@wrong("sine_backward", "what comes back skips the slope of tanh")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    dw1, dw2, dh = np.zeros_like(w1), np.zeros_like(w2), np.zeros((T, H))
    back = np.zeros(H)
    for t in reversed(range(T)):
        e = predictions[t] - y[t]
        dw2[:, 0] += contexts[t + 1] * e
        dh[t] = e * w2[:, 0] + back
        dw1 += np.outer(np.append(x[t], contexts[t]), dh[t] * (1 - contexts[t + 1] ** 2))
        back = w1[1:] @ dh[t]
    return dw1, dw2, dh


@wrong("sine_backward", "dw2 has shape (H,) instead of (H, 1)")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    e = predictions - y
    dw1, dh, back = np.zeros_like(w1), np.zeros((T, H)), np.zeros(H)
    for t in reversed(range(T)):
        dh[t] = e[t] * w2[:, 0] + back
        delta = dh[t] * (1 - contexts[t + 1] ** 2)
        dw1 += np.outer(np.append(x[t], contexts[t]), delta)
        back = w1[1:] @ delta
    return dw1, e @ contexts[1:], dh


@wrong("sine_backward", "the gradients are those of the mean squared error, 2 / T times as large")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    dw1, dw2, dh = np.zeros_like(w1), np.zeros_like(w2), np.zeros((T, H))
    back = np.zeros(H)
    for t in reversed(range(T)):
        e = 2 * (predictions[t] - y[t]) / T
        dw2 += e * contexts[t + 1][:, None]
        dh[t] = e * w2[:, 0] + back
        delta = dh[t] * (1 - contexts[t + 1] ** 2)
        dw1 += np.outer(np.append(x[t], contexts[t]), delta)
        back = w1[1:] @ delta
    return dw1, dw2, dh


@wrong("sine_backward", "the row of dw1 for the input pairs each delta with y instead of x")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    e, dh, back = predictions - y, np.zeros((T, H)), np.zeros(H)
    deltas = np.zeros((T, H))
    for t in reversed(range(T)):
        dh[t] = e[t] * w2[:, 0] + back
        deltas[t] = dh[t] * (1 - contexts[t + 1] ** 2)
        back = w1[1:] @ deltas[t]
    dw1 = np.vstack([y @ deltas, contexts[:-1].T @ deltas])
    return dw1, contexts[1:].T @ e[:, None], dh


@wrong("sine_backward", "dh has T + 1 rows, the first for h_0")
def sine_backward(x, y, predictions, contexts, w1, w2):
    dw1, dw2 = np.zeros_like(w1), np.zeros_like(w2)
    dh = np.zeros_like(contexts)
    for t in reversed(range(len(x))):
        e = predictions[t] - y[t]
        dw2 += np.outer(contexts[t + 1], e)
        dh[t + 1] += e * w2[:, 0]
        delta = dh[t + 1] * (1 - contexts[t + 1] ** 2)
        dw1 += np.outer(np.append(x[t], contexts[t]), delta)
        dh[t] += w1[1:] @ delta
    return dw1, dw2, dh


@wrong(
    "sine_backward",
    "dh holds only the errors of the own step",
    "dw2 takes the last step only",
)
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    dw1, dh, back = np.zeros_like(w1), np.zeros((T, H)), np.zeros(H)
    for t in reversed(range(T)):
        e = predictions[t] - y[t]
        if t == T - 1:
            dw2 = np.outer(contexts[t + 1], e)
        dh[t] = e * w2[:, 0]
        delta = (dh[t] + back) * (1 - contexts[t + 1] ** 2)
        dw1 += np.outer(np.append(x[t], contexts[t]), delta)
        back = w1[1:] @ delta
    return dw1, dw2, dh


@wrong(
    "sine_backward",
    "dw1 joins the parts as context first, input last",
    "dw2 has the sign of target minus prediction",
)
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    dw1, dw2, dh = np.zeros_like(w1), np.zeros_like(w2), np.zeros((T, H))
    back = np.zeros(H)
    for t in reversed(range(T)):
        e = y[t] - predictions[t]
        dw2 += e * contexts[t + 1][:, None]
        dh[t] = back - e * w2[:, 0]
        delta = dh[t] * (1 - contexts[t + 1] ** 2)
        dw1 += np.outer(np.append(contexts[t], x[t]), delta)
        back = w1[1:] @ delta
    return dw1, dw2, dh


@right("sine_backward", "autograd of the network written in tensors of float64")
def sine_backward(x, y, predictions, contexts, w1, w2):
    a, b = (torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in (w1, w2))
    h, made, loss = torch.zeros(a.shape[1], dtype=torch.float64), [], 0.0
    for x_t, y_t in zip(x, y):
        h = torch.tanh(float(x_t) * a[0] + h @ a[1:])
        h.retain_grad()
        made.append(h)
        loss = loss + 0.5 * ((h @ b).squeeze() - float(y_t)) ** 2
    loss.backward()
    return a.grad.numpy(), b.grad.numpy(), torch.stack([h.grad for h in made]).numpy()


@right("sine_backward", "forward in time: the errors meet products of Jacobians, no walk back")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    e = np.subtract(predictions, y)
    dh = np.zeros((T, H))
    for t in range(T):
        jacobian = np.eye(H)  # dh_s / dh_t, for s from t on
        for s in range(t, T):
            if s > t:
                jacobian = np.diag(1 - contexts[s + 1] ** 2) @ w1[1:].T @ jacobian
            dh[t] += e[s] * (w2.T @ jacobian)[0]
    delta = dh * (1 - np.square(contexts[1:]))
    dw1 = np.einsum("tz,th->zh", np.c_[x, contexts[:-1]], delta)
    return dw1, np.einsum("th,t->h", contexts[1:], e)[:, None], dh


@right("sine_backward", "one linear system of all steps is solved for dh")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    slope = 1 - contexts[1:] ** 2
    e = (predictions - y)[:, None]
    system = np.eye(T * H)
    for t in range(T - 1):
        here, after = slice(t * H, (t + 1) * H), slice((t + 1) * H, (t + 2) * H)
        system[here, after] -= w1[1:] * slope[t + 1]
    dh = np.linalg.solve(system, (e * w2.T).ravel()).reshape(T, H)
    z = np.concatenate([np.reshape(x, (T, 1)), contexts[:-1]], axis=1)
    return z.T @ (slope * dh), contexts[1:].T @ e, dh


@right("sine_backward", "recursion: each step asks the step after for its delta")
def sine_backward(x, y, predictions, contexts, w1, w2):
    rows = []

    def delta(t):
        if t == len(x):
            return np.zeros(w1.shape[1])
        g = (predictions[t] - y[t]) * w2.T[0] + w1[1:].dot(delta(t + 1))
        rows.insert(0, g)
        return (1 - contexts[t + 1]) * (1 + contexts[t + 1]) * g

    delta(0)
    dh = np.stack(rows)
    deltas = dh - dh * contexts[1:] ** 2
    dw1 = sum(np.multiply.outer(np.r_[x_t, h], d) for x_t, h, d in zip(x, contexts, deltas))
    dw2 = sum((p - t) * h for p, t, h in zip(predictions, y, contexts[1:])).reshape(-1, 1)
    return dw1, dw2, dh


@right("sine_backward", "loops over single entries, dh filled in from the back")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    dw1, dw2, dh = np.zeros((H + 1, H)), np.zeros((H, 1)), np.zeros((T, H))
    for t in range(T)[::-1]:
        e = predictions[t] - y[t]
        for i in range(H):
            dw2[i, 0] += contexts[t + 1, i] * e
            dh[t, i] += e * w2[i, 0]
        for j in range(H):
            d = dh[t, j] * (1 - contexts[t + 1, j] ** 2)
            dw1[0, j] += x[t] * d
            for i in range(H):
                dw1[i + 1, j] += contexts[t, i] * d
                if t:
                    dh[t - 1, i] += w1[i + 1, j] * d
    return dw1, dw2, dh


# ---------------------------------------------------------------------------------------------
# numerical_gradient
# ---------------------------------------------------------------------------------------------


@wrong("numerical_gradient", "a forward difference instead of a central one")
def numerical_gradient(loss, w, eps=1e-5):
    grad = np.zeros_like(w)
    base = loss(w)
    for i in np.ndindex(w.shape):
        old = w[i]
        w[i] = old + eps
        grad[i] = (loss(w) - base) / eps
        w[i] = old
    return grad


@wrong("numerical_gradient", "divides by eps instead of 2 eps")
def numerical_gradient(loss, w, eps=1e-5):
    grad = np.zeros_like(w)
    for i in np.ndindex(w.shape):
        old = w[i]
        w[i] = old + eps
        up = loss(w)
        w[i] = old - eps
        down = loss(w)
        w[i] = old
        grad[i] = (up - down) / eps
    return grad


@wrong("numerical_gradient", "eps is overwritten by a fixed 1e-5")
def numerical_gradient(loss, w, eps=1e-5):
    eps = 1e-5
    grad = np.zeros_like(w)
    for i in np.ndindex(w.shape):
        plus, minus = w.copy(), w.copy()
        plus[i] += eps
        minus[i] -= eps
        grad[i] = (loss(plus) - loss(minus)) / (2 * eps)
    return grad


@wrong("numerical_gradient", "the entries moved before stay moved down in the working copy")
def numerical_gradient(loss, w, eps=1e-5):
    work = w.copy()
    grad = np.zeros_like(work)
    for i in np.ndindex(work.shape):
        work[i] += eps
        up = loss(work)
        work[i] -= 2 * eps
        down = loss(work)
        grad[i] = (up - down) / (2 * eps)
    return grad


@wrong("numerical_gradient", "up and down are names of one array, so the difference is 0")
def numerical_gradient(loss, w, eps=1e-5):
    grad = np.zeros_like(w)
    for i in np.ndindex(w.shape):
        original = w[i]
        up = w
        up[i] = original + eps
        down = w
        down[i] = original - eps
        grad[i] = (loss(up) - loss(down)) / (2 * eps)
        w[i] = original
    return grad


@wrong("numerical_gradient", "the step is eps times the entry, and 0 / 0 where an entry is 0")
def numerical_gradient(loss, w, eps=1e-5):
    grad = np.zeros_like(w)
    for i in np.ndindex(w.shape):
        h = eps * abs(w[i])
        up, down = w.copy(), w.copy()
        up[i] += h
        down[i] -= h
        grad[i] = (loss(up) - loss(down)) / (2 * h)
    return grad


@wrong("numerical_gradient", "the gradient is kept in float32")
def numerical_gradient(loss, w, eps=1e-5):
    grad = np.zeros(w.shape, dtype=np.float32)
    for i in np.ndindex(w.shape):
        step = np.zeros(w.shape)
        step[i] = eps
        grad[i] = (loss(w + step) - loss(w - step)) / (2 * eps)
    return grad


@wrong("numerical_gradient", "all entries are moved at once")
def numerical_gradient(loss, w, eps=1e-5):
    slope = (loss(w + eps) - loss(w - eps)) / (2 * eps)
    return np.full(w.shape, slope)


@wrong("numerical_gradient", "a complex step instead of differences, which fails for abs")
def numerical_gradient(loss, w, eps=1e-5):
    grad = np.zeros(w.shape)
    for i in np.ndindex(w.shape):
        moved = w.astype(complex)
        moved[i] += 1j * eps
        grad[i] = np.imag(loss(moved)) / eps
    return grad


@wrong("numerical_gradient", "the last entry is left out")
def numerical_gradient(loss, w, eps=1e-5):
    grad = np.zeros_like(w)
    for n in range(w.size - 1):
        i = np.unravel_index(n, w.shape)
        old = w[i]
        w[i] = old + eps
        up = loss(w)
        w[i] = old - eps
        down = loss(w)
        w[i] = old
        grad[i] = (up - down) / (2 * eps)
    return grad


@wrong("numerical_gradient", "w is not put back: every entry stays moved down by eps")
def numerical_gradient(loss, w, eps=1e-5):
    grad = np.zeros_like(w)
    for i in np.ndindex(w.shape):
        w[i] += eps
        up = loss(w)
        w[i] -= 2 * eps
        down = loss(w)
        grad[i] = (up - down) / (2 * eps)
    return grad


@wrong("numerical_gradient", "the gradient is flat", "the first entry of w is put back too high")
def numerical_gradient(loss, w, eps=1e-5):
    gradient = []
    for n, i in enumerate(np.ndindex(w.shape)):
        old = w[i]
        w[i] = old - eps
        down = loss(w)
        w[i] = old + eps
        gradient.append((loss(w) - down) / (2 * eps))
        if n:
            w[i] = old
    return np.array(gradient)


@wrong("numerical_gradient", "a backward difference", "the last entry of w is not put back")
def numerical_gradient(loss, w, eps=1e-5):
    grad = np.zeros_like(w)
    base, previous, kept = loss(w), None, None
    for i in np.ndindex(w.shape):
        if previous is not None:
            w[previous] = kept
        previous, kept = i, w[i]
        w[i] = kept - eps
        grad[i] = (base - loss(w)) / eps
    return grad


@right("numerical_gradient", "np.nditer with multi_index, moved in place and put back")
def numerical_gradient(loss, w, eps=1e-5):
    grad = np.empty(w.shape)
    it = np.nditer(w, flags=["multi_index"])
    while not it.finished:
        i = it.multi_index
        old = w[i].copy()
        w[i] = old + eps
        up = loss(w)
        w[i] = old - eps
        grad[i] = (up - loss(w)) / (2 * eps)
        w[i] = old
        it.iternext()
    return grad


@right("numerical_gradient", "steps from the rows of an identity matrix, w never touched")
def numerical_gradient(loss, w, eps=1e-5):
    steps = (eps * np.eye(w.size)).reshape(w.size, *w.shape)
    up, down = (np.array([loss(w + sign * s) for s in steps]) for sign in (1, -1))
    return ((up - down) / 2 / eps).reshape(w.shape)


@right("numerical_gradient", "recursion over the axes, each slice with a loss of its own")
def numerical_gradient(loss, w, eps=1e-5):
    def go(index):
        if len(index) < w.ndim:
            return [go((*index, i)) for i in range(w.shape[len(index)])]
        values = []
        for sign in (+1, -1):
            moved = np.array(w)
            moved[index] = w[index] + sign * eps
            values.append(float(loss(moved)))
        return (values[0] - values[1]) / (2.0 * eps)

    return np.array(go(()), dtype=float).reshape(w.shape)


class _Moved:
    def __init__(self, w, i, by):
        self.w, self.i, self.by = w, i, by

    def __enter__(self):
        self.before = self.w[self.i]
        self.w[self.i] = self.before + self.by
        return self.w

    def __exit__(self, *error):
        self.w[self.i] = self.before


@right("numerical_gradient", "a context manager that moves an entry and puts it back")
def numerical_gradient(loss, w, eps=1e-5):
    def at(i, by):
        with _Moved(w, i, by) as moved:
            return loss(moved)

    slopes = ((at(i, eps) - at(i, -eps)) / (2 * eps) for i in np.ndindex(w.shape))
    return np.fromiter(slopes, dtype=np.float64, count=w.size).reshape(w.shape)


@right("numerical_gradient", "np.vectorize over flat positions, with np.put on copies")
def numerical_gradient(loss, w, eps=1e-5):
    def shifted(n, by):
        copy = np.array(w, order="C")
        np.put(copy, n, copy.flat[n] + by)
        return loss(copy)

    slope = np.vectorize(lambda n: shifted(n, eps) - shifted(n, -eps), otypes=[np.float64])
    return slope(np.arange(w.size).reshape(w.shape)) / (eps + eps)


# ---------------------------------------------------------------------------------------------
# sgd_step
# ---------------------------------------------------------------------------------------------


@wrong("sgd_step", "each gradient is clipped by its own norm")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    new_weights, new_velocities = [], []
    for w, g, v in zip(weights, gradients, velocities):
        norm = np.sqrt((g**2).sum())
        if norm > max_norm:
            g = g * max_norm / norm
        v = momentum * v + g
        new_weights.append(w - lr * v)
        new_velocities.append(v)
    return new_weights, new_velocities


@wrong("sgd_step", "the gradient enters the velocity with the factor 1 - momentum")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    scale = max_norm / norm if norm > max_norm else 1.0
    velocities = [momentum * v + (1 - momentum) * scale * g for v, g in zip(velocities, gradients)]
    return [w - lr * v for w, v in zip(weights, velocities)], velocities


@wrong("sgd_step", "the convention of Keras: the velocity is momentum * v - lr * g, and is added")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    scale = max_norm / norm if norm > max_norm else 1.0
    velocities = [momentum * v - lr * scale * g for v, g in zip(velocities, gradients)]
    return [w + v for w, v in zip(weights, velocities)], velocities


@wrong("sgd_step", "the weights move by the old velocity")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    norm = np.sqrt(sum(np.sum(g * g) for g in gradients))
    scale = max_norm / norm if norm > max_norm else 1.0
    new_weights = [w - lr * v for w, v in zip(weights, velocities)]
    new_velocities = [momentum * v + scale * g for v, g in zip(velocities, gradients)]
    return new_weights, new_velocities


@wrong("sgd_step", "Nesterov's momentum: the weights move by g + momentum * v")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in gradients]))
    scale = max_norm / norm if norm > max_norm else 1.0
    clipped = [scale * g for g in gradients]
    velocities = [momentum * v + g for v, g in zip(velocities, clipped)]
    weights = [w - lr * (g + momentum * v) for w, g, v in zip(weights, clipped, velocities)]
    return weights, velocities


@wrong("sgd_step", "the given weights are changed in place")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    scale = max_norm / norm if norm > max_norm else 1.0
    new_velocities = []
    for w, g, v in zip(weights, gradients, velocities):
        v = momentum * v + scale * g
        w -= lr * v
        new_velocities.append(v)
    return weights, new_velocities


@wrong("sgd_step", "the given gradients are clipped in place")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    if norm > max_norm:
        for g in gradients:
            g *= max_norm / norm
    new_v = [momentum * v + g for v, g in zip(velocities, gradients)]
    new_w = [w - lr * v for w, v in zip(weights, new_v)]
    return new_w, new_v


@wrong("sgd_step", "the limit is always 1, whatever max_norm says")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    if norm > 1.0:
        gradients = [g / norm for g in gradients]
    velocities = [momentum * v + g for v, g in zip(velocities, gradients)]
    return [w - lr * v for w, v in zip(weights, velocities)], velocities


@wrong("sgd_step", "the velocity is clipped instead of the gradient")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    velocities = [momentum * v + g for v, g in zip(velocities, gradients)]
    norm = np.sqrt(sum(np.sum(v**2) for v in velocities))
    if norm > max_norm:
        velocities = [v * (max_norm / norm) for v in velocities]
    return [w - lr * v for w, v in zip(weights, velocities)], velocities


@wrong("sgd_step", "the norm is the sum of the arrays' norms")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    norm = sum(np.linalg.norm(g) for g in gradients)
    scale = min(1.0, max_norm / norm) if norm > 0 else 1.0
    velocities = [momentum * v + scale * g for v, g in zip(velocities, gradients)]
    return [w - lr * v for w, v in zip(weights, velocities)], velocities


@wrong("sgd_step", "the norm lacks its square root")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    norm = sum((g**2).sum() for g in gradients)
    scale = 1.0 if norm <= max_norm else max_norm / norm
    velocities = [momentum * v + scale * g for v, g in zip(velocities, gradients)]
    return [w - lr * v for w, v in zip(weights, velocities)], velocities


@wrong("sgd_step", "short gradients are stretched to max_norm")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    if 0 < norm and np.isfinite(max_norm):
        gradients = [g * (max_norm / norm) for g in gradients]
    velocities = [momentum * v + g for v, g in zip(velocities, gradients)]
    return [w - lr * v for w, v in zip(weights, velocities)], velocities


@right("sgd_step", "1e-6 added to the norm in the factor, as clip_grad_norm_ has it")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    clip_coef = min(1.0, max_norm / (norm + 1e-6))
    velocities = [momentum * v + clip_coef * g for v, g in zip(velocities, gradients)]
    return [w - lr * v for w, v in zip(weights, velocities)], velocities


@wrong("sgd_step", "the given velocities are changed in place", "the weights go up the gradient")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    scale = max_norm / norm if norm > max_norm else 1.0
    for v, g in zip(velocities, gradients):
        v *= momentum
        v += scale * g
    return [w + lr * v for w, v in zip(weights, velocities)], velocities


@wrong(
    "sgd_step",
    "the returned velocities take the gradient without clipping",
    "the weights move without momentum",
)
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    scale = max_norm / norm if norm > max_norm else 1.0
    new_velocities = [momentum * v + g for v, g in zip(velocities, gradients)]
    new_weights = [w - lr * scale * g for w, g in zip(weights, gradients)]
    return new_weights, new_velocities


@right("sgd_step", "torch's own clipping and optimizer, on copies, with the velocity put in")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    parameters = [nn.Parameter(torch.tensor(np.asarray(w, dtype=float))) for w in weights]
    optimizer = torch.optim.SGD(parameters, lr=lr, momentum=momentum)
    length = sum(float(np.vdot(g, g)) for g in gradients) ** 0.5
    factor = 1.0 if length <= max_norm else max_norm / length
    for p, g, v in zip(parameters, gradients, velocities):
        p.grad = factor * torch.tensor(np.asarray(g, dtype=float))
        if momentum:  # without it torch keeps no velocity
            optimizer.state[p]["momentum_buffer"] = torch.tensor(np.asarray(v, dtype=float))
    optimizer.step()
    new_v = [optimizer.state[p]["momentum_buffer"] if momentum else p.grad for p in parameters]
    return [p.detach().numpy() for p in parameters], [v.numpy() for v in new_v]


@right("sgd_step", "everything joined to one long vector and cut up again")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    join = lambda arrays: np.concatenate([np.ravel(a) for a in arrays])
    w, g, v = map(join, (weights, gradients, velocities))
    if (length := np.linalg.norm(g)) > max_norm:
        g = g * (max_norm / length)
    v = momentum * v + g
    cuts = np.cumsum([np.size(a) for a in weights])[:-1]
    return tuple(
        [part.reshape(np.shape(a)) for part, a in zip(np.split(whole, cuts), weights)]
        for whole in (w - lr * v, v)
    )


@dataclass
class _Momentum:
    w: np.ndarray
    v: np.ndarray

    def moved(self, g, lr, momentum):
        v = np.add(np.multiply(self.v, momentum), g)
        return _Momentum(np.subtract(self.w, np.multiply(v, lr)), v)


@right("sgd_step", "a dataclass for each array, the norm by a norm of norms")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    length = np.hypot.reduce([np.linalg.norm(np.ravel(g)) for g in gradients])
    factor = 1.0 if length == 0 else np.fmin(1.0, max_norm / length)
    states = [
        _Momentum(w, v).moved(np.multiply(g, factor), lr=lr, momentum=momentum)
        for w, g, v in zip(weights, gradients, velocities)
    ]
    return [s.w for s in states], [s.v for s in states]


@right("sgd_step", "in place, on deep copies of its own, over single entries")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    new_w, new_v = ([np.array(a, dtype=float) for a in given] for given in (weights, velocities))
    squares = 0.0
    for g in gradients:
        for entry in np.nditer(g):
            squares += float(entry) ** 2
    factor = max_norm / squares**0.5 if squares > max_norm**2 else 1.0
    for w, g, v in zip(new_w, gradients, new_v):
        for i in np.ndindex(w.shape):
            v[i] = momentum * v[i] + factor * g[i]
            w[i] -= lr * v[i]
    return new_w, new_v


@right("sgd_step", "map over lambdas, the squares summed by reduce")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    total = np.sqrt(reduce(lambda s, g: s + np.einsum("i,i", *[np.ravel(g)] * 2), gradients, 0.0))
    clip = (lambda g: g) if total <= max_norm else (lambda g: max_norm * (g / total))
    after = list(map(lambda v, g: clip(g) + v * momentum, velocities, gradients))
    return list(map(lambda w, v: w + v * -lr, weights, after)), after


# ---------------------------------------------------------------------------------------------
# truncated_backward
# ---------------------------------------------------------------------------------------------


@wrong("truncated_backward", "one round too many: each error reaches k steps beside its own")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    e = predictions - y
    slope = 1 - contexts[1:] ** 2
    G = np.outer(e, w2[:, 0])
    dh = G.copy()
    for _ in range(k):
        after = np.zeros_like(G)
        after[:-1] = (G[1:] * slope[1:]) @ w1[1:].T
        G = after
        dh += G
    z = np.column_stack([x, contexts[:-1]])
    return z.T @ (dh * slope), contexts[1:].T @ e[:, None]


@wrong("truncated_backward", "cuts the series into pieces of k steps, as if detached between them")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    T, H = len(x), w1.shape[1]
    dw1, dw2 = np.zeros_like(w1), np.zeros_like(w2)
    for start in range(0, T, k):
        back = np.zeros(H)
        for t in reversed(range(start, min(start + k, T))):
            e = predictions[t] - y[t]
            dw2 += np.outer(contexts[t + 1], e)
            delta = (e * w2[:, 0] + back) * (1 - contexts[t + 1] ** 2)
            dw1 += np.outer(np.append(x[t], contexts[t]), delta)
            back = w1[1:] @ delta
    return dw1, dw2


@wrong("truncated_backward", "the walk back ends after the last k steps of the series")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    T = len(x)
    e = predictions - y
    dw1, dw2 = np.zeros_like(w1), contexts[1:].T @ e[:, None]
    back = np.zeros(w1.shape[1])
    for t in range(T - 1, max(T - 1 - k, -1), -1):
        delta = (e[t] * w2[:, 0] + back) * (1 - contexts[t + 1] ** 2)
        dw1 += np.outer(np.append(x[t], contexts[t]), delta)
        back = w1[1:] @ delta
    return dw1, dw2


@wrong("truncated_backward", "np.roll sends what goes back from the first step to the last one")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    e = predictions - y
    slope = 1 - contexts[1:] ** 2
    G = np.outer(e, w2[:, 0])
    dh = G.copy()
    for _ in range(min(k, len(x)) - 1):
        G = np.roll((G * slope) @ w1[1:].T, -1, axis=0)
        dh += G
    z = np.column_stack([x, contexts[:-1]])
    return z.T @ (dh * slope), contexts[1:].T @ e[:, None]


@wrong("truncated_backward", "the last row of G keeps its error in every round")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    T = len(x)
    e = predictions - y
    G = np.outer(e, w2[:, 0])
    dh = G.copy()
    for _ in range(k - 1):
        for t in range(T - 1):
            G[t] = (G[t + 1] * (1 - contexts[t + 2] ** 2)) @ w1[1:].T
        dh += G
    delta = dh * (1 - contexts[1:] ** 2)
    return np.column_stack([x, contexts[:-1]]).T @ delta, contexts[1:].T @ e[:, None]


@wrong("truncated_backward", "the errors go forward in time instead of back")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    e = predictions - y
    slope = 1 - contexts[1:] ** 2
    G = np.outer(e, w2[:, 0])
    dh = G.copy()
    for _ in range(k - 1):
        moved = np.zeros_like(G)
        moved[1:] = (G[:-1] * slope[:-1]) @ w1[1:].T
        G = moved
        dh += G
    z = np.column_stack([x, contexts[:-1]])
    return z.T @ (dh * slope), contexts[1:].T @ e[:, None]


@wrong("truncated_backward", "the sum and the travelling errors are one and the same array")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    e = (predictions - y)[:, None]
    slope = 1 - contexts[1:] ** 2
    G = e * w2.T
    dh = G
    for _ in range(k - 1):
        sent = (G * slope) @ w1[1:].T
        dh[:-1] += sent[1:]
    z = np.column_stack([x, contexts[:-1]])
    return z.T @ (dh * slope), contexts[1:].T @ e


@wrong("truncated_backward", "dh is the errors after the last round, not the sum over all rounds")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    e = predictions - y
    slope = 1 - contexts[1:] ** 2
    G = np.outer(e, w2[:, 0])
    for _ in range(k - 1):
        G = np.vstack([(G[1:] * slope[1:]) @ w1[1:].T, np.zeros(w1.shape[1])])
    z = np.column_stack([x, contexts[:-1]])
    return z.T @ (G * slope), contexts[1:].T @ e[:, None]


@wrong("truncated_backward", "k is limited to T - 1, so the longest way is missing at k = T")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    T = len(x)
    k = max(1, min(k, T - 1))
    dw1, dw2 = np.zeros_like(w1), np.zeros_like(w2)
    for t in range(T):
        e = predictions[t] - y[t]
        dw2 += e * contexts[t + 1][:, None]
        g = e * w2[:, 0]
        for s in range(t, max(t - k, -1), -1):
            delta = g * (1 - contexts[s + 1] ** 2)
            dw1 += np.outer(np.append(x[s], contexts[s]), delta)
            g = w1[1:] @ delta
    return dw1, dw2


@wrong("truncated_backward", "early errors go on past the first step, to negative indices")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    T = len(x)
    dw1, dw2 = np.zeros_like(w1), np.zeros_like(w2)
    for t in range(T):
        e = predictions[t] - y[t]
        dw2 += np.outer(contexts[t + 1], e)
        g = e * w2[:, 0]
        for s in range(t, t - min(k, T), -1):
            delta = g * (1 - contexts[s + 1] ** 2)
            dw1 += np.outer(np.append(x[s], contexts[s]), delta)
            g = w1[1:] @ delta
    return dw1, dw2


@wrong("truncated_backward", "each round takes the slope of the step that receives")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    e = predictions - y
    slope = 1 - contexts[1:] ** 2
    G = np.outer(e, w2[:, 0])
    dh = G.copy()
    for _ in range(k - 1):
        G = np.concatenate([(G[1:] * slope[:-1]) @ w1[1:].T, 0 * G[-1:]])
        dh = dh + G
    z = np.column_stack([x, contexts[:-1]])
    return z.T @ (dh * slope), contexts[1:].T @ e[:, None]


@wrong("truncated_backward", "dw2 is truncated too: it takes only the last k steps")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    T = len(x)
    dw1, dw2 = np.zeros_like(w1), np.zeros_like(w2)
    e = predictions - y
    for t in range(T):
        if t >= T - k:
            dw2 += np.outer(contexts[t + 1], e[t])
        g = e[t] * w2[:, 0]
        for s in range(t, max(-1, t - k), -1):
            g = g * (1 - contexts[s + 1] ** 2)
            dw1 += np.outer(np.append(x[s], contexts[s]), g)
            g = w1[1:] @ g
    return dw1, dw2


@wrong("truncated_backward", "returns dh as a third value")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    e = predictions - y
    slope = 1 - contexts[1:] ** 2
    G = np.outer(e, w2[:, 0])
    dh = G.copy()
    for _ in range(k - 1):
        G = np.vstack([(G[1:] * slope[1:]) @ w1[1:].T, np.zeros((1, w1.shape[1]))])
        dh += G
    dw1 = np.column_stack([x, contexts[:-1]]).T @ (dh * slope)
    return dw1, contexts[1:].T @ e[:, None], dh


@wrong("truncated_backward", "the full gradient for every k above 1")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    T, H = len(x), w1.shape[1]
    dw1, dw2, back = np.zeros_like(w1), np.zeros_like(w2), np.zeros(H)
    for t in reversed(range(T)):
        e = predictions[t] - y[t]
        dw2 += np.outer(contexts[t + 1], e)
        delta = (e * w2[:, 0] + back) * (1 - contexts[t + 1] ** 2)
        dw1 += np.outer(np.append(x[t], contexts[t]), delta)
        if k > 1:
            back = w1[1:] @ delta
    return dw1, dw2


@wrong(
    "truncated_backward",
    "k counts the steps beside the own one, so one round too many",
    "dw2 pairs each error with the context before the step",
)
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    T = len(x)
    dw1, dw2 = np.zeros_like(w1), np.zeros_like(w2)
    for t in range(T):
        e = predictions[t] - y[t]
        dw2[:, 0] += e * contexts[t]
        g = e * w2[:, 0]
        for s in range(t, max(t - k - 1, -1), -1):
            delta = g * (1 - contexts[s + 1] ** 2)
            dw1 += np.outer(np.append(x[s], contexts[s]), delta)
            g = w1[1:] @ delta
    return dw1, dw2


@wrong(
    "truncated_backward",
    "what travels back skips the slope of tanh",
    "dw2 has shape (H,)",
)
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    e = predictions - y
    G = np.outer(e, w2[:, 0])
    dh = G.copy()
    for _ in range(k - 1):
        G[:-1], G[-1] = G[1:] @ w1[1:].T, 0
        dh += G
    delta = dh * (1 - contexts[1:] ** 2)
    return np.column_stack([x, contexts[:-1]]).T @ delta, contexts[1:].T @ e


@right("truncated_backward", "autograd: each error on a graph that begins k steps before it")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    a, b = (torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in (w1, w2))
    series, kept = torch.tensor(np.asarray(x, float)), torch.tensor(np.asarray(contexts, float))
    for t in range(len(x)):
        first = max(0, t + 1 - k)
        h = kept[first]
        for s in range(first, t + 1):
            h = torch.tanh(torch.cat([series[s : s + 1], h]) @ a)
        ((h @ b - float(y[t])) ** 2).sum().div(2).backward()
    return a.grad.numpy(), b.grad.numpy()


@right("truncated_backward", "a band of k diagonals in a table of how each step counts for each")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    T, H = len(x), w1.shape[1]
    slope = 1 - np.square(contexts[1:])
    e = predictions - y
    way = np.zeros((T, T, H))  # way[t, s]: the gradient of prediction t at context s
    for t in range(T):
        way[t, t] = w2[:, 0]
        for s in range(t, 0, -1):
            way[t, s - 1] = w1[1:] @ (way[t, s] * slope[s])
    band = np.subtract.outer(np.arange(T), np.arange(T)) < k
    delta = np.einsum("t,ts,tsh,sh->sh", e, band, way, slope)
    z = np.hstack([np.reshape(x, (T, 1)), contexts[:-1]])
    return np.tensordot(z, delta, axes=(0, 0)), np.tensordot(contexts[1:], e, (0, 0))[:, None]


@right("truncated_backward", "the full recursion, less what is older than k steps")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    T, H = len(x), w1.shape[1]
    slope, e = 1 - contexts[1:] ** 2, predictions - y
    dw1 = np.zeros((1 + H, H))
    waiting = []  # errors on their way, the oldest first, at most k
    for t in range(T)[::-1]:
        waiting = [*waiting, e[t] * w2[:, 0]][-k:]
        waiting = [g * slope[t] for g in waiting]
        dw1[0] += x[t] * sum(waiting)
        dw1[1:] += np.outer(contexts[t], sum(waiting))
        waiting = [g @ w1[1:].T for g in waiting]
    return dw1, (e @ contexts[1:]).reshape(H, 1)


@right("truncated_backward", "recursion over k: the gradient for k - 1, and one more round")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    slope = 1 - contexts[1:] ** 2
    e = np.atleast_2d(predictions - y).T

    def dh(G, rounds):
        if rounds == 0:
            return G
        G_after = np.pad((G[1:] * slope[1:]).dot(w1[1:].T), ((0, 1), (0, 0)))
        return G + dh(G_after, rounds - 1)

    delta = slope * dh(e.dot(w2.T), min(k, len(x)) - 1)
    dw1 = np.insert(contexts[:-1].T @ delta, 0, np.dot(x, delta), axis=0)
    return dw1, contexts[1:].T @ e


@right("truncated_backward", "a shift matrix and the powers of one big linear map")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    T, H = len(x), w1.shape[1]
    slope = 1 - contexts[1:] ** 2
    e = predictions - y
    one_back = np.kron(np.eye(T, k=1), w1[1:]) * slope.reshape(1, -1)  # (T H, T H)
    g = np.kron(e, w2[:, 0])
    total = np.zeros(T * H)
    for _ in range(k):
        if not g.any():
            break
        total, g = total + g, one_back @ g
    delta = total.reshape(T, H) * slope
    return np.r_[[x], contexts[:-1].T] @ delta, contexts[1:].T @ np.c_[e]


# ---------------------------------------------------------------------------------------------
# free_run
# ---------------------------------------------------------------------------------------------


@wrong("free_run", "begins with a context of zero after the last input: it is not warm")
def free_run(x, w1, w2, steps):
    h = np.zeros(w1.shape[1])
    value, out = x[-1], []
    for _ in range(steps):
        h = np.tanh(np.append(value, h) @ w1)
        value = (h @ w2)[0]
        out.append(value)
    return np.array(out)


@wrong("free_run", "leaves out the prediction from the last true input and begins one step later")
def free_run(x, w1, w2, steps):
    h = np.zeros(w1.shape[1])
    for value in x:
        h = np.tanh(np.append(value, h) @ w1)
    prediction, out = (h @ w2)[0], []
    for _ in range(steps):
        h = np.tanh(np.append(prediction, h) @ w1)
        prediction = (h @ w2)[0]
        out.append(prediction)
    return np.array(out)


@wrong("free_run", "feeds the last true input a second time before its own predictions")
def free_run(x, w1, w2, steps):
    h = np.zeros(w1.shape[1])
    for value in x:
        h = np.tanh(np.append(value, h) @ w1)
    out = np.zeros(steps)
    value = x[-1]
    for n in range(steps):
        h = np.tanh(np.append(value, h) @ w1)
        value = out[n] = (h @ w2)[0]
    return out


@wrong("free_run", "the context stands still while the predictions are fed back")
def free_run(x, w1, w2, steps):
    h = np.zeros(w1.shape[1])
    for value in x:
        h = np.tanh(np.append(value, h) @ w1)
    out = [(h @ w2)[0]]
    while len(out) < steps:
        out.append((np.tanh(np.append(out[-1], h) @ w1) @ w2)[0])
    return np.array(out[:steps])


@wrong("free_run", "a sliding window of the last T values, run from zero for every prediction")
def free_run(x, w1, w2, steps):
    window, out = list(x), []
    for _ in range(steps):
        h = np.zeros(w1.shape[1])
        for value in window:
            h = np.tanh(np.append(value, h) @ w1)
        out.append((h @ w2)[0])
        window = window[1:] + [out[-1]]
    return np.array(out)


@wrong("free_run", "predictions are clipped to [-1, 1]")
def free_run(x, w1, w2, steps):
    h = np.zeros(w1.shape[1])
    for value in x:
        h = np.tanh(np.append(value, h) @ w1)
    out = []
    for _ in range(steps):
        value = np.clip((h @ w2)[0], -1.0, 1.0)
        out.append(value)
        h = np.tanh(np.append(value, h) @ w1)
    return np.array(out)


@wrong("free_run", "one value too many is returned")
def free_run(x, w1, w2, steps):
    h = np.zeros(w1.shape[1])
    for value in x:
        h = np.tanh(np.append(value, h) @ w1)
    out = [(h @ w2)[0]]
    for _ in range(steps):
        h = np.tanh(np.append(out[-1], h) @ w1)
        out.append((h @ w2)[0])
    return np.array(out)


@wrong("free_run", "the context is warmed without the last input, which is then never seen")
def free_run(x, w1, w2, steps):
    h, value = np.zeros(w1.shape[1]), 0.0
    for x_t in x[:-1]:
        h = np.tanh(np.append(x_t, h) @ w1)
        value = (h @ w2)[0]
    out = []
    for _ in range(steps):
        h = np.tanh(np.append(value, h) @ w1)
        value = (h @ w2)[0]
        out.append(value)
    return np.array(out)


@wrong("free_run", "the run goes on from the last context but one")
def free_run(x, w1, w2, steps):
    contexts = [np.zeros(w1.shape[1])]
    for x_t in x:
        contexts.append(np.tanh(np.append(x_t, contexts[-1]) @ w1))
    out = [(contexts[-1] @ w2)[0]]
    h = contexts[-2]
    for _ in range(steps - 1):
        h = np.tanh(np.append(out[-1], h) @ w1)
        out.append((h @ w2)[0])
    return np.array(out)


@wrong("free_run", "the first prediction is fed back every time")
def free_run(x, w1, w2, steps):
    h = np.zeros(w1.shape[1])
    for x_t in x:
        h = np.tanh(np.append(x_t, h) @ w1)
    first = (h @ w2)[0]
    out = [first]
    for _ in range(1, steps):
        h = np.tanh(np.append(first, h) @ w1)
        out.append((h @ w2)[0])
    return np.array(out)


@wrong("free_run", "the context is set to zero again when the predictions begin to be fed back")
def free_run(x, w1, w2, steps):
    def run(values, h):
        for v in values:
            h = np.tanh(np.append(v, h) @ w1)
        return (h @ w2)[0], h

    value, _ = run(x, np.zeros(w1.shape[1]))
    out, h = [value], np.zeros(w1.shape[1])
    for _ in range(steps - 1):
        value, h = run([value], h)
        out.append(value)
    return np.array(out)


@wrong("free_run", "returns the first predictions over x, not those that come after it")
def free_run(x, w1, w2, steps):
    h, out = np.zeros(w1.shape[1]), []
    for n in range(len(x) + steps - 1):
        value = x[n] if n < len(x) else out[-1]
        h = np.tanh(np.append(value, h) @ w1)
        out.append((h @ w2)[0])
    return np.array(out[:steps])


@wrong("free_run", "the context is warmed over the first twenty values only")
def free_run(x, w1, w2, steps):
    h = np.zeros(w1.shape[1])
    for t in range(min(20, len(x))):
        h = np.tanh(np.append(x[t], h) @ w1)
    out = [(h @ w2)[0]]
    for _ in range(steps - 1):
        h = np.tanh(np.append(out[-1], h) @ w1)
        out.append((h @ w2)[0])
    return np.array(out)


@wrong("free_run", "the values have shape (steps, 1)")
def free_run(x, w1, w2, steps):
    h = np.zeros((1, w1.shape[1]))
    for x_t in x:
        h = np.tanh(np.concatenate([[[x_t]], h], axis=1) @ w1)
    out = [h @ w2]
    for _ in range(steps - 1):
        h = np.tanh(np.concatenate([out[-1], h], axis=1) @ w1)
        out.append(h @ w2)
    return np.concatenate(out)


@wrong("free_run", "the true series comes back before the values", "the context is not warm")
def free_run(x, w1, w2, steps):
    values, h = list(x), np.zeros(w1.shape[1])
    for _ in range(steps):
        h = np.tanh(np.append(values[-1], h) @ w1)
        values.append((h @ w2)[0])
    return np.array(values)


@wrong("free_run", "shape () instead of (1,) for steps = 1", "predictions are rounded to float32")
def free_run(x, w1, w2, steps):
    h = np.zeros(w1.shape[1])
    for x_t in x:
        h = np.tanh(np.append(x_t, h) @ w1)
    out = np.zeros(steps, dtype=np.float32)
    for n in range(steps):
        out[n] = (h @ w2)[0]
        h = np.tanh(np.append(out[n], h) @ w1)
    return out.squeeze()


@right("free_run", "the whole grown series is run again for every value")
def free_run(x, w1, w2, steps):
    def last_prediction(values):
        h = reduce(lambda h, v: np.tanh(v * w1[0] + h @ w1[1:]), values, np.zeros(len(w2)))
        return float(np.vdot(h, w2))

    series = [float(v) for v in x]
    for _ in range(steps):
        series.append(last_prediction(series))
    return np.array(series[len(x) :])


def _endless(x, w1, w2):
    h = np.zeros(w1.shape[1])
    value = None
    for x_t in itertools.chain(x, iter(lambda: value, object())):
        h = np.tanh(np.r_[x_t, h] @ w1)
        value = (h @ w2).item()
        yield value


@right("free_run", "an endless generator, cut out with islice")
def free_run(x, w1, w2, steps):
    run = _endless(x, w1, w2)
    start = len(x) - 1
    return np.array(list(itertools.islice(run, start, start + steps)))


@right("free_run", "the way from output to input folded into one matrix for the contexts")
def free_run(x, w1, w2, steps):
    h = np.zeros(w1.shape[1])
    for x_t in x:
        h = np.tanh(w1.T @ np.append(x_t, h))
    closed = w2 @ w1[:1] + w1[1:]  # h @ closed is (h @ w2) * w1[0] + h @ w1[1:]
    contexts = np.empty((steps, len(h)))
    for n in range(steps):
        contexts[n] = h
        h = np.tanh(h @ closed)
    return contexts @ w2[:, 0]


@right("free_run", "nn.RNNCell with these weights, under no_grad, in float64")
def free_run(x, w1, w2, steps):
    cell = nn.RNNCell(1, w1.shape[1], bias=False, dtype=torch.float64)
    out = torch.zeros(steps, dtype=torch.float64)
    with torch.no_grad():
        cell.weight_ih.copy_(torch.from_numpy(np.array(w1[:1].T)))
        cell.weight_hh.copy_(torch.from_numpy(np.array(w1[1:].T)))
        head = torch.from_numpy(np.array(w2, dtype=float))
        h = None
        for x_t in np.asarray(x, dtype=float):
            h = cell(torch.full((1, 1), float(x_t), dtype=torch.float64), h)
        for n in range(steps):
            out[n] = F.linear(h, head.T).squeeze()
            h = cell(out[n].view(1, 1), h)
    return out.numpy()


@right("free_run", "recursion over steps, the values joined on the way back")
def free_run(x, w1, w2, steps):
    def warm(t):
        return np.tanh(np.append(x[t - 1], warm(t - 1)) @ w1) if t else np.zeros(w1.shape[1])

    def values(h, n):
        if n == 0:
            return np.empty(0)
        v = h @ w2
        return np.concatenate([v, values(np.tanh(np.concatenate([v, h]) @ w1), n - 1)])

    return values(warm(len(x)), steps)


# ---------------------------------------------------------------------------------------------
# epoch_today
# ---------------------------------------------------------------------------------------------


@wrong("epoch_today", "the context keeps its graph, so the second backward fails")
def epoch_today(x, y, w1, w2, lr):
    context, total = torch.zeros(w1.shape[1], dtype=w1.dtype), 0.0
    for t in range(len(x)):
        context = torch.tanh(torch.cat([x[t : t + 1], context]) @ w1)
        loss = 0.5 * (context @ w2 - y[t]).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            w1 -= lr * w1.grad
            w2 -= lr * w2.grad
        w1.grad = w2.grad = None
        total += loss.item()
    return total


@wrong("epoch_today", "the graph is kept and every error travels back through all steps")
def epoch_today(x, y, w1, w2, lr):
    context, total = torch.zeros(w1.shape[1], dtype=w1.dtype), 0.0
    for t in range(len(x)):
        context = torch.tanh(torch.cat([x[t : t + 1], context]) @ w1)
        loss = 0.5 * (context @ w2 - y[t]).pow(2).sum()
        loss.backward(retain_graph=True)
        w1.data -= lr * w1.grad.data
        w2.data -= lr * w2.grad.data
        w1.grad.data.zero_()
        w2.grad.data.zero_()
        total += loss.item()
    return total


@wrong("epoch_today", "the gradients are not cleared and add up over the steps")
def epoch_today(x, y, w1, w2, lr):
    w1.grad = w2.grad = None
    context, total = torch.zeros(w1.shape[1], dtype=w1.dtype), 0.0
    for t in range(len(x)):
        context = torch.tanh(torch.cat([x[t : t + 1], context]) @ w1)
        loss = 0.5 * (context @ w2 - y[t]).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            w1 -= lr * w1.grad
            w2 -= lr * w2.grad
        context = context.detach()
        total += loss.item()
    w1.grad = w2.grad = None
    return total


@wrong("epoch_today", "only the gradient of w1 is cleared")
def epoch_today(x, y, w1, w2, lr):
    context, total = torch.zeros(w1.shape[1], dtype=w1.dtype), 0.0
    for t in range(len(x)):
        context = torch.tanh(torch.cat([x[t : t + 1], context]) @ w1)
        loss = (context @ w2 - y[t]).square().sum() / 2
        loss.backward()
        with torch.no_grad():
            for w in (w1, w2):
                w -= lr * w.grad
            w1.grad.zero_()
        context = context.detach()
        total += loss.item()
    w2.grad = None
    return total


@wrong("epoch_today", "one update at the end of the epoch, with the sum of the gradients")
def epoch_today(x, y, w1, w2, lr):
    context, total = torch.zeros(w1.shape[1], dtype=w1.dtype), 0.0
    for x_t, y_t in zip(x, y):
        context = torch.tanh(torch.cat([x_t.view(1), context.detach()]) @ w1)
        total = total + 0.5 * (context @ w2 - y_t).square().sum()
    total.backward()
    with torch.no_grad():
        w1 -= lr * w1.grad
        w2 -= lr * w2.grad
    w1.grad, w2.grad = None, None
    return total.item()


@wrong("epoch_today", "the squared error is not halved")
def epoch_today(x, y, w1, w2, lr):
    context, total = torch.zeros(w1.shape[1], dtype=w1.dtype), 0.0
    for t in range(len(x)):
        context = torch.tanh(torch.cat([x[t : t + 1], context]) @ w1)
        loss = F.mse_loss(context @ w2, y[t : t + 1])
        loss.backward()
        with torch.no_grad():
            w1 -= lr * w1.grad
            w2 -= lr * w2.grad
        w1.grad = w2.grad = None
        context = context.detach()
        total += loss.item()
    return total


@wrong("epoch_today", "trains new tensors; the given w1 and w2 stay as they were")
def epoch_today(x, y, w1, w2, lr):
    context, total = torch.zeros(w1.shape[1], dtype=w1.dtype), 0.0
    for t in range(len(x)):
        context = torch.tanh(torch.cat([x[t : t + 1], context]) @ w1)
        loss = 0.5 * (context @ w2 - y[t]).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            new_w1 = w1 - lr * w1.grad
            new_w2 = w2 - lr * w2.grad
        w1.grad = w2.grad = None
        w1, w2 = new_w1.requires_grad_(), new_w2.requires_grad_()
        context = context.detach()
        total += loss.item()
    return total


@wrong("epoch_today", "the context handed on is computed anew with the updated weights")
def epoch_today(x, y, w1, w2, lr):
    context, total = torch.zeros(w1.shape[1], dtype=w1.dtype), 0.0
    for t in range(len(x)):
        z = torch.cat([x[t : t + 1], context])
        loss = 0.5 * (torch.tanh(z @ w1) @ w2 - y[t]).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            w1 -= lr * w1.grad
            w2 -= lr * w2.grad
            context = torch.tanh(z @ w1)
        w1.grad = w2.grad = None
        total += loss.item()
    return total


@wrong("epoch_today", "the new context is detached before the prediction: w1 never learns")
def epoch_today(x, y, w1, w2, lr):
    context, total = torch.zeros(w1.shape[1], dtype=w1.dtype), 0.0
    for t in range(len(x)):
        context = torch.tanh(torch.cat([x[t : t + 1], context]) @ w1).detach()
        loss = 0.5 * (context @ w2 - y[t]).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            for w in (w1, w2):
                if w.grad is not None:
                    w -= lr * w.grad
                    w.grad = None
        total += loss.item()
    return total


@wrong("epoch_today", "the update is made without no_grad, which a leaf does not allow")
def epoch_today(x, y, w1, w2, lr):
    context, total = torch.zeros(w1.shape[1], dtype=w1.dtype), 0.0
    for t in range(len(x)):
        context = torch.tanh(torch.cat([x[t : t + 1], context]) @ w1)
        loss = 0.5 * (context @ w2 - y[t]).pow(2).sum()
        loss.backward()
        w1 -= lr * w1.grad
        w2 -= lr * w2.grad
        w1.grad = w2.grad = None
        context = context.detach()
        total += loss.item()
    return total


@wrong("epoch_today", "the context is kept in float32 between the steps")
def epoch_today(x, y, w1, w2, lr):
    context, total = torch.zeros(w1.shape[1]), 0.0
    for t in range(len(x)):
        z = torch.cat([x[t : t + 1], context.to(w1.dtype)])
        h = torch.tanh(z @ w1)
        loss = 0.5 * (h @ w2 - y[t]).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            w1 -= lr * w1.grad
            w2 -= lr * w2.grad
        w1.grad = w2.grad = None
        context.copy_(h.detach())
        total += loss.item()
    return total


@wrong("epoch_today", "the context starts at ones")
def epoch_today(x, y, w1, w2, lr):
    context, total = w1.new_ones(w1.size(1)), 0.0
    for t in range(x.size(0)):
        context = torch.tanh(torch.cat([x[t : t + 1], context]) @ w1)
        loss = 0.5 * (context @ w2 - y[t]).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            w1 -= lr * w1.grad
            w2 -= lr * w2.grad
        w1.grad = w2.grad = None
        context = context.detach()
        total += loss.item()
    return total


@wrong("epoch_today", "the context starts as uninitialised memory (often, but not always, 0)")
def epoch_today(x, y, w1, w2, lr):
    context, total = torch.empty(w1.shape[1], dtype=w1.dtype), 0.0
    for t in range(len(x)):
        context = torch.tanh(torch.cat([x[t : t + 1], context]) @ w1)
        loss = 0.5 * (context @ w2 - y[t]).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            w1 -= lr * w1.grad
            w2 -= lr * w2.grad
        w1.grad = w2.grad = None
        context = context.detach()
        total += loss.item()
    return total


@wrong("epoch_today", "the target is the next input, so y is not used and the last step is missing")
def epoch_today(x, y, w1, w2, lr):
    context, total = torch.zeros(w1.shape[1], dtype=w1.dtype), 0.0
    for t in range(len(x) - 1):
        context = torch.tanh(torch.cat([x[t : t + 1], context]) @ w1)
        loss = 0.5 * (context @ w2 - x[t + 1]).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            w1 -= lr * w1.grad
            w2 -= lr * w2.grad
        w1.grad = w2.grad = None
        context = context.detach()
        total += loss.item()
    return total


@wrong("epoch_today", "the gradients are clipped to norm 1 before the update")
def epoch_today(x, y, w1, w2, lr):
    context, total = torch.zeros(w1.shape[1], dtype=w1.dtype), 0.0
    for t in range(len(x)):
        context = torch.tanh(torch.cat([x[t : t + 1], context]) @ w1)
        loss = 0.5 * (context @ w2 - y[t]).pow(2).sum()
        loss.backward()
        nn.utils.clip_grad_norm_([w1, w2], max_norm=1.0)
        with torch.no_grad():
            w1 -= lr * w1.grad
            w2 -= lr * w2.grad
        w1.grad = w2.grad = None
        context = context.detach()
        total += loss.item()
    return total


@wrong("epoch_today", "the context starts anew at every step")
def epoch_today(x, y, w1, w2, lr):
    total = 0.0
    for t in range(len(x)):
        context = torch.zeros(w1.shape[1], dtype=w1.dtype)
        context = torch.tanh(torch.cat([x[t : t + 1], context]) @ w1)
        loss = 0.5 * (context @ w2 - y[t]).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            w1 -= lr * w1.grad
            w2 -= lr * w2.grad
        w1.grad = w2.grad = None
        total += loss.item()
    return total


@wrong("epoch_today", "returns the mean of the losses", "w2 is not updated")
def epoch_today(x, y, w1, w2, lr):
    context, losses = torch.zeros(w1.shape[1], dtype=w1.dtype), []
    for t in range(len(x)):
        context = torch.tanh(torch.cat([x[t : t + 1], context]) @ w1)
        loss = 0.5 * (context @ w2 - y[t]).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            w1 -= lr * w1.grad
        w1.grad = w2.grad = None
        context = context.detach()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@wrong(
    "epoch_today",
    "returns the loss of the last step only",
    "the weights no longer ask for gradients afterwards",
)
def epoch_today(x, y, w1, w2, lr):
    context = torch.zeros(w1.shape[1], dtype=w1.dtype)
    for t in range(len(x)):
        w1.requires_grad_(True)
        w2.requires_grad_(True)
        context = torch.tanh(torch.cat([x[t : t + 1], context]) @ w1)
        loss = 0.5 * (context @ w2 - y[t]).pow(2).sum()
        loss.backward()
        w1.requires_grad_(False).sub_(lr * w1.grad)
        w2.requires_grad_(False).sub_(lr * w2.grad)
        w1.grad = w2.grad = None
        context = context.detach()
    return loss.item()


@right("epoch_today", "torch.optim.SGD does the updates, the context is detached in place")
def epoch_today(x, y, w1, w2, lr):
    optimizer = torch.optim.SGD([w1, w2], lr=lr)
    optimizer.zero_grad(set_to_none=True)
    h, losses = torch.zeros_like(w1[0]).detach(), []
    for x_t, y_t in zip(x.unbind(), y.unbind()):
        h = torch.addmv(x_t * w1[0], w1[1:].T, h).tanh()
        loss = F.mse_loss(h.dot(w2[:, 0]), y_t.to(h.dtype), reduction="sum") / 2
        loss.backward()
        losses.append(float(loss))
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        h.detach_()
    return sum(losses)


@right("epoch_today", "gradients zeroed before backward, add_ with alpha, the sum kept in a tensor")
def epoch_today(x, y, w1, w2, lr):
    total = torch.zeros((), dtype=torch.float64)
    h = w1.detach().new_zeros(w1.shape[-1])
    for t in torch.arange(x.numel()).tolist():
        for w in (w1, w2):
            w.grad = torch.zeros_like(w)
        out = torch.tanh(torch.einsum("i,ij->j", torch.cat([x[t].reshape(1).to(h), h]), w1))
        error = torch.einsum("j,jo->", out, w2) - y[t]
        torch.autograd.backward(error * error / 2)
        total += 0.5 * error.detach() ** 2
        with torch.no_grad():
            for w in (w1, w2):
                w.add_(w.grad, alpha=-lr)
            h = out.clone()
    w1.grad = w2.grad = None
    return total.item()


@right("epoch_today", "recursion over the steps, each with its own no_grad function")
def epoch_today(x, y, w1, w2, lr):
    @torch.no_grad()
    def update(*weights):
        for w in weights:
            w.copy_(w - lr * w.grad)
            w.grad = None

    def rest(t, h):
        if t == len(x):
            return 0.0
        z = torch.hstack((x[t], h)).to(w1.dtype)
        new = torch.tanh(z.unsqueeze(0) @ w1)
        loss = 0.5 * torch.square(new @ w2 - y[t]).sum()
        loss.backward()
        update(w1, w2)
        return loss.item() + rest(t + 1, new.detach().squeeze(0))

    return rest(0, torch.zeros(w1.shape[1], dtype=w1.dtype))


class _OldNet(nn.Module):
    def __init__(self, w1, w2):
        super().__init__()
        self.w1, self.w2 = nn.Parameter(w1.detach()), nn.Parameter(w2.detach())  # same storage

    def forward(self, x_t, h):
        h = torch.tanh(x_t * self.w1[0] + h @ self.w1[1:])
        return (h @ self.w2).squeeze(-1), h


@right("epoch_today", "a module whose parameters share the memory of w1 and w2")
def epoch_today(x, y, w1, w2, lr):
    net, total = _OldNet(w1, w2), 0.0
    h = torch.zeros(w1.shape[1], dtype=w1.dtype)
    for x_t, y_t in zip(x, y):
        prediction, h = net(x_t, h.detach())
        loss = (prediction - y_t).pow(2).div(2)
        net.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p in net.parameters():
                p.sub_(torch.mul(p.grad, lr))
        total += loss.item()
    return total


@right("epoch_today", "a custom autograd function with the derivative of one step by hand")
def epoch_today(x, y, w1, w2, lr):
    class Step(torch.autograd.Function):
        @staticmethod
        def forward(ctx, z, target, a, b):
            h = torch.tanh(z @ a)
            error = (h @ b)[0] - target
            ctx.save_for_backward(z, h, b, error)
            ctx.mark_non_differentiable(h)
            return error * error / 2, h

        @staticmethod
        def backward(ctx, g, _):
            z, h, b, error = ctx.saved_tensors
            delta = g * error * b[:, 0] * (1 - h * h)
            return None, None, torch.outer(z, delta), (g * error * h)[:, None]

    h, total = torch.zeros(w1.shape[1], dtype=w1.dtype), 0.0
    for t in range(x.shape[0]):
        z = torch.cat((x[t : t + 1].to(w1.dtype), h))
        loss, h = Step.apply(z, y[t], w1, w2)
        loss.backward()
        total += loss.item()
        with torch.no_grad():
            for w in (w1, w2):
                w.subtract_(w.grad, alpha=lr)
                w.grad = None
    return total
