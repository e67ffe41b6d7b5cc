"""More answers to the exercises of chapter 2, written when the first had been used for mends."""

import numpy as np
import torch

from tests.answers import right, wrong


def _forward(x, w1, w2):
    contexts = np.zeros((len(x) + 1, w1.shape[1]))
    predictions = np.zeros(len(x))
    for t in range(len(x)):
        contexts[t + 1] = np.tanh(np.append(x[t], contexts[t]) @ w1)
        predictions[t] = (contexts[t + 1] @ w2)[0]
    return predictions, contexts


# 2.1.1 sine_forward


@wrong("sine_forward", "the context is joined before the input, not after it")
def sine_forward(x, w1, w2):
    h = np.zeros(w1.shape[1])
    predictions, contexts = [], [h]
    for x_t in x:
        z = np.concatenate([h, [x_t]])
        h = np.tanh(z @ w1)
        contexts.append(h)
        predictions.append((h @ w2)[0])
    return np.array(predictions), np.array(contexts)


@wrong("sine_forward", "the predictions have the shape (T, 1)")
def sine_forward(x, w1, w2):
    contexts = np.zeros((len(x) + 1, w1.shape[1]))
    predictions = []
    for t in range(len(x)):
        z = np.append(x[t], contexts[t])
        contexts[t + 1] = np.tanh(z @ w1)
        predictions.append(contexts[t + 1] @ w2)
    return np.array(predictions), contexts


@wrong("sine_forward", "six context units whatever the weights are")
def sine_forward(x, w1, w2):
    T = len(x)
    predictions = np.zeros(T)
    contexts = np.zeros((T + 1, 6))
    for t in range(T):
        z = np.append(x[t], contexts[t])
        contexts[t + 1] = np.tanh(z @ w1)
        predictions[t] = (contexts[t + 1] @ w2)[0]
    return predictions, contexts


@wrong("sine_forward", "each prediction is made from the context before its step")
def sine_forward(x, w1, w2):
    T, H = len(x), w1.shape[1]
    predictions, contexts = np.zeros(T), np.zeros((T + 1, H))
    for t in range(T):
        h = contexts[t]
        contexts[t + 1] = np.tanh(np.append(x[t], h) @ w1)
        predictions[t] = (h @ w2).item()
    return predictions, contexts


@wrong("sine_forward", "one array is overwritten, so that all rows show the last context")
def sine_forward(x, w1, w2):
    h = np.zeros(w1.shape[1])
    contexts = [h]
    predictions = []
    for t in range(len(x)):
        z = np.append(x[t], h)
        h[:] = np.tanh(z @ w1)
        contexts.append(h)
        predictions.append(float((h @ w2)[0]))
    return np.array(predictions), np.array(contexts)


@wrong("sine_forward", "h_0 is not among the contexts", "the predictions go through a tanh")
def sine_forward(x, w1, w2):
    context = np.zeros(w1.shape[1])
    predictions, contexts = [], []
    for t in range(len(x)):
        context = np.tanh(np.hstack([x[t], context]) @ w1)
        contexts.append(context)
        predictions.append(np.tanh(context @ w2)[0])
    return np.array(predictions), np.array(contexts)


@right("sine_forward", "all inputs driven at once, contexts accumulated, predictions by einsum")
def sine_forward(x, w1, w2):
    from itertools import accumulate

    from_input, from_context = np.vsplit(np.asarray(w1, dtype=float), [1])
    drive = np.reshape(x, (-1, 1)) @ from_input
    start = np.zeros(from_input.size)
    walk = accumulate(drive, lambda h, a: np.tanh(a + h @ from_context), initial=start)
    contexts = np.stack([*walk])
    return np.einsum("th,hi->t", contexts[1:], np.asarray(w2, dtype=float)), contexts


# 2.2.1 sine_backward


@wrong("sine_backward", "the slope is taken at the context before the step")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    dw1, dw2, dh = np.zeros_like(w1), np.zeros_like(w2), np.zeros((T, H))
    back = np.zeros(H)
    for t in reversed(range(T)):
        e = predictions[t] - y[t]
        dw2 += np.outer(contexts[t + 1], e)
        dh[t] = e * w2[:, 0] + back
        delta = dh[t] * (1 - contexts[t] ** 2)
        dw1 += np.outer(np.append(x[t], contexts[t]), delta)
        back = delta @ w1[1:].T
    return dw1, dw2, dh


