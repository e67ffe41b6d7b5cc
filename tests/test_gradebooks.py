"""Gradebooks of Canvas and Moodle, in the dialects they come in, and whose grade goes where."""

import csv
import re
from pathlib import Path

import pytest

from solutions.grading import batch
from solutions.grading.arrivals import places
from solutions.grading.marks import Mark
from solutions.grading.reports import canvas, grades, matching, members, moodle, table
from solutions.grading.reports.account import Account
from solutions.grading.reports.rows import LONGEST_REMARKS, Row

CANVAS = "Student,ID,SIS User ID,SIS Login ID,Section,A (1)"
MOODLE = "Identifier,Full name,Grade,Feedback comments"


def row(student, number="", points=2, chapter=1):
    """Return a row of whoever has earned some points of a chapter."""
    return Row(student, number, {chapter: [Mark("rnn_step", "", points, 2, "passed", "ok")]})


@pytest.fixture
def canvas_of(tmp_path):
    """Return (lines, rows, …) -> the lines of Canvas's gradebook once it is filled, and who met."""

    def filled(lines, rows, title="A (1)", chapter=None, encoding="utf-8"):
        path = tmp_path / "canvas.csv"
        path.write_text("\n".join([*lines, ""]), encoding=encoding)
        met = canvas.Gradebook(path, title).fill(rows, tmp_path / "filled.csv", chapter)
        return (tmp_path / "filled.csv").read_text(encoding="utf-8").splitlines()[1:], met

    return filled


@pytest.fixture
def moodle_of(tmp_path):
    """Return the same for Moodle's worksheet."""

    def filled(lines, rows, chapter=None, encoding="utf-8"):
        path = tmp_path / "moodle.csv"
        path.write_text("\n".join([*lines, ""]), encoding=encoding)
        met = moodle.Worksheet(path).fill(rows, tmp_path / "filled.csv", chapter)
        return (tmp_path / "filled.csv").read_text(encoding="utf-8").splitlines()[1:], met

    return filled


# --- dialects -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        CANVAS,
        CANVAS.replace(",", ";"),
        CANVAS.replace(",", "\t"),
        "LastName;FirstName;ID;SIS User ID;SIS Login ID;Section;A (1)",
        "Student,ID,Section,A (1)",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_canvas_in_every_dialect(canvas_of, head, encoding):
    delimiter = next(d for d in "\t;," if d in head)
    names = head.split(delimiter)
    cells = {"Student": "Müller, Jörg", "LastName": "Müller", "FirstName": "Jörg", "ID": "7"}
    line = delimiter.join(f'"{cells[n]}"' if n in cells else "" for n in names)
    lines, met = canvas_of([head, line], [row("Jörg Müller")], encoding=encoding)
    assert lines[0].endswith(",2")
    assert "Müller" in lines[0]
    assert met.nowhere == []


@pytest.mark.parametrize(
    "head",
    [
        MOODLE,
        "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Last modified (grade)",
        "ID,Vollständiger Name,Status,Bewertung,Beste Bewertung,Feedback als Kommentar",
        "ID;Vollständiger Name;Bewertung",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_moodle_in_every_dialect(moodle_of, head, encoding):
    delimiter = ";" if ";" in head else ","
    names = head.split(delimiter)
    number, name = "Teilnehmer/in7" if names[0] == "ID" else "Participant 7", "Jörg Müller"
    cells = {names[0]: number, names[1]: name, "Grade": "-", "Bewertung": '"1,50"'}
    line = delimiter.join(cells.get(n, "") for n in names)
    lines, _ = moodle_of([head, line], [row("Jörg Müller", "7")], encoding=encoding)
    place = next(n for n, name in enumerate(names) if name in ("Grade", "Bewertung"))
    assert next(csv.reader(lines))[place] == "2"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["Student,ID"], "has no columns 'A (1)'"),
        (["Student,ID,A (1),A (1)"], "has 2 columns 'A (1)'"),
        (["Name,ID,A (1)"], "has no column 'LastName' or 'Last Name'; it has: Name, ID, A (1)."),
        (["Student,A (1)"], "has no column 'ID'"),
        ([], "is empty"),
    ],
    ids=range(5),
)
def test_what_is_no_gradebook_is_told_before_anything_is_graded(tmp_path, lines, words):
    path = tmp_path / "g.csv"
    path.write_text("\n".join(lines))
    with pytest.raises(table.Unusable, match=re.escape(words)):
        canvas.Gradebook(path, "A (1)")


