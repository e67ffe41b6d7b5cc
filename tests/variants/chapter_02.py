"""Other right answers to chapter 2."""

import numpy as np
import torch


def sine_forward_with_split_weights(x, w1, w2):
    h, contexts = np.zeros(w1.shape[1]), [np.zeros(w1.shape[1])]
    for value in x:
        h = np.tanh(value * w1[0] + h @ w1[1:])
        contexts.append(h)
    return (np.array(contexts[1:]) @ w2).ravel(), np.array(contexts)


def sine_forward_in_torch(x, w1, w2):
    x, w1, w2 = (torch.from_numpy(a) for a in (x, w1, w2))
    contexts = [torch.zeros(1, w1.shape[1], dtype=torch.float64)]
    for x_t in x:
        contexts.append(torch.tanh(torch.cat([x_t.view(1, 1), contexts[-1]], dim=1) @ w1))
    contexts = torch.cat(contexts)
    return (contexts[1:] @ w2).flatten(), contexts


def sine_forward_as_lists(x, w1, w2):
    contexts, predictions = [[0.0] * w1.shape[1]], []
    for x_t in x:
        contexts.append(list(np.tanh(np.concatenate(([x_t], contexts[-1])) @ w1)))
        predictions.append(float(np.dot(contexts[-1], w2[:, 0])))
    return predictions, np.array(contexts)


def sine_backward_row_vectors(x, y, predictions, contexts, w1, w2):
    T, H = len(x), len(w2)
    dw1, dw2, dh = np.zeros_like(w1), np.zeros_like(w2), np.empty((T, H))
    delta = np.zeros((1, H))
    for t in range(T - 1, -1, -1):
        e = np.array([[predictions[t] - y[t]]])
        h = contexts[t + 1 : t + 2]
        dw2 = dw2 + h.T @ e
        dh[t] = e @ w2.T + delta @ w1[1:].T
        delta = dh[t] * (1 - np.square(h))
        dw1 = dw1 + np.concatenate(([[x[t]]], contexts[t : t + 1]), axis=1).T @ delta
    return dw1, dw2, dh


def sine_backward_deltas_first(x, y, predictions, contexts, w1, w2):
    e, slopes = predictions - y, 1 - contexts[1:] ** 2
    dh = np.outer(e, w2)
    for t in range(len(x) - 2, -1, -1):
        dh[t] += w1[1:] @ (dh[t + 1] * slopes[t + 1])
    inputs = np.hstack([x[:, None], contexts[:-1]])
    return [inputs.T @ (dh * slopes), (contexts[1:].T @ e).reshape(-1, 1), dh]


def sine_backward_from_its_own_forward(x, y, predictions, contexts, w1, w2):
    w1, w2 = (torch.tensor(w, requires_grad=True) for w in (w1, w2))
    states, h, loss = [], torch.zeros(w1.shape[1], dtype=torch.float64), 0
    for x_t, y_t in zip(x, y, strict=True):
        h = torch.tanh(x_t * w1[0] + h @ w1[1:])
        h.retain_grad()
        states.append(h)
        loss = loss + 0.5 * (h @ w2[:, 0] - y_t) ** 2
    loss.backward()
    return w1.grad, w2.grad, torch.stack([h.grad for h in states])


def numerical_gradient_on_copies(loss, w, eps=1e-5):
    gradient = np.empty_like(w)
    for i, j in np.ndindex(*w.shape):
        step = np.zeros_like(w)
        step[i, j] = eps
        gradient[i, j] = (loss(w + step) - loss(w - step)) / (2 * eps)
    return gradient


def numerical_gradient_flat(loss, w, eps=1e-6):
    flat, gradient = w.ravel().copy(), []
    for i in range(flat.size):
        values = []
        for sign in (1, -1):
            moved = flat.copy()
            moved[i] += sign * eps
            values.append(loss(moved.reshape(w.shape)))
        gradient.append((values[0] - values[1]) / (2 * eps))
    return np.array(gradient).reshape(w.shape)


def leaky_backward_through_each_step(x, y, predictions, contexts, w1, b1, w2, b2, alpha):
    dw1, db1 = np.zeros_like(w1), np.zeros_like(b1)
    dw2, db2, dalpha = np.zeros_like(w2), np.zeros_like(b2), 0.0
    carried = np.zeros_like(b1)
    for t in range(len(x) - 1, -1, -1):
        before, h = contexts[t], contexts[t + 1]
        squashed = (h - (1 - alpha) * before) / alpha
        at_output = (predictions[t] - y[t]) * (1 - predictions[t] ** 2)
        dw2 += at_output * h[:, None]
        db2 += at_output
        at_h = at_output * w2[:, 0] + carried
        dalpha += at_h @ (squashed - before)
        at_sum = alpha * at_h * (1 - squashed**2)
        dw1 += np.outer(np.r_[x[t], before], at_sum)
        db1 += at_sum
        carried = (1 - alpha) * at_h + w1[1:] @ at_sum
    return dw1, db1, dw2, db2, dalpha