@wrong("sine_backward", "the context's rows of w1 are not transposed on the way back")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T = len(x)
    dw1 = np.zeros(w1.shape)
    dw2 = np.zeros(w2.shape)
    dh = np.zeros((T, w1.shape[1]))
    back = 0.0
    for t in reversed(range(T)):
        error = predictions[t] - y[t]
        dw2[:, 0] += contexts[t + 1] * error
        dh[t] = error * w2[:, 0] + back
        delta = dh[t] * (1 - contexts[t + 1] ** 2)
        dw1 += np.outer(np.append(x[t], contexts[t]), delta)
        back = delta @ w1[1:]
    return dw1, dw2, dh


@wrong("sine_backward", "the rows of dh stand in the order of the walk, last step first")
def sine_backward(x, y, predictions, contexts, w1, w2):
    dw1, dw2 = np.zeros_like(w1), np.zeros_like(w2)
    dh = []
    back = np.zeros(w1.shape[1])
    for t in reversed(range(len(x))):
        e = predictions[t] - y[t]
        h = contexts[t + 1]
        dw2 += (h * e)[:, None]
        grad_h = e * w2[:, 0] + back
        dh.append(grad_h)
        delta = grad_h * (1 - h**2)
        dw1 += np.outer(np.append(x[t], contexts[t]), delta)
        back = w1[1:] @ delta
    return dw1, dw2, np.array(dh)


@wrong("sine_backward", "dh holds the deltas: the slope of the tanh is in it already")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    dw1, dw2, dh = np.zeros((1 + H, H)), np.zeros((H, 1)), np.zeros((T, H))
    back = np.zeros(H)
    for t in reversed(range(T)):
        e = predictions[t] - y[t]
        dw2 += np.outer(contexts[t + 1], e)
        dh[t] = (e * w2[:, 0] + back) * (1 - contexts[t + 1] ** 2)
        dw1 += np.outer(np.append(x[t], contexts[t]), dh[t])
        back = dh[t] @ w1[1:].T
    return dw1, dw2, dh


@wrong("sine_backward", "dw2 takes the contexts before the steps")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    e = predictions - y
    dw2 = contexts[:-1].T @ e[:, None]
    dw1 = np.zeros_like(w1)
    dh = np.zeros((T, H))
    back = np.zeros(H)
    for t in range(T - 1, -1, -1):
        dh[t] = e[t] * w2[:, 0] + back
        delta = dh[t] * (1 - contexts[t + 1] ** 2)
        dw1 += np.outer(np.append(x[t], contexts[t]), delta)
        back = w1[1:].dot(delta)
    return dw1, dw2, dh


@wrong("sine_backward", "dw1 joins x_t with the context after the step", "dw2 has the shape (H,)")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    dw1, dw2, dh = np.zeros_like(w1), np.zeros(H), np.zeros((T, H))
    back = np.zeros(H)
    for t in reversed(range(T)):
        h = contexts[t + 1]
        e = predictions[t] - y[t]
        dw2 += e * h
        dh[t] = e * w2[:, 0] + back
        delta = dh[t] * (1 - h * h)
        dw1 += np.outer(np.append(x[t], h), delta)
        back = delta @ w1[1:].T
    return dw1, dw2, dh


@right("sine_backward", "no walk back: one linear system for all dh at once")
def sine_backward(x, y, predictions, contexts, w1, w2):
    T, H = len(x), w1.shape[1]
    e, h = np.subtract(predictions, y), contexts[1:]
    slope = 1 - h**2
    system = np.eye(T * H).reshape(T, H, T, H)
    for t in range(1, T):
        system[t - 1, :, t, :] -= w1[1:] * slope[t]
    own = np.multiply.outer(e, w2[:, 0])
    dh = np.linalg.solve(system.reshape(T * H, T * H), own.ravel()).reshape(T, H)
    z = np.column_stack([x, contexts[:-1]])
    return np.einsum("ti,th,th->ih", z, dh, slope), np.einsum("th,t->h", h, e)[:, None], dh


