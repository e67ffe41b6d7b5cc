"""What must hold of every notebook without running it: outputs accounted for, editions in step."""

import ast
import copy
import itertools
import re
import textwrap

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from helpers.exercises import catalogue
from tests import chapters

TAGS = {"nbval-check-output", "nbval-ignore-output"}
BOTH = [*chapters.SOLUTIONS, *chapters.NOTEBOOKS]


def label(path):
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", BOTH, ids=label)
def test_format(path):
    notebook = chapters.read(path)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("path", BOTH, ids=label)
def test_headings(path):
    text = "\n".join(c.source for c in chapters.read(path).cells if c.cell_type == "markdown")
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    headings = re.findall(
        r"^(#+) (.*)$", text.replace("### BEGIN SOLUTION", ""), flags=re.MULTILINE
    )
    levels = [len(hashes) for hashes, _ in headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    number = {1: r"\d\. ", 2: r"\d\.\d+ ", 3: r"\d\.\d+\.\d+ "}
    unnumbered = {"What you showed"}
    for hashes, title in headings:
        assert title in unnumbered or re.match(number[len(hashes)], title), title
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))


@pytest.mark.parametrize("path", chapters.SOLUTIONS, ids=label)
def test_the_heading_of_an_exercise_has_its_dots(path):
    text = "\n".join(c.source for c in chapters.read(path).cells if c.cell_type == "markdown")
    told = re.findall(r"^### \S+ Exercise: `(\w+)` (.*)$", text, flags=re.MULTILINE)
    assert told == [(e.name, e.dots) for e in catalogue.chapters()[int(path.name[:2])]]


SECOND_VERSION = [path for path in chapters.SOLUTIONS if path.name[:2] in ("01", "02", "03", "04")]
ENOUGH = 3  # statements


def shape_of(statement):
    """Return a statement's syntax tree with all names and texts erased, as text."""
    tree = copy.deepcopy(statement)
    for node in ast.walk(tree):
        for name in ("id", "arg", "attr", "name", "value"):
            if isinstance(getattr(node, name, None), str):
                setattr(node, name, "")
    return ast.dump(tree)


def blocks_of(source):
    """Yield the shapes of each block of statements in a cell."""
    for node in ast.walk(ast.parse(TransformerManager().transform_cell(source))):
        for block in (getattr(node, part, None) for part in ("body", "orelse", "finalbody")):
            if isinstance(block, list):
                yield [shape_of(statement) for statement in block]


def answers_in(path):
    """Yield the names of exercises, each with the statements of an answer in the solution."""
    for cell in chapters.code_of(chapters.read(path)):
        for region in re.findall(
            r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", cell.source, flags=re.DOTALL
        ):
            body = textwrap.indent(textwrap.dedent(region), "    ")
            (function,) = ast.parse(f"def answer():\n{body}").body
            yield cell.id, [shape_of(statement) for statement in function.body]


@pytest.mark.parametrize("path", SECOND_VERSION, ids=label)
def test_no_cell_of_a_student_copy_holds_an_answer(path):
    student = chapters.read(path.parents[1] / "notebooks" / path.name)
    for name, answer in answers_in(path):
        if len(answer) < ENOUGH:
            continue
        for cell in chapters.code_of(student):
            for block in blocks_of(cell.source):
                windows = [block[i : i + len(answer)] for i in range(len(block))]
                assert answer not in windows, f"{cell.id} holds the answer to {name}"


@pytest.mark.parametrize("path", chapters.SOLUTIONS, ids=label)
def test_every_output_of_a_solution_is_compared_or_tagged_as_not_comparable(path):
    for cell in chapters.code_of(chapters.read(path)):
        tags = TAGS & set(cell.metadata.get("tags", []))
        assert len(tags) == (1 if cell.outputs else 0), f"{cell.id}: {tags or 'no tag'}"
        errors = [o for o in cell.outputs if o.output_type == "error"]
        assert not errors, f"{cell.id}: stores an error"


@pytest.mark.parametrize("path", chapters.SOLUTIONS, ids=label)
def test_a_solution_was_run_from_top_to_bottom(path):
    cells = chapters.code_of(chapters.read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        if re.search(r"^(show|explore|print)\(|check\(", cell.source, flags=re.MULTILINE):
            assert cell.outputs, f"{cell.id}: its output was cleared"


@pytest.mark.parametrize("path", chapters.SOLUTIONS, ids=label)
def test_every_check_card_of_a_solution_passed_and_is_compared(path):
    for cell in chapters.code_of(chapters.read(path)):
        if chapters.checked_in(cell):
            assert "nbval-check-output" in cell.metadata.tags
            assert cell.outputs[0].data["text/plain"].startswith("✓ passed")


@pytest.mark.parametrize("path", BOTH, ids=label)
def test_a_chapter_ends_with_its_points(path):
    assert chapters.read(path).cells[-1].source == "points()"


@pytest.mark.parametrize("path", chapters.SOLUTIONS, ids=label)
def test_only_exercise_cells_differ_between_the_editions(path):
    solution = chapters.read(path)
    student = chapters.read(path.parents[1] / "notebooks" / path.name)
    shared = [c for c in solution.cells if "solution-only" not in c.metadata.get("tags", [])]
    for mine, theirs in zip(shared, student.cells, strict=True):
        assert mine.id == theirs.id
        assert mine.metadata.get("tags") == theirs.metadata.get("tags")
        has_solution = "### BEGIN SOLUTION" in mine.source
        assert (mine.source == theirs.source) != has_solution, mine.id
        assert "### " not in theirs.source or theirs.cell_type == "markdown"


@pytest.mark.parametrize("path", chapters.NOTEBOOKS, ids=label)
def test_student_copies_store_nothing_but_open_cards(path):
    for cell in chapters.code_of(chapters.read(path)):
        if chapters.checked_in(cell):
            assert cell.outputs[0].data["text/plain"].startswith("○ not attempted yet")
            assert "nbval-check-output" in cell.metadata.tags
        else:
            assert not cell.outputs
            assert cell.execution_count is None


@pytest.mark.parametrize("path", chapters.SOLUTIONS, ids=label)
def test_a_solution_stays_small(path):
    assert path.stat().st_size < 500_000


@pytest.mark.parametrize("path", chapters.SOLUTIONS, ids=label)
def test_figures_have_their_caption(path):
    for cell in chapters.code_of(chapters.read(path)):
        for number, output in enumerate(cell.outputs):
            if "image/png" in output.get("data", {}):
                caption = output.data["text/plain"]
                drawn = "text/html" in output.data  # a drawing measures nothing
                assert output.metadata["image/png"]["alt"], (
                    f"{cell.id}: nothing for a reader's ears"
                )
                assert drawn or re.search(r"\d", caption), f"{cell.id}: a caption without a number"
                assert cell.outputs[number + 1].data["text/plain"].startswith(caption)
