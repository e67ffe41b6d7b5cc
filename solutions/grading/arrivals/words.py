"""What is answered in words: the course's questions, and what a notebook says to them."""

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from solutions.grading.arrivals import recognising
from solutions.grading.arrivals.reading import Cell, Notebook, Text, notebooks_of
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

    An answer stands in the question's cell, or in new ones below it, perhaps with code between
    them. Where the question is gone, it stands behind the text that was handed out before it.
    """
    return {q.label: _answer(notebook, q) for q in questions() if q.chapter == chapter}


def _answer(notebook: Notebook, question: Question) -> str:
    handed_out, texts = notebooks_of("notebooks")[question.chapter], notebook.texts
    asked = next(n for n, text in enumerate(handed_out.texts) if _asks(text, question))
    is_it = _is_one_of(handed_out.texts[asked - 1 : asked])  # the text before the question
    before = next((n for n, text in enumerate(texts) if is_it(text)), None)
    place = next((n for n, text in enumerate(texts) if _asks(text, question)), before)
    if place is None:
        return ""
    prompted = [_without_prompt(texts[place].source, question.prompt)] * (place != before)
    below = handed_out.code[handed_out.texts[asked].behind :]
    last: list[Text | Cell] = [*handed_out.texts, *below]
    parts = [*prompted, *_up_to(_is_one_of(last), notebook, place)]
    answer = "\n\n".join(filter(None, (part.strip() for part in parts))).expandtabs(4)
    kept = printable(recognising.as_text(answer[:LONGEST_ANSWER]))
    return kept if len(answer) <= LONGEST_ANSWER else f"{kept} … (cut)"


def _up_to(ends: Callable[[Text | Cell], bool], notebook: Notebook, place: int) -> Iterator[str]:
    """Yield the texts below a place, up to a text or a code cell that ends them."""
    behind = notebook.texts[place].behind
    for text in notebook.texts[place + 1 :]:
        if ends(text) or any(map(ends, notebook.code[behind : text.behind])):
            return
        yield text.source


def _is_one_of(parts: Sequence[Text | Cell]) -> Callable[[Text | Cell], bool]:
    """Return whether a cell is one of these, by its id or its source."""
    ids = {part.id for part in parts}
    sources = {recognising.as_text(part.source) for part in parts}
    return lambda cell: cell.id in ids or recognising.as_text(cell.source) in sources


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