def test_a_table_with_ragged_lines_and_zeros_is_read(canvas_of):
    lines, _ = canvas_of([CANVAS, "Ada,1", "Bob\0,2,,,,,more,and more"], [row("Ada"), row("Bob")])
    assert lines == ["Ada,1,,,,2", "Bob,2,,,,2"]


# --- whose grade goes where -----------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["EX", "ex", "absent", "n. a."])
def test_a_word_stays_and_a_number_gives_way(canvas_of, cell):
    lines, _ = canvas_of([CANVAS, f"Ada,1,,,,{cell}", "Bob,2,,,,1.5"], [row("Ada"), row("Bob")])
    assert lines == [f"Ada,1,,,,{cell}", "Bob,2,,,,2"]


def test_who_handed_in_another_chapter_keeps_what_stands_there(canvas_of):
    unread = Row("Bob", notes=["a.ipynb: It is not a notebook."])
    lines = [CANVAS, "Ada,1,,,,1", "Bob,2,,,,1"]
    rows = [row("Ada", chapter=2), unread]
    assert canvas_of(lines, rows, chapter=1)[0] == lines[1:]
    assert canvas_of(lines, rows)[0] == ["Ada,1,,,,2", "Bob,2,,,,1"]


@pytest.mark.parametrize(
    "name",
    ["Lovelace, Ada", "ada  LOVELACE", "Ada Lovelace", "Lovelace Ada", "A\u0301da Lovelace"],
)
def test_a_name_is_found_however_it_is_written(canvas_of, name):
    lines, met = canvas_of([CANVAS, f'"{name}",1,,,,'], [row("Ada Lovelace")])
    assert lines[0].endswith(",2")
    assert met.nowhere == []


@pytest.mark.parametrize("name", ["lovelaceada", "Lovelace, Ada"])
def test_canvas_writes_a_name_in_one_word(canvas_of, name):
    assert canvas_of([CANVAS, f'"{name}",815,,,,'], [row("lovelaceada", "815")])[0][0][-1] == "2"


@pytest.mark.parametrize("cell", ["85%", '"1.234,5"', "−1", "1 000", "-", " 2 ", "1.5"])
def test_a_number_gives_way_however_it_is_written(canvas_of, cell):
    filled, met = canvas_of([CANVAS, f"Ada,5,,,,{cell}"], [row("Ada", "5")])
    assert filled == ["Ada,5,,,,2"]
    assert met.kept == []


@pytest.mark.parametrize("cell", ["EX", "N/A", "A-", "8/10", "%", "see me"])
def test_what_is_no_number_stays_and_is_told(moodle_of, cell):
    filled, met = moodle_of([MOODLE, f"Participant 5,Ada,{cell},"], [row("Ada", "5")])
    assert filled[0].startswith(f"Participant 5,Ada,{cell},")
    assert met.kept == [f"Ada ({cell})"]
    books, names = {"moodle.csv": met}, {"moodle.csv": ["Ada"]}
    account = Account([row("Ada")], 1, Path(), books=books, names=names)
    assert f"as it stood, since it is no number: Ada ({cell})." in " ".join(account.lines())


def test_feedback_that_was_written_by_hand_stays_and_ours_is_anew(moodle_of):
    rows = [row("Ada", "5")]
    (first,), _ = moodle_of([MOODLE, "Participant 5,Ada,,Well argued."], rows)
    assert first == "Participant 5,Ada,2,Well argued. Graded: All exercises passed."
    assert moodle_of([MOODLE, first], rows)[0] == [first]


