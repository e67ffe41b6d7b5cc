"""The exercises of chapter 2, backpropagation through time by hand.

Symbols: T time steps, H context units; `w1` (1 + H, H) takes the input and the context to the next
context, `w2` (H, 1) takes the context to the prediction. All arrays are NumPy's, in float64.
"""

ORDER = (
    "sine_forward",
    "sine_backward",
    "numerical_gradient",
    "leaky_backward",
    "sgd_step",
    "errors_reach",
    "truncated_backward",
    "free_run",
    "epoch_today",
    "fast_gradients",
)
