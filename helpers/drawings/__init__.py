"""Drawings of networks, made from code: boxes, arrows and words in one style.

drawing.py    what a drawing consists of, and how it is shown
networks.py   networks, their inputs, answers and states
gradients.py  gradients, and how far they travel back
gates.py      the insides of an LSTM and a GRU, memories, and packed batches
forecasts.py  windows and targets, ways to look ahead, the time line of a backtest
texts.py      chunks of a text, and how a network writes on
recurrences.py  attention, a scan in rounds, a matrix as state, and who has which power
"""

from helpers.drawings.drawing import show_drawing
from helpers.drawings.forecasts import rolling_origins, targets_of_three_ways, windows
from helpers.drawings.gates import gru_cell, lstm_cell, memory_paths, packing
from helpers.drawings.gradients import errors_back, step_and_back
from helpers.drawings.networks import carried_state, many_to_one_and_many, unrolled
from helpers.drawings.recurrences import looking_back, matrix_state, scan_rounds, two_powers
from helpers.drawings.texts import chunks, writing_on

__all__ = [
    "carried_state",
    "chunks",
    "errors_back",
    "gru_cell",
    "looking_back",
    "lstm_cell",
    "many_to_one_and_many",
    "matrix_state",
    "memory_paths",
    "packing",
    "rolling_origins",
    "scan_rounds",
    "show_drawing",
    "step_and_back",
    "targets_of_three_ways",
    "two_powers",
    "unrolled",
    "windows",
    "writing_on",
]
