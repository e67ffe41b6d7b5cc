"""Wrong ways through the network of the sine and back: of them known mistakes are made.

T time steps, H context units.
"""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

TWENTY_STEPS = "There are 20 steps here, however long the series is. Take T from `len(x)`."


def filled_up(rows: int, array: np.ndarray) -> np.ndarray:
    """Return an array with rows of zeros after its own, so that there are `rows`."""
    return np.concatenate([array, np.zeros((max(0, rows - len(array)), *array.shape[1:]))])


def wrong_way_back(
    to_context=lambda e, w2: w2[:, 0] * e,
    slope=lambda contexts, t: 1 - contexts[t + 1] ** 2,
    sent=lambda delta, dh, own: delta,
    through=lambda delta, w1: w1[1:] @ delta,
    carried=lambda back, new: new,
    order=lambda T: range(T)[::-1],
) -> Callable:
    """Return a `sine_backward` that sends errors back in another way than the right one.

    own: what the delta of a step would be without what comes back to it
    """

    def answer(x, y, predictions, contexts, w1, w2):
        dw1, dw2 = np.zeros_like(w1), np.zeros_like(w2)
        dh, back = np.zeros_like(contexts[1:]), np.zeros(len(w2))  # (T, H), (H,)
        for t in order(len(x)):
            e = predictions[t] - y[t]
            own = to_context(e, w2)
            dh[t] = own + back
            delta = dh[t] * slope(contexts, t)  # (H,)
            dw1 += np.outer(np.append(x[t], contexts[t]), delta)
            dw2 += np.outer(contexts[t + 1], e)
            back = carried(back, through(sent(delta, dh[t], own * slope(contexts, t)), w1))
        return dw1, dw2, dh

    return answer


def wrong_sums(
    dw1=lambda s: s.z.T @ s.delta,
    dw2=lambda s: s.h.T @ s.e,
    dh=lambda s: s.dh,
) -> Callable:
    """Return a `sine_backward` whose errors travel rightly and which makes something else of them.

    Each argument takes a namespace of what the right one has: x, y and predictions (T,), h and
    h_before (T, H), z (T, 1 + H), e (T, 1), dh and delta (T, H), w1 and w2.
    """

    def answer(x, y, predictions, contexts, w1, w2):
        h, h_before = contexts[1:], contexts[:-1]
        z, e = np.column_stack([x, h_before]), (predictions - y)[:, None]
        right = wrong_way_back()(x, y, predictions, contexts, w1, w2)[2]
        s = SimpleNamespace(x=x, y=y, predictions=predictions, w1=w1, w2=w2)
        s.h, s.h_before, s.z, s.e, s.dh, s.delta = h, h_before, z, e, right, right * (1 - h**2)
        return dw1(s), dw2(s), dh(s)

    return answer


def times(factor: Callable) -> Callable:
    """Return a `sine_backward` all of whose gradients are multiplied by factor(T)."""
    return lambda x, *rest: tuple(factor(len(x)) * part for part in wrong_way_back()(x, *rest))


def with_error(error: Callable) -> Callable:
    """Return a `sine_backward` that has error(ŷ - y, ŷ, x) for ŷ - y."""
    return lambda x, y, predictions, *rest: wrong_way_back()(
        x, predictions - error(predictions - y, predictions, x), predictions, *rest
    )


def with_input_row(values: Callable) -> Callable:
    """Return a `sine_backward` whose row 0 of dw1 takes values(namespace), (T,), for x."""
    return wrong_sums(dw1=lambda s: np.column_stack([values(s), s.h_before]).T @ s.delta)


def network(
    step=lambda x_t, hs, w1: np.tanh(np.append(x_t, hs[-1]) @ w1),
    out=lambda h, w2: h @ w2,
    start=np.zeros,
) -> Callable:
    """Return a `sine_forward` that departs from the right one in what is given.

    step makes a context of an input and all contexts before it
    """

    def answer(x, w1, w2):
        contexts, predictions = [start(w1.shape[1])], []
        for x_t in x:
            contexts.append(step(x_t, contexts, w1))
            predictions.append(out(contexts[-1], w2)[0])
        return np.array(predictions), np.stack(contexts)

    return answer


def squashed_by(squash: Callable) -> Callable:
    """Return a `sine_forward` that has another function in place of tanh."""
    return network(step=lambda x_t, hs, w1: squash(np.append(x_t, hs[-1]) @ w1))
