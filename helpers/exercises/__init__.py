"""Instant feedback on the exercises: `check` in a notebook, `examine` in a program.

checking.py    the contract (Exercise, Mistake) and the way from an answer to a result
running.py     runs an answer on cases
drivers.py     how an answer is called: arrays in, arrays out
diagnosis.py   where a wrong answer departs from the right one
cards.py       how a result looks
clinic.py      makes the exercise of a clinic, claims to mark
catalogue.py   finds an exercise by name
chapter_NN.py  one chapter's exercises, as a specification
"""

from helpers.exercises.checking import check, examine

__all__ = ["check", "examine"]
