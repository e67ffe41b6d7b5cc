"""`mark_defects`: right and wrong lines of a popular character LSTM, section 5.9."""

from helpers.exercises.claims import claims_exercise


def mark_defects():
    """Return letter -> 0 for what is right, the number of its correction for what is wrong."""
    return {"A": 5, "B": 2, "C": 0, "D": 7, "E": 3, "F": 0, "G": 1, "H": 6}


HINTS = {
    "A": "Line A: count the axes of what goes in, then those of the state.",
    "B": "Line B: read the two errors about integers again.",
    "C": "Line C: what would happen to the old gradients without it?",
    "D": "Line D: section 5.5 measured what the loop costs, and what one call gives.",
    "E": "Line E: how much of the prompt has the model seen when it begins to write?",
    "F": "Line F: `cross_entropy` wants what the linear layer says, as it is.",
    "G": "Line G: run the program twice. Do you get the same text?",
    "H": "Line H: on which text is the loss measured?",
}

EXERCISE = claims_exercise(mark_defects, "the popular character LSTM, line by line", HINTS)
