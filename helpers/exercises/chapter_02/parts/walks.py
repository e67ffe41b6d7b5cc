"""Truncated gradients error by error: of them known mistakes are made.

T time steps, H context units.
"""

from collections.abc import Callable

import numpy as np


def error_by_error(
    stop=lambda t, k, T: max(-1, t - k),
    errors=range,
    contexts_for=lambda t, k, x, contexts, w1: contexts,
) -> Callable:
    """Return a `truncated_backward` that takes one error after the other on its walk back.

    stop          the place before which the walk of error t ends
    errors        T -> the steps whose errors walk
    contexts_for  the contexts (T + 1, H) that the walk of error t meets
    """

    def answer(x, y, predictions, contexts, w1, w2, k):
        dw1, e = np.zeros_like(w1), predictions - y
        for t in errors(len(x)):
            back, met = e[t] * w2[:, 0], contexts_for(t, k, x, contexts, w1)
            for s in range(t, stop(t, k, len(x)), -1):
                delta = back * (1 - met[s + 1] ** 2)
                dw1 += np.outer(np.append(x[s], met[s]), delta)
                back = w1[1:] @ delta
        return dw1, contexts[1:].T @ e[:, None]

    return answer


def made_anew(t, k, x, contexts, w1):
    """Return contexts that begin from zeros k steps before the end of step t."""
    contexts, first = contexts.copy(), max(0, t - k + 1)
    contexts[first] = 0
    for s in range(first, t + 1):
        contexts[s + 1] = np.tanh(np.append(x[s], contexts[s]) @ w1)
    return contexts


from_zeros = error_by_error(contexts_for=made_anew)
