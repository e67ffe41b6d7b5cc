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
    "G": "Line G: once it runs, run it twice. Do you get the same text?",
    "H": "Line H: on which text is the loss measured?",
}

REPAIRS = {  # number -> why it does not fit a line of which nothing is said below
    1: "nothing is drawn here, so no generator is missing.",
    2: "no number of a character goes into the LSTM here.",
    3: "the prompt does not come in here.",
    4: "a softmax too many: there is one already where one is wanted.",
    5: "nothing goes into the LSTM here, so there is no axis to add.",
    6: "nothing is measured here that could be measured on another text.",
    7: "neither a call of the LSTM nor an update stands here.",
}
LINES = {
    ("A", 2): "what goes in is one-hot rows already.",
    ("A", 7): "that would be faster, but this line does not even run. Mend what stops it.",
    ("B", 3): "it is the form of x that stops this line.",
    ("B", 5): "what goes in has three axes already.",
    ("B", 7): "when it writes, a character must be drawn before the next can go in.",
    ("D", 6): "the loss of this line is the one that is learned from, so its text is trained on.",
    ("E", 2): "this line does not call the LSTM, and what it lacks is more than a row.",
    ("G", 4): "the line has its softmax already.",
    ("H", 1): "nothing is drawn here, so no generator is missing.",
    ("H", 7): "nothing is computed here; the line prints what there is.",
}


EXERCISE = claims_exercise(
    mark_defects, "the popular character LSTM, line by line", HINTS, REPAIRS, LINES
)