def leaky_backward_with_sums_at_the_end(x, y, predictions, contexts, w1, b1, w2, b2, alpha):
    T, z = len(x), np.hstack([x[:, None], contexts[:-1]])
    squashed = np.tanh(z @ w1 + b1)
    d_out = (1 - predictions**2) * (predictions - y)
    dh, da = d_out[:, None] * w2.T, np.empty((T, len(b1)))
    for t in reversed(range(T)):
        if t < T - 1:
            dh[t] += da[t + 1] @ w1[1:].T + dh[t + 1] - alpha * dh[t + 1]
        da[t] = alpha * (1 - squashed[t] ** 2) * dh[t]
    dalpha = np.sum((squashed - contexts[:-1]) * dh)
    return [z.T @ da, da.sum(0), contexts[1:].T @ d_out[:, None], np.array([d_out.sum()]), dalpha]


def errors_reach_in_capitals_with_spaces():
    k1 = """
        X . . . . .
        . X . . . .
        . . X . . .
        . . . X . .
        . . . . X .
        . . . . . X
    """
    k2 = "x.....\nxx....\n.xx...\n..xx..\n...xx.\n....xx"
    k5 = "\n".join(["x.....", "xx....", "xxx...", "xxxx..", "xxxxx.", ".xxxxx"])
    return [k1, k2, k5]


def errors_reach_computed():
    def rows(k):
        for t in range(6):
            yield "".join("x" if t - k < s <= t else "." for s in range(6))

    return tuple("\n".join(rows(k)) for k in (1, 2, 5))


def sgd_step_with_loops(weights, gradients, velocities, lr, momentum, max_norm):
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in gradients]))
    if norm > max_norm:
        gradients = [g * max_norm / norm for g in gradients]
    new_weights, new_velocities = [], []
    for w, g, v in zip(weights, gradients, velocities, strict=True):
        new_velocities.append(v * momentum + g)
        new_weights.append(w - new_velocities[-1] * lr)
    return new_weights, new_velocities


def sgd_step_as_tuples(weights, gradients, velocities, lr, momentum, max_norm):
    total = sum(float(np.sum(g * g)) for g in gradients) ** 0.5
    factor = 1.0 if total <= max_norm else max_norm / total
    moved = tuple(momentum * v + factor * g for v, g in zip(velocities, gradients, strict=True))
    return tuple(w - lr * v for w, v in zip(weights, moved, strict=True)), moved


def truncated_backward_error_by_error(x, y, predictions, contexts, w1, w2, k):
    dw1, dw2 = np.zeros_like(w1), np.zeros_like(w2)
    for t in range(len(x)):
        e = predictions[t] - y[t]
        dw2[:, 0] += e * contexts[t + 1]
        back = e * w2[:, 0]
        for s in range(t, max(-1, t - k), -1):
            delta = back * (1 - contexts[s + 1] ** 2)
            dw1 += np.outer(np.append(x[s], contexts[s]), delta)
            back = w1[1:] @ delta
    return dw1, dw2


def truncated_backward_in_torch(x, y, predictions, contexts, w1, w2, k):
    w1, w2 = (torch.tensor(w, requires_grad=True) for w in (w1, w2))
    for t in range(len(x)):
        first = max(0, t + 1 - k)
        h = torch.tensor(contexts[first])
        for s in range(first, t + 1):
            h = torch.tanh(torch.cat([torch.tensor(x[s : s + 1]), h]) @ w1)
        (0.5 * (h @ w2 - y[t]) ** 2).sum().backward()
    return w1.grad.numpy(), w2.grad.numpy()


def free_run_with_sine_forward_only(x, w1, w2, steps):
    series, values = list(x), []
    for _ in range(steps):
        h, value = np.zeros(w1.shape[1]), 0.0
        for s in series:
            h = np.tanh(np.append(s, h) @ w1)
            value = float(h @ w2[:, 0])
        values.append(value)
        series.append(value)
    return values


