"""`mark_gate_claims`: eight claims about gates, marked and corrected, section 3.7."""

from helpers.exercises.claims import claims_exercise


def mark_gate_claims():
    """Return letter -> 0 for what is right, the number of its correction for what is wrong."""
    return {"A": 1, "B": 5, "C": 0, "D": 7, "E": 3, "F": 0, "G": 2, "H": 0}


HINTS = {
    "A": "Claim A: in equation 3.3, what does f = 1 do to the memory?",
    "B": "Claim B: section 3.2 says between what and what `dropout` acts.",
    "C": "Claim C: compare equation 3.6 with the variant that section 3.1 shows below it.",
    "D": "Claim D: section 3.6 measures it, with the fused kernel and without.",
    "E": "Claim E: look at the row with the larger matrices in section 3.5.",
    "F": "Claim F: can the sum of equation 3.3 grow beyond 1? And can h?",
    "G": "Claim G: look at the horizon of a fresh LSTM in section 3.5.",
    "H": "Claim H: try it with `count_parameters`, for an input that is small.",
}
MISPLACED = {
    1: "it says what the value of a gate means.",
    2: "it says how far the gradient of a fresh network reaches.",
    3: "it says what gates bound.",
    4: "it is no better than the claims, since the output gate only shows what there is.",
    5: "it says where `dropout` acts.",
    6: "it is no better than the claims, since gates do not settle it.",
    7: "it says what the time depends on.",
}
EXERCISE = claims_exercise(
    mark_gate_claims, "eight claims about gates, marked and corrected", HINTS, MISPLACED
)
