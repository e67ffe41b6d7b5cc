"""`mark_claims`: eight claims from the web, marked and corrected, section 1.8."""

from helpers.exercises.claims import claims_exercise


def mark_claims():
    """Return letter -> 0 for what is right, the number of its correction for what is wrong."""
    return {"A": 4, "B": 1, "C": 0, "D": 6, "E": 2, "F": 0, "G": 5, "H": 0}


HINTS = {
    "A": "Claim A: count the gates in equation 1.2.",
    "B": "Claim B: `rnn_step` would be refused for this. What happens to `h_prev` there?",
    "C": "Claim C: look at what `clip_gradients` does to a gradient that has already vanished.",
    "D": "Claim D: reverse a sequence and look at the last state again (section 1.1).",
    "E": "Claim E: your network of section 1.7 had one layer. How far back did its gradient reach?",
    "F": "Claim F: how many different W_hh did `rnn_forward` use over the whole sequence?",
    "G": "Claim G: what would a gate have to learn, so that the loss falls?",
    "H": "Claim H: move the explorer of section 1.7 above a spectral radius of 1.",
}
MISPLACED = {
    1: "it says how the old state comes in.",
    2: "it says what depth counts.",
    3: "it is no better than the claims, since smaller weights have a shorter horizon.",
    4: "it says who has gates.",
    5: "it says what decides about what is kept.",
    6: "it says what a state depends on.",
    7: "it is no better than the claims, since a plain state reaches from step to step.",
}
EXERCISE = claims_exercise(
    mark_claims, "eight claims from the web, marked and corrected", HINTS, MISPLACED
)