# 2.3.1 numerical_gradient


@wrong("numerical_gradient", "a difference to one side only")
def numerical_gradient(loss, w, eps=1e-5):
    gradient = np.zeros(w.shape)
    here = loss(w)
    for i in np.ndindex(w.shape):
        moved = w.copy()
        moved[i] += eps
        gradient[i] = (loss(moved) - here) / eps
    return gradient


@wrong("numerical_gradient", "/ 2 * eps multiplies by eps")
def numerical_gradient(loss, w, eps=1e-5):
    grad = np.zeros_like(w)
    for i in np.ndindex(w.shape):
        old = w[i]
        w[i] = old + eps
        up = loss(w)
        w[i] = old - eps
        down = loss(w)
        w[i] = old
        grad[i] = (up - down) / 2 * eps
    return grad


@wrong("numerical_gradient", "whole rows are moved, not single entries")
def numerical_gradient(loss, w, eps=1e-5):
    grad = np.zeros(w.shape)
    for i in range(len(w)):
        up, down = w.copy(), w.copy()
        up[i] += eps
        down[i] -= eps
        grad[i] = (loss(up) - loss(down)) / (2 * eps)
    return grad


@wrong("numerical_gradient", "the entries of w stay moved down", "the gradient is flat")
def numerical_gradient(loss, w, eps=1e-5):
    gradient = []
    for i in np.ndindex(w.shape):
        w[i] += eps
        up = loss(w)
        w[i] -= 2 * eps
        down = loss(w)
        gradient.append((up - down) / (2 * eps))
    return np.array(gradient)


@right("numerical_gradient", "a comprehension over the unit arrays")
def numerical_gradient(loss, w, eps=1e-5):
    units = np.identity(np.size(w)).reshape(-1, *np.shape(w))
    pairs = ((loss(w + eps * unit), loss(w - eps * unit)) for unit in units)
    slopes = np.fromiter((0.5 * (up - down) / eps for up, down in pairs), dtype=float)
    return slopes.reshape(np.shape(w))


# 2.4.1 sgd_step


@wrong("sgd_step", "each gradient is clipped by its own norm")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    new_weights, new_velocities = [], []
    for w, g, v in zip(weights, gradients, velocities):
        norm = np.sqrt(np.sum(g**2))
        if norm > max_norm:
            g = g * max_norm / norm
        v = momentum * v + g
        new_velocities.append(v)
        new_weights.append(w - lr * v)
    return new_weights, new_velocities


@wrong("sgd_step", "the given velocities are changed in place")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    factor = min(1, max_norm / norm) if norm > 0 else 1
    new_weights = []
    for w, g, v in zip(weights, gradients, velocities):
        v *= momentum
        v += factor * g
        new_weights.append(w - lr * v)
    return new_weights, list(velocities)


@wrong("sgd_step", "the learning rate and a minus sign are inside the velocity")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    norm = np.sqrt(sum(np.sum(g * g) for g in gradients))
    if norm > max_norm:
        gradients = [g * (max_norm / norm) for g in gradients]
    velocities = [momentum * v - lr * g for v, g in zip(velocities, gradients)]
    weights = [w + v for w, v in zip(weights, velocities)]
    return weights, velocities


@wrong("sgd_step", "the global norm has no square root")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    norm = sum((g**2).sum() for g in gradients)
    scale = 1.0
    if norm > max_norm:
        scale = max_norm / norm
    velocities = [momentum * v + scale * g for v, g in zip(velocities, gradients)]
    weights = [w - lr * v for w, v in zip(weights, velocities)]
    return weights, velocities


@wrong("sgd_step", "the velocity is a running mean: the gradient counts 1 - momentum")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    flat = np.concatenate([g.ravel() for g in gradients])
    norm = np.linalg.norm(flat)
    scale = max_norm / norm if norm > max_norm else 1.0
    new_v = [momentum * v + (1 - momentum) * scale * g for v, g in zip(velocities, gradients)]
    new_w = [w - lr * v for w, v in zip(weights, new_v)]
    return new_w, new_v


