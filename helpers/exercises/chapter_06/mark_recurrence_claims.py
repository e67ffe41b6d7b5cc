"""`mark_recurrence_claims`: what is said of attention and of recurrences, section 6.9."""

from helpers.exercises.claims import claims_exercise


def mark_recurrence_claims():
    """Return letter -> 0 for what is right, the number of its correction for what is wrong."""
    return {"A": 4, "B": 7, "C": 2, "D": 5, "E": 0, "F": 0, "G": 1, "H": 3}


HINTS = {
    "A": "Claim A: what did `attention_step` hand on from one step to the next?",
    "B": "Claim B: how far apart were the steps and the masked product, when you compared them?",
    "C": "Claim C: look at the figure of section 6.3 once more, at its line for attention.",
    "D": "Claim D: `MinGRU` has a gate, too. At what does it look, and at what do an LSTM's?",
    "E": "Claim E: section 6.4 counted both, the rounds and the work.",
    "F": "Claim F: section 6.2 exchanged two steps of the past. Did the last output change?",
    "G": "Claim G: what can be done to the sign of a number with factors between 0 and 1?",
    "H": "Claim H: put S k_t in place of v_t into the rule and read back what is stored.",
}

REPAIRS = {  # number -> why it does not fit a claim of which nothing is said below
    1: "the sign of a factor is not what this claim is about.",
    2: "what a step costs is not what this claim is about.",
    3: "no rate beta stands in this claim.",
    4: "nothing is said here about what is handed on from step to step.",
    5: "no gate is to blame here, whatever it looks at.",
    6: "positions would change nothing about this.",
    7: "no two ways to compute one sum are compared here.",
    8: "of which shape a state is does not decide this.",
    9: "nothing is halved here.",
}
CLAIMS = {
    ("A", 2): "that is true, and it can do so only because something is kept: say what is.",
    ("B", 4): "that is attention's state. Here a sum over the past is in question.",
    ("C", 4): "that is true, and it is memory, not time: say what the step has to do with it.",
    ("D", 1): "an LSTM's factors lie between 0 and 1, and yet it learns parity. The scan stops "
    "elsewhere.",
    ("G", 5): "its gate may look at what it likes: the factor stays above 0.",
    ("G", 6): "a recurrence reads the steps in their order: it needs no positions.",
    ("B", 8): "that is what it has. Does it hold less than the sum?",
    ("G", 8): "a plain RNN learns parity with a vector, and so does one factor below 0.",
    ("H", 9): "that is what a rate of 1/2 does. Look at the table for a rate of 2.",
    ("H", 1): "that is about a_t of a recurrence with one number per unit. Say it of beta.",
}


EXERCISE = claims_exercise(
    mark_recurrence_claims, "what is said of attention and recurrences", HINTS, REPAIRS, CLAIMS
)
