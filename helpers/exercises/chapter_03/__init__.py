"""The exercises of chapter 3, LSTM and GRU.

Symbols: B sequences in a batch, T time steps, D input size, H hidden size. The matrices of a cell
lie one upon the other as PyTorch stores them: `weight_ih` (4H, D) of an LSTM, (3H, D) of a GRU.
"""

ORDER = (
    "lstm_step",
    "gru_step",
    "lstm_shapes",
    "count_parameters",
    "last_hidden",
    "encode_padded",
    "adding_problem_batch",
    "adding_lstm",
    "memory_derivative",
    "set_forget_bias",
    "adding_rnn",
    "reach",
    "mark_gate_claims",
)