@wrong("sgd_step", "the weights move by the gradient alone", "velocities use unclipped gradients")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    scale = max_norm / norm if norm > max_norm else 1.0
    new_weights, new_velocities = [], []
    for w, g, v in zip(weights, gradients, velocities):
        new_velocities.append(momentum * v + g)
        new_weights.append(w - lr * scale * g)
    return new_weights, new_velocities


@right("sgd_step", "all arrays as one long vector, cut apart at the end")
def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    w, g, v = (
        np.concatenate([np.ravel(a) for a in arrays]) for arrays in (weights, gradients, velocities)
    )
    if (length := np.linalg.norm(g)) > max_norm:
        g = g * (max_norm / length)
    v = v * momentum + g
    w = w - lr * v
    cuts = np.cumsum([np.size(a) for a in weights])[:-1]
    return tuple(
        [part.reshape(np.shape(a)) for part, a in zip(np.split(long, cuts), weights)]
        for long in (w, v)
    )


# 2.5.1 truncated_backward


@wrong("truncated_backward", "k rounds: each error travels through k + 1 steps")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    e = predictions - y
    slope = 1 - contexts[1:] ** 2
    G = e[:, None] * w2[:, 0]
    dh = G.copy()
    for _ in range(k):
        sent = (G * slope) @ w1[1:].T
        G = np.vstack([sent[1:], np.zeros((1, sent.shape[1]))])
        dh += G
    z = np.column_stack([x, contexts[:-1]])
    return z.T @ (dh * slope), contexts[1:].T @ e[:, None]


@wrong("truncated_backward", "the series is cut into blocks of k steps, as in section 1.6")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    T, H = len(x), w1.shape[1]
    dw1, dw2 = np.zeros_like(w1), np.zeros_like(w2)
    back = np.zeros(H)
    for t in reversed(range(T)):
        if (t + 1) % k == 0:
            back = np.zeros(H)
        e = predictions[t] - y[t]
        dw2 += np.outer(contexts[t + 1], e)
        delta = (e * w2[:, 0] + back) * (1 - contexts[t + 1] ** 2)
        dw1 += np.outer(np.append(x[t], contexts[t]), delta)
        back = delta @ w1[1:].T
    return dw1, dw2


@wrong("truncated_backward", "np.roll brings the first row round to the last instead of 0")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    e = (predictions - y)[:, None]
    h = contexts[1:]
    G = e @ w2.T
    dh = G.copy()
    for _ in range(k - 1):
        G = np.roll((G * (1 - h**2)) @ w1[1:].T, -1, axis=0)
        dh = dh + G
    z = np.hstack([np.reshape(x, (-1, 1)), contexts[:-1]])
    return z.T @ (dh * (1 - h**2)), h.T @ e


@wrong("truncated_backward", "an error near the start goes on, by negative indices, at the end")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    T = len(x)
    k = min(k, T)
    dw1, dw2 = np.zeros_like(w1), np.zeros_like(w2)
    for t in range(T):
        e = predictions[t] - y[t]
        dw2[:, 0] += e * contexts[t + 1]
        grad = e * w2[:, 0]
        for s in range(t, t - k, -1):
            delta = grad * (1 - contexts[1:][s] ** 2)
            dw1 += np.outer(np.append(x[s], contexts[:-1][s]), delta)
            grad = w1[1:] @ delta
    return dw1, dw2


@wrong("truncated_backward", "after k steps from the end nothing is added to dw1 any more")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    T, H = len(x), w1.shape[1]
    e = predictions - y
    dw1 = np.zeros_like(w1)
    dw2 = contexts[1:].T @ e.reshape(-1, 1)
    back = np.zeros(H)
    for t in range(T - 1, max(T - 1 - k, -1), -1):
        dh = e[t] * w2[:, 0] + back
        delta = dh * (1 - contexts[t + 1] ** 2)
        dw1 += np.outer(np.append(x[t], contexts[t]), delta)
        back = delta @ w1[1:].T
    return dw1, dw2


