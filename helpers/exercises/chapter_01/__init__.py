"""The exercises of chapter 1, recurrent networks step by step.

Symbols: B sequences in a batch, T time steps, D input size, H hidden size, O output size.
"""

ORDER = (
    "rnn_step",
    "rnn_forward",
    "rnn_shapes",
    "last_step_rnn",
    "every_step_rnn",
    "carry_state",
    "train_on_stream",
    "gradient_norms",
    "clip_gradients",
    "mark_claims",
)
