"""The release command: both editions in step, and a clear error for every broken marker."""

import copy
import shutil

import nbformat
import pytest

from helpers.environment import COURSE
from solutions import release
from tests import chapters


def notebook_of(source, kind="code", **metadata):
    cell = getattr(nbformat.v4, f"new_{kind}_cell")(source, metadata=metadata)
    cell.id = "the-cell"
    return nbformat.v4.new_notebook(cells=[cell])


def released(source, kind="code", **metadata):
    return release.student_edition(notebook_of(source, kind, **metadata), "01_x.ipynb").cells


FUNCTION = """def double(x):
    \"\"\"Return 2 x.\"\"\"
    ### BEGIN SOLUTION
    # hint: say "twice"
    return 2 * x
    ### END SOLUTION"""


def test_student_copies_are_in_step_with_the_solutions(capsys):
    assert release.main(["--check"]) == 0, capsys.readouterr().out


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A copy of both folders that the command may write to."""
    for folder in ("solutions", "notebooks"):
        shutil.copytree(COURSE / folder, tmp_path / folder)
    monkeypatch.setattr(release, "SOLUTIONS", tmp_path / "solutions")
    monkeypatch.setattr(release, "NOTEBOOKS", tmp_path / "notebooks")
    return tmp_path


def test_a_hand_edited_student_copy_is_stale(course, capsys):
    path = course / "notebooks" / "01_rnn_basics.ipynb"
    path.write_text(
        path.read_text(encoding="utf-8").replace("Predict", "Guess", 1), encoding="utf-8"
    )
    assert release.main(["--check"]) == 1
    assert "stale: notebooks/01_rnn_basics.ipynb" in capsys.readouterr().out
    assert release.main([]) == 0
    assert release.main(["--check"]) == 0


def test_a_student_copy_without_a_solution_is_named(course, capsys):
    shutil.copy(course / "notebooks" / "01_rnn_basics.ipynb", course / "notebooks" / "99_x.ipynb")
    assert release.main(["--check"]) == 1
    assert "99_x.ipynb" in capsys.readouterr().out


def test_a_broken_marker_writes_nothing(course, capsys):
    path = course / "solutions" / "01_rnn_basics.ipynb"
    before = (course / "notebooks" / "01_rnn_basics.ipynb").read_bytes()
    text = path.read_text(encoding="utf-8").replace("### END SOLUTION", "### END SOLUTIONS", 1)
    path.write_text(text, encoding="utf-8")
    assert release.main([]) == 1
    assert "01_rnn_basics.ipynb, cell rnn-step, line 6" in capsys.readouterr().err
    assert (course / "notebooks" / "01_rnn_basics.ipynb").read_bytes() == before


def test_a_solution_becomes_one_stub_that_raises_when_called():
    (cell,) = released(FUNCTION)
    assert cell.source.splitlines() == [
        "def double(x):",
        '    """Return 2 x."""',
        """    raise NotImplementedError('say "twice"')""",
    ]
    namespace = {}
    exec(cell.source, namespace)
    with pytest.raises(NotImplementedError, match='say "twice"'):
        namespace["double"](1)


def test_a_written_answer_goes_too():
    (cell,) = released(
        "Q?\n\n<!-- ### BEGIN SOLUTION -->\nA.\n<!-- ### END SOLUTION -->", "markdown"
    )
    assert cell.source == f"Q?\n\n{release.WRITTEN}"


def test_a_solution_only_cell_goes():
    assert released("1 + 1", tags=["solution-only"]) == []


BROKEN = {
    "### END SOLUTION": "line 1: END without its counterpart",
    "x\n### BEGIN SOLUTION\n# hint: h": "line 2: BEGIN without its counterpart",
    "### BEGIN SOLUTION\n### BEGIN SOLUTION": "line 2: BEGIN without its counterpart",
    "### BEGIN HIDDEN TESTS": "line 1: unknown marker",
    "###BEGIN SOLUTION": "line 1: unknown marker",
    "### begin solution\n# END SOLUTION": "line 2: unknown marker",
    "### BEGIN SOLUTION\nreturn\n### END SOLUTION": "line 1: the first line of a solution must be",
    "### BEGIN SOLUTION\n### END SOLUTION": "line 1: the first line of a solution must be",
    f"### BEGIN SOLUTION\n# hint: {'h' * 80}\n### END SOLUTION": "line 1: the hint makes its",
}


@pytest.mark.parametrize(("source", "words"), BROKEN.items())
def test_a_broken_marker_is_an_error_that_names_file_cell_and_line(source, words):
    with pytest.raises(release.ReleaseError, match=f"01_x.ipynb, cell the-cell, {words}"):
        released(source)


def test_outputs_and_counts_go_and_ids_stay():
    notebook = copy.deepcopy(chapters.read(chapters.SOLUTIONS[0]))
    student = release.student_edition(notebook, "x")
    assert [c.id for c in student.cells] == [c.id for c in notebook.cells]
    assert release.text_of(student) == release.text_of(release.student_edition(notebook, "x"))


def test_dead_sliders_are_not_stored():
    widget = {"data": {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "VBox()"}}
    picture = {"data": {"image/png": "", "text/plain": "caption"}}
    assert release.needs_kernel(widget)
    assert not release.needs_kernel(picture)


def test_a_warning_is_not_stored(tmp_path):
    path = tmp_path / "01_x.ipynb"
    cell = nbformat.v4.new_code_cell("import warnings; warnings.warn('odd')", id="the-cell")
    release.write(path, nbformat.v4.new_notebook(cells=[cell], metadata=release.METADATA))
    before = path.read_bytes()
    with pytest.raises(release.ReleaseError, match=r"01_x\.ipynb, cell the-cell warns: .*odd"):
        release.execute(path)
    assert path.read_bytes() == before
