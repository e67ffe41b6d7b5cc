"""The exercises of chapter 6, attention and recurrences that run in parallel.

Symbols: B sequences in a batch, T time steps, D numbers per step, H hidden size. A linear
recurrence is h_t = a_t h_{t-1} + b_t; a matrix state S is (B, V, K), values by keys.
"""

ORDER = (
    "parity_batch",
    "recall_batch",
    "causal_attention",
    "attention_step",
    "combine",
    "parallel_scan",
    "scan_backward",
    "min_gru",
    "by_convolution",
    "linear_attention_step",
    "delta_rule_step",
    "learn_recall",
    "mark_recurrence_claims",
)
