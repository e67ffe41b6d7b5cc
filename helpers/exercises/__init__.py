"""Instant feedback on the exercises: `check` and `points` in a notebook, `examine` in a program.

This folder knows the answers. Students may read it; it never stands beside a submission that is
graded.

chapter_NN/   one chapter's exercises: __init__.py has their symbols, order and common sentences,
              each file is one exercise: reference, cases, known mistakes; parts/ has the wrong
              answers that several of them are made of, or that make a file too long
shared.py     what exercises of several chapters are made of
contract.py   what an exercise consists of
claims.py     makes the exercise of a clinic, claims to mark
facts.py      facts about a batch that an answer draws as it likes
bands.py      what an open task asks for, and the part of the points for coming near
catalogue.py  finds an exercise by name
equality.py   when two results count as equal
known.py      the right outcomes on some cases, and those of the known mistakes
recognition.py  which known mistakes an answer makes
judging.py    from the outcomes of an answer to what is said about it
diagnosis.py  where a wrong answer departs from the right one
relations/    how it is related to the right one, if that is simple
exceptions.py what the commonest exceptions mean
cards.py      how a result looks
checking.py   `check`, `points` and `examine`
"""

from helpers.exercises.checking import check, examine, points

__all__ = ["check", "examine", "points"]
