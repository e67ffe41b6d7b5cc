"""The grading command run again: what was entered by hand counts, and nothing is graded twice."""

import csv
import json
import zipfile

import pytest

from helpers.exercises import catalogue
from solutions import grade
from solutions.grading import pool, walls
from solutions.grading.arrivals import words
from solutions.grading.marks import Mark
from solutions.grading.reports import table
from tests import chapters

QUESTION = words.questions()[0]
EARNED = 2.0  # of the first exercise, by whoever hands something in
ADA, GROUP = "Ada Lovelace_5_assignsubmission_file_", "Group A_17_assignsubmission_file_"


@pytest.fixture
def command(monkeypatch, tmp_path):
    """Return what runs the command on a small class: its exit status, and who was graded by it.

    Marks are made up here; no sandbox starts.
    """
    for name, text in ((ADA, "Measure it."), (GROUP, "=1+1 <b>markup</b>")):
        notebook = chapters.read(chapters.NOTEBOOKS[QUESTION.chapter - 1])
        asked = next(c for c in notebook.cells if c.metadata.get("question"))
        asked.source = asked.source.replace(words.PLACEHOLDER, text)
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "a.ipynb").write_text(json.dumps(notebook))
    first = catalogue.chapters()[QUESTION.chapter][0]
    mark = Mark(first.name, first.title, EARNED, EARNED, "passed", "fine")
    given = {"marks": [vars(mark)], "notes": [], "again": False, "failed": "", "words": ""}
    graded = []

    def results(tasks, _):
        graded.extend(task.key for task in tasks)
        return [(task.key, given) for task in tasks]

    monkeypatch.setattr(pool, "results", results)
    monkeypatch.setattr(walls, "check_available", lambda **_: None)

    def run(*options):
        graded.clear()
        with pytest.raises(SystemExit) as end:
            grade.main([str(tmp_path / "class"), *options])
        return end.value.code, len(graded)

    return run


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def enter(path, points, comment):
    """Enter points and a comment for each student whose name is given, as a spreadsheet does."""
    lines = read(path)
    for line in lines:
        line["points"] = points.get(line["student"], "")
        line["comment"] = comment
    table.save(path, list(lines[0]), [list(line.values()) for line in lines])


def test_what_was_entered_counts_everywhere_and_nothing_is_graded_twice(command, tmp_path):
    worksheet, export = tmp_path / "worksheet.csv", tmp_path / "export.csv"
    worksheet.write_text("Identifier,Full name,Grade\nParticipant 5,Ada Lovelace,\n")
    export.write_text("Student,ID,SIS Login ID,A (1)\nAda Lovelace,5,ada,\n")
    members = tmp_path / "members.csv"
    members.write_text("group,student\nGroup A,Bob\nGroup A,Eve\n")
    weights = tmp_path / "weights.toml"
    first = catalogue.chapters()[QUESTION.chapter][0].name
    weights.write_text(f"[weights]\n{first} = 2\n")
    options = ["--moodle", worksheet, "--canvas", export, "--canvas-column", "A"]
    options = [str(o) for o in [*options, "--groups", members, "--weights", weights]]
    assert command(*options) == (3, 2)  # the group's members stand in neither gradebook
    out = tmp_path / "grades"
    assert [line["text"] for line in read(out / "written.csv")] == [
        "Measure it.",
        "'=1+1 <b>markup</b>",
    ]
    enter(out / "written.csv", {"Ada Lovelace": "1,5", "Group A": "1"}, "=a <i>comment</i>")
    assert command(*options) == (3, 0)
    weighed = 2 * EARNED
    totals = {line["student"]: line[list(line)[-2]] for line in read(out / "grades.csv")}
    expected = {"Ada Lovelace": weighed + 1.5, "Bob": weighed + 1, "Eve": weighed + 1}
    assert totals == {student: f"{total:g}" for student, total in expected.items()}
    assert read(out / "moodle.csv")[0]["Grade"] == read(out / "canvas.csv")[0]["A (1)"] == "5.5"
    for page in (out / "students").iterdir():
        text = page.read_text(encoding="utf-8")
        assert "=a &lt;i&gt;comment&lt;/i&gt;" in text
        assert "<i>comment" not in text
    with zipfile.ZipFile(out / "moodle-feedback.zip") as archive:
        assert f"{ADA}/feedback.html" in archive.namelist()
    assert "<b>markup" not in (out / "written.html").read_text(encoding="utf-8")
    entered = read(out / "written.csv")
    assert command(*options) == (3, 0)
    assert read(out / "written.csv") == entered


def test_one_student_is_graded_anew_and_of_the_others_what_was_graded_counts(command, tmp_path):
    assert command() == (0, 2)
    assert command("--again", "--student", "lovelace, ada") == (0, 1)
    assert len(read(tmp_path / "grades" / "grades.csv")) == 2
    assert command("--again") == (0, 2)


def test_a_student_who_is_not_there_is_an_error_and_nothing_is_written(command, tmp_path):
    status, graded = command("--student", "Ada Lovelac")
    assert "Ada Lovelace" in status
    assert graded == 0
    assert not (tmp_path / "grades" / "grades.csv").exists()


def test_points_that_are_none_stop_the_command_before_anything_is_lost(command, tmp_path):
    command()
    path = tmp_path / "grades" / "written.csv"
    enter(path, {"Ada Lovelace": "eleven"}, "keep me")
    before = path.read_bytes()
    status, _ = command()
    assert "written.csv, line 2: 'eleven' is no number" in status
    assert path.read_bytes() == before


def test_grades_are_not_written_among_submissions(command, tmp_path):
    status, _ = command("--out", str(tmp_path / "class" / "grades"))
    assert "lies among the submissions" in status
    assert len(list((tmp_path / "class").iterdir())) == 2