def test_namesakes_are_told_apart_by_their_numbers(moodle_of, tmp_path):
    for number in (11, 12):
        (tmp_path / "class" / f"Anna Schmidt_{number}_assignsubmission_file_").mkdir(parents=True)
    rows, _ = batch.arrived(places.find(tmp_path / "class"))
    assert [(r.student, r.number) for r in rows] == [("Anna Schmidt", "11"), ("Anna Schmidt", "12")]
    for n, of_one in enumerate(rows, start=1):
        of_one.marks = row("", points=n).marks
    lines = [MOODLE, "Participant 12,Anna Schmidt,,", "Participant 11,Anna Schmidt,,"]
    filled, met = moodle_of(lines, rows)
    assert [line.split(",")[2] for line in filled] == ["2", "1"]
    filled, met = moodle_of(lines[:2], rows)  # of a group alone
    assert [line.split(",")[2] for line in filled] == ["2"]
    assert met.nowhere == rows[:1]


def test_once_a_number_has_met_no_name_stands_against_another(moodle_of):
    lines = ["Participant 1,Eve,,", "Participant 11,Anna Schmidt,,"]
    rows = [row("Eve", "1"), row("Anna Schmidt", "12")]
    assert moodle_of([MOODLE, *lines], rows)[1].nowhere == rows[1:]
    elsewhere = [row("Eve", "7"), row("Anna Schmidt", "12")]  # numbers of another assignment
    assert moodle_of([MOODLE, *lines], elsewhere)[1].nowhere == []


def test_moodle_puts_a_chosen_group_before_a_name(moodle_of):
    rows = [row("Group A-Ada Lovelace", "7"), row("Group A-Anna-Lena B", "8"), row("A-Eve", "9")]
    lines = ["Participant 7,Ada Lovelace,,", "Participant 8,Anna-Lena B,,", "Participant 9,Bob,,"]
    filled, met = moodle_of([MOODLE, *lines], rows)
    assert [line.split(",")[2] for line in filled] == ["2", "2", ""]
    assert met.nowhere == rows[2:]


def test_groups_are_told_apart_by_all_that_their_names_have(tmp_path):
    path = tmp_path / "members.csv"
    names = ["Lab 1 Group 2", "Lab 2 Group 1", "Team C", "Team C++", "🐍", "🦀"]
    lines = [f"{name},student {n}" for n, name in enumerate(names)]
    path.write_text("\n".join(["group,student", *lines, lines[0], ""]), encoding="utf-8")
    groups = members.read(path)
    rows = [row(name.upper(), points=n) for n, name in enumerate(names[:-1])]
    found = members.of_members(rows, groups)
    assert [(r.student, r.points(1)) for r in found] == [(f"student {n}", n) for n in range(5)]
    assert members.without(groups, rows) == ["🦀"]


def test_a_group_is_no_participant_of_its_number(moodle_of, tmp_path):
    lines = [MOODLE, "Participant 17,A Stranger,,", "Participant 4,Ada Lovelace,,"]
    rows = [row("Group A", "17")]
    same, met = moodle_of(lines, rows)
    assert same == lines[1:]
    assert met.nowhere == rows
    path = tmp_path / "members.csv"
    path.write_text("group,student,id\nGroup A,Ada Lovelace,\nGroup A,Bob,99\n")
    of_members = members.of_members(rows, members.read(path))
    filled, met = moodle_of(lines, of_members)
    assert filled[0] == lines[1]
    assert filled[1].startswith(
        "Participant 4,Ada Lovelace,2,Graded: Handed in by the group Group A."
    )
    assert [r.student for r in met.nowhere] == ["Bob"]


def test_a_number_is_enough_where_names_are_hidden(moodle_of):
    lines, _ = moodle_of(["Identifier,Grade", "Participant 7,"], [row("Participant", "7")])
    assert lines == ["Participant 7,2"]


