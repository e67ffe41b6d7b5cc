"""The exercises of chapter 5, text character by character.

Symbols: V characters in the vocabulary, N characters in a text, B texts side by side, T time steps,
H hidden size. `ids` are the numbers of characters in the vocabulary, whole numbers.
"""

ORDER = (
    "encode",
    "batchify",
    "bits_per_char",
    "rnn_text_gen",
    "char_lstm",
    "train_text_step",
    "network_probabilities",
    "best_weights",
    "sample_next",
    "nucleus",
    "generate",
    "longest_copy",
    "ablate_unit",
    "learn_language",
    "mark_defects",
)
