"""What is answered in words: the course's questions, and what a notebook says to them."""

import functools
import re
from dataclasses import dataclass

from solutions.grading.arrivals import recognising
from solutions.grading.arrivals.reading import Notebook, Text, notebooks_of
from solutions.grading.inside.protocol import printable

PLACEHOLDER = "*Write your answer here: double-click this text.*"
LONGEST_ANSWER = 16_000  # characters, of two units at most: a cell of Excel has 32,767
SOLUTION = re.compile(r"<!-- ### BEGIN SOLUTION -->\n(.*?)<!-- ### END SOLUTION -->", re.DOTALL)


@dataclass(frozen=True)
class Question:
    """A question that is answered in words.

    cell     the id of its cell
    prompt   what the student copy asks, with the criteria
    sample   the answer in the solution
    """

    chapter: int
    question: str
    points: int
    cell: str
    prompt: str
    sample: str

    @property
    def label(self) -> str:
        """How it is called in a table."""
        return f"{self.chapter}: {self.question}"


@functools.cache
def questions() -> tuple[Question, ...]:
    """Return the course's questions, from the metadata of the solutions' cells."""
    found = []
    for chapter, notebook in notebooks_of("solutions").items():
        for text in notebook.texts:
            if text.question:
                sample = SOLUTION.search(text.source)
                prompt = SOLUTION.sub("", text.source).strip()
                about = chapter, text.question, text.points, text.id, prompt
                found.append(Question(*about, sample[1].strip() if sample else ""))
    return tuple(found)


def texts_in(notebook: Notebook, chapter: int) -> dict[str, str]:
    """Return the label of each question of a chapter -> what a notebook answers, perhaps nothing.

    An answer stands in the question's cell, or in new ones right below it.
    """
    return {q.label: _answer(notebook, q) for q in questions() if q.chapter == chapter}


def _answer(notebook: Notebook, question: Question) -> str:
    handed_out = notebooks_of("notebooks")[question.chapter].texts
    known_ids = {text.id for text in handed_out}
    known = {recognising.as_text(text.source) for text in handed_out}
    place = next((n for n, text in enumerate(notebook.texts) if _asks(text, question)), None)
    if place is None:
        return ""
    own = notebook.texts[place]
    parts = [_without_prompt(own.source, question.prompt)]
    for text in notebook.texts[place + 1 :]:
        if text.behind != own.behind or text.id in known_ids:
            break
        if recognising.as_text(text.source) in known:
            break
        parts.append(text.source)
    answer = "\n\n".join(filter(None, (part.strip() for part in parts))).expandtabs(4)
    return printable(recognising.as_text(answer[:LONGEST_ANSWER])) + (
        " … (cut)" if len(answer) > LONGEST_ANSWER else ""
    )


def _asks(text: Text, question: Question) -> bool:
    """Return whether a cell asks a question: by its metadata, its id, or its first paragraphs."""
    paragraphs = [p for p in question.prompt.split("\n\n") if len(p) > 40]
    return (
        text.question == question.question
        or text.id == question.cell
        or any(paragraph in recognising.as_text(text.source) for paragraph in paragraphs)
    )


def _without_prompt(source: str, prompt: str) -> str:
    """Return what stands in a cell beside what was handed out."""
    asked = {line.strip() for line in (*prompt.split("\n"), PLACEHOLDER)} - {""}
    lines = recognising.as_text(source).split("\n")
    kept = [line.replace(PLACEHOLDER, "") for line in lines if line.strip() not in asked]
    return "\n".join(kept).strip()
