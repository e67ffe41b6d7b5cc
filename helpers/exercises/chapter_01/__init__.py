"""The exercises of chapter 1, recurrent networks step by step.

Symbols: B sequences in a batch, T time steps, D input size, H hidden size, O output size.
"""

ORDER = (
    "rnn_step",
    "rnn_forward",
    "parity_weights",
    "rnn_shapes",
    "last_step_rnn",
    "every_step_rnn",
    "carry_state",
    "train_on_stream",
    "state_gradients",
    "gradient_norms",
    "scale_to_radius",
    "clip_gradients",
    "remember_first",
    "mark_claims",
)

TWO_RUNS = (
    "Two runs on the same x give different outputs: is the first state drawn at random, a layer "
    "made anew in `forward`, a dropout on, or something kept from the run before?"
)
GRADIENTS = (
    "The outputs are right, but their gradients are not: is a state detached on its way to the "
    "next step, or part of the work done under `no_grad`?"
)
KEPT = (
    "The first run is right, a second one on the same x is not: something is kept from the run "
    "before. Every call starts from a state of zeros."
)
NOT_SEEN = (
    "PyTorch sees only layers that are made in `__init__`, as attributes of `self`: not those in a "
    "plain list, nor those made in `forward`."
)
BATCH_FOR_TIME = (
    "The network takes the batch for time. Is `batch_first=True` missing, or `x` transposed?"
)
NO_GRADIENT = (
    "No gradient reaches the recurrent weights, so they never learn: something is detached, or "
    "computed under `no_grad`."
)
REMEMBERS = "The model remembers the previous call. Every sequence is new: start from zeros."
ONES = "The first state is made of ones. It must be 0: call the network without a state."