def test_points_go_to_a_number_and_to_a_name_only_if_nobody_else_has_it(moodle_of, canvas_of):
    rows = [row("Anna Schmidt", "11"), row("Ada", "", 1), row("Bob"), row("Eve")]
    names = {11: "Anna Schmidt", 12: "Anna Schmidt", 13: "Ada", 14: "Bob", 15: "Bob"}
    lines = [f"Participant {number},{name},," for number, name in names.items()]
    filled, met = moodle_of([MOODLE, *lines], rows)
    assert [line.split(",")[2] for line in filled] == ["2", "", "1", "", ""]
    assert [r.student for r in met.nowhere] == ["Bob", "Eve"]
    assert canvas_of([CANVAS, "X,11,,anna,A,"], rows)[0] == ["X,11,,anna,A,"]


def test_two_of_one_name_are_nobody(moodle_of):
    rows = [row("Ada"), row("Ada", "", 1)]
    assert moodle_of([MOODLE, "Participant 1,Ada,,"], rows)[1].nowhere == rows


def test_words_of_a_name():
    assert matching.words_of("Ångström, Émilie-Zoë") == ("angstrom", "emilie", "zoe")
    assert matching.words_of("") == ()


# --- what stands in tables ------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["=1+1", " =1", "\n=cmd()", "＝1", "-2", "@x", "+1"])
def test_no_cell_of_a_table_is_a_formula(cell):
    assert table.harmless(cell) == f"{cell[: len(cell) - len(cell.strip())]}'{cell.strip()}"


@pytest.mark.parametrize("cell", ["x;=1", 'x; "=1', "x\t-1", "x\n@y", "a;b;+1", "x\r\n =1"])
def test_no_part_of_a_cell_is_a_formula_where_lines_are_split_otherwise(cell):
    parts = re.split(r"[;\t\r\n]", table.harmless(cell))
    assert not any(re.match(r"[\s\"]*[=+\-@]", part) for part in parts), parts
    assert table.harmless(cell).replace("'", "") == cell


def test_what_is_not_graded_is_no_grade(tmp_path, moodle_of):
    failed = row("Ada")
    failed.failed = {2: "a.ipynb: The grader failed."}
    assert [failed.points(n) for n in (1, 2, 3, None)] == [2, None, None, None]
    grades.write_grades([failed], [1, 2, 3], tmp_path / "grades.csv")
    with open(tmp_path / "grades.csv", encoding="utf-8", newline="") as file:
        (line,) = csv.DictReader(file)
    by_start = {name.split(" (")[0]: value for name, value in line.items()}
    chapters = [by_start[name] for name in ("chapter 1", "chapter 2", "chapter 3", "total")]
    assert chapters == ["2", "", "", ""]
    assert "chapter 2: not graded: a.ipynb: The grader failed." in line["remarks"]
    lines = [MOODLE, "Participant 1,Ada,9,"]
    assert moodle_of(lines, [failed])[0][0].startswith("Participant 1,Ada,9,")
    assert moodle_of(lines, [failed], 1)[0][0].startswith("Participant 1,Ada,2,")


def test_remarks_are_bounded_and_moodle_gets_no_markup(moodle_of):
    chatty = Row("Ada", notes=[f"<img src=x onerror=alert({n})>" * 10 for n in range(1000)])
    assert sum(map(len, chatty.remarks())) < LONGEST_REMARKS + 100
    assert "more remarks" in chatty.remarks()[-1]
    (line,), _ = moodle_of([MOODLE, "Participant 1,Ada,,"], [chatty])
    assert "<" not in line
    assert "&lt;img" in line


def test_a_line_of_a_gradebook_that_is_no_student_stays_as_it_is(canvas_of):
    lines = [CANVAS, "    Points Possible,,,,,2", "Eve,5,,eve,A,"]
    filled, met = canvas_of(lines, [row("Points Possible", points=0)])
    assert filled == lines[1:]
    assert len(met.nowhere) == 1