def free_run_preallocated(x, w1, w2, steps):
    h, result = np.zeros(len(w2)), np.zeros(len(x) + steps)
    result[: len(x)] = x
    for t in range(len(x) + steps - 1):
        h = np.tanh(result[t] * w1[0] + h @ w1[1:])
        if t >= len(x) - 1:
            result[t + 1] = (h @ w2).item()
    return result[len(x) :]


def epoch_today_by_data(x, y, w1, w2, lr):
    context = torch.zeros(1, w1.shape[1], dtype=w1.dtype)
    total_loss = 0
    for j in range(x.size(0)):
        xh = torch.cat((x[j : j + 1].view(1, 1), context), 1)
        context = torch.tanh(xh.mm(w1))
        loss = (context.mm(w2) - y[j]).pow(2).sum() / 2
        total_loss += loss
        loss.backward()
        w1.data -= lr * w1.grad.data
        w2.data -= lr * w2.grad.data
        w1.grad.data.zero_()
        w2.grad.data.zero_()
        context = context.detach()
    return total_loss.item()


def epoch_today_by_an_optimizer(x, y, w1, w2, lr):
    optimizer = torch.optim.SGD([w1, w2], lr=lr)
    h, losses = torch.zeros(w1.shape[1], dtype=w1.dtype), []
    for x_t, y_t in zip(x, y, strict=True):
        h = torch.tanh(torch.hstack([x_t, h]) @ w1)
        optimizer.zero_grad()
        loss = torch.square(h @ w2 - y_t).squeeze() / 2
        loss.backward()
        optimizer.step()
        h = h.detach()
        losses.append(loss.item())
    return sum(losses)


def fast_gradients_in_torch(x, y, w1, w2):
    x, y, w1, w2 = map(torch.from_numpy, (x, y, w1, w2))
    contexts, back = [w2.new_zeros(len(w2))], w2.new_zeros(len(w2))
    for u in torch.outer(x, w1[0]):
        contexts.append(torch.tanh(u + contexts[-1] @ w1[1:]))
    contexts = torch.stack(contexts)
    e = contexts[1:] @ w2[:, 0] - y
    slopes, deltas = 1 - contexts[1:] ** 2, []
    for own, slope in zip(torch.outer(e, w2[:, 0]).flip(0), slopes.flip(0), strict=True):
        deltas.append((own + back) * slope)
        back = w1[1:] @ deltas[-1]
    delta = torch.stack(deltas[::-1])
    return torch.cat([x[:, None], contexts[:-1]], dim=1).T @ delta, contexts[1:].T @ e[:, None]


def fast_gradients_in_numbers(x, y, w1, w2):
    H, rows = len(w2), w1.tolist()
    out, h, contexts = w2[:, 0].tolist(), [0.0] * len(w2), [[0.0] * len(w2)]
    for x_t in x.tolist():
        sums = [x_t * rows[0][j] for j in range(H)]
        for i in range(H):
            for j in range(H):
                sums[j] += h[i] * rows[1 + i][j]
        h = [float(np.tanh(s)) for s in sums]
        contexts.append(h)
    dw1, dw2, back = np.zeros_like(w1), np.zeros_like(w2), [0.0] * H
    for t in reversed(range(len(x))):
        h = contexts[t + 1]
        e = sum(a * b for a, b in zip(h, out, strict=True)) - y[t]
        delta = [(e * out[i] + back[i]) * (1 - h[i] ** 2) for i in range(H)]
        dw1 += np.outer([x[t], *contexts[t]], delta)
        dw2[:, 0] += e * np.array(h)
        back = [sum(rows[1 + i][j] * delta[j] for j in range(H)) for i in range(H)]
    return dw1, dw2


def fast_gradients_in_place(x, y, w1, w2):
    T, H = len(x), len(w2)
    contexts = np.zeros((T + 1, H))
    np.multiply(x[:, None], w1[0], out=contexts[1:])
    for t in range(T):
        contexts[t + 1] += np.dot(contexts[t], w1[1:])
        np.tanh(contexts[t + 1], contexts[t + 1])
    e = np.dot(contexts[1:], w2)
    e[:, 0] -= y
    slopes, delta = 1 - np.square(contexts[1:]), e * w2.T
    delta[T - 1] *= slopes[T - 1]
    for t in range(T - 1, 0, -1):
        delta[t - 1] += np.dot(w1[1:], delta[t])
        delta[t - 1] *= slopes[t - 1]
    dw1 = np.vstack([x @ delta, contexts[:-1].T @ delta])
    return dw1, contexts[1:].T @ e