@wrong("truncated_backward", "dw1: w1[1:] is not transposed", "dw2: a mean over the steps")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    e = predictions - y
    slope = 1 - contexts[1:] ** 2
    G = np.outer(e, w2[:, 0])
    dh = G.copy()
    for _ in range(k - 1):
        back = (G[1:] * slope[1:]) @ w1[1:]
        G = np.zeros_like(G)
        G[:-1] = back
        dh += G
    z = np.column_stack([x, contexts[:-1]])
    dw1 = z.T @ (dh * slope)
    dw2 = (contexts[1:] * e[:, None]).mean(axis=0)[:, None]
    return dw1, dw2


@right("truncated_backward", "autograd over a short stretch of the network for each error")
def truncated_backward(x, y, predictions, contexts, w1, w2, k):
    W1, W2 = (torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in (w1, w2))
    total = torch.zeros((), dtype=torch.float64)
    for t, (p, target) in enumerate(zip(predictions, y)):
        first = max(0, t + 1 - k)
        h = torch.tensor(contexts[first], dtype=torch.float64)
        for value in x[first : t + 1]:
            h = torch.tanh(float(value) * W1[0] + h @ W1[1:])
        total = total + float(p - target) * (h @ W2).sum()
    return tuple(grad.numpy() for grad in torch.autograd.grad(total, (W1, W2)))


# 2.6.1 free_run


@wrong("free_run", "the last true input is fed in twice")
def free_run(x, w1, w2, steps):
    predictions, contexts = _forward(x, w1, w2)
    h = contexts[-1]
    value = x[-1]
    values = []
    for _ in range(steps):
        h = np.tanh(np.append(value, h) @ w1)
        value = (h @ w2)[0]
        values.append(value)
    return np.array(values)


@wrong("free_run", "a sliding window: for each value the oldest input is dropped")
def free_run(x, w1, w2, steps):
    window = np.array(x)
    values = []
    for _ in range(steps):
        prediction = _forward(window, w1, w2)[0][-1]
        values.append(prediction)
        window = np.append(window[1:], prediction)
    return np.array(values)


@wrong("free_run", "the prediction from the last true input is not among the values")
def free_run(x, w1, w2, steps):
    predictions, contexts = _forward(x, w1, w2)
    value, h = predictions[-1], contexts[-1]
    values = np.zeros(steps)
    for i in range(steps):
        h = np.tanh(np.append(value, h) @ w1)
        value = (h @ w2)[0]
        values[i] = value
    return values


@wrong("free_run", "the values have the shape (steps, 1)")
def free_run(x, w1, w2, steps):
    predictions, contexts = _forward(x, w1, w2)
    value, h = predictions[-1:], contexts[-1]
    values = [value]
    for _ in range(steps - 1):
        h = np.tanh(np.concatenate([value, h]) @ w1)
        value = h @ w2
        values.append(value)
    return np.array(values)


@wrong("free_run", "the context stands still while predictions are fed back")
def free_run(x, w1, w2, steps):
    predictions, contexts = _forward(x, w1, w2)
    values = [predictions[-1]]
    context = contexts[-1]
    while len(values) < steps:
        z = np.append(values[-1], context)
        values.append((np.tanh(z @ w1) @ w2)[0])
    return np.array(values)


@wrong("free_run", "the context starts cold again after the series", "one value too many")
def free_run(x, w1, w2, steps):
    predictions, _ = _forward(x, w1, w2)
    values = [predictions[-1]]
    h = np.zeros(w1.shape[1])
    for _ in range(steps):
        h = np.tanh(np.append(values[-1], h) @ w1)
        values.append((h @ w2)[0])
    return np.array(values)


@right("free_run", "the whole grown series is read anew for every value")
def free_run(x, w1, w2, steps):
    series = [*np.asarray(x, dtype=float)]
    for _ in range(steps):
        h = np.zeros(len(w2))
        for value in series:
            h = np.tanh(value * w1[0] + h @ w1[1:])
        series.append(np.vdot(h, w2))
    return np.array(series[len(x) :])


# 2.7.1 epoch_today


