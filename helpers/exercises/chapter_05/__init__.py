"""The exercises of chapter 5, text character by character.

Symbols: V characters in the vocabulary, N characters in a text, B texts side by side, T time steps,
H hidden size. `ids` are the numbers of characters in the vocabulary, whole numbers.
"""

ORDER = (
    "build_vocab",
    "encode",
    "decode",
    "batchify",
    "bits_per_char",
    "rnn_text_gen",
    "char_lstm",
    "train_text_step",
    "sample_next",
    "generate",
    "mark_defects",
)