@wrong("epoch_today", "w1 and w2 become new tensors, the caller's stay as they were")
def epoch_today(x, y, w1, w2, lr):
    total = 0.0
    context = torch.zeros(w1.shape[1], dtype=w1.dtype)
    for t in range(len(x)):
        context = torch.tanh(torch.cat([x[t : t + 1], context]) @ w1)
        loss = (context @ w2 - y[t]).pow(2).sum() / 2
        total += loss.item()
        loss.backward()
        w1 = (w1 - lr * w1.grad).detach().requires_grad_()
        w2 = (w2 - lr * w2.grad).detach().requires_grad_()
        context = context.detach()
    return total


@wrong("epoch_today", "the context has six units whatever the weights are")
def epoch_today(x, y, w1, w2, lr):
    total_loss = 0
    context = torch.zeros(6, dtype=w1.dtype)
    for j in range(x.size(0)):
        z = torch.cat((x[j : j + 1], context))
        context = torch.tanh(z @ w1)
        pred = context @ w2
        loss = (pred - y[j : j + 1]).pow(2).sum() / 2
        total_loss += loss.item()
        loss.backward()
        with torch.no_grad():
            w1 -= lr * w1.grad
            w2 -= lr * w2.grad
        w1.grad = None
        w2.grad = None
        context = context.detach()
    return total_loss


@wrong("epoch_today", "one update at the end of the epoch instead of one after every step")
def epoch_today(x, y, w1, w2, lr):
    total = 0.0
    context = torch.zeros(w1.shape[1], dtype=w1.dtype)
    for t in range(len(x)):
        context = torch.tanh(torch.cat([x[t : t + 1], context]) @ w1)
        loss = 0.5 * (context @ w2 - y[t]).square().sum()
        loss.backward()
        total += loss.item()
        context = context.detach()
    with torch.no_grad():
        w1 -= lr * w1.grad
        w2 -= lr * w2.grad
    w1.grad = None
    w2.grad = None
    return total


@wrong("epoch_today", "only the gradient of w1 is cleared")
def epoch_today(x, y, w1, w2, lr):
    total = 0.0
    context = w1.new_zeros(w1.shape[1])
    for x_t, y_t in zip(x, y):
        context = torch.tanh(torch.cat([x_t.view(1), context.detach()]) @ w1)
        loss = 0.5 * (context @ w2 - y_t).square().sum()
        loss.backward()
        with torch.no_grad():
            w1 -= lr * w1.grad
            w2 -= lr * w2.grad
        w1.grad = None
        total += loss.item()
    w2.grad = None
    return total


@wrong("epoch_today", "the sum of the losses is a tensor with a graph, not a number")
def epoch_today(x, y, w1, w2, lr):
    total = 0
    context = torch.zeros(w1.size(1), dtype=w1.dtype)
    for t in range(x.size(0)):
        context = torch.tanh(torch.cat([x[t : t + 1], context]) @ w1)
        loss = (context @ w2 - y[t : t + 1]).pow(2).sum() / 2
        total += loss
        loss.backward()
        with torch.no_grad():
            w1 -= lr * w1.grad
            w2 -= lr * w2.grad
            w1.grad.zero_()
            w2.grad.zero_()
        context = context.detach()
    return total


@wrong("epoch_today", "no gradient is ever cleared", "the mean of the losses is returned")
def epoch_today(x, y, w1, w2, lr):
    losses = []
    context = torch.zeros(w1.shape[1], dtype=w1.dtype)
    for t in range(len(x)):
        context = torch.tanh(torch.cat([x[t : t + 1], context]) @ w1)
        loss = (context @ w2 - y[t]).pow(2).sum() / 2
        loss.backward()
        with torch.no_grad():
            w1 -= lr * w1.grad
            w2 -= lr * w2.grad
        context = context.detach()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@right("epoch_today", "torch.optim.SGD does the updates, a generator hands out the losses")
def epoch_today(x, y, w1, w2, lr):
    descent = torch.optim.SGD([w2, w1], lr=lr)

    def losses():
        h = torch.zeros_like(w1[0]).detach()
        for x_t, y_t in zip(x.split(1), y.split(1)):
            descent.zero_grad()
            h = torch.addmv(x_t * w1[0], w1[1:].T, h).tanh()
            loss = torch.sub(h @ w2, y_t).pow(2).sum().mul(0.5)
            loss.backward()
            descent.step()
            h = h.detach()
            yield loss.item()

    return sum(losses(), start=0.0)
