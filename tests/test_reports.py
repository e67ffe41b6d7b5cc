"""What is written when a class is graded: written answers, weights, changes, archives, pages."""

import csv
import dataclasses
import json
import re
import zipfile

import nbformat
import pytest

from helpers.environment import COURSE
from helpers.exercises import catalogue
from solutions.grading.arrivals import names, places, reading, words
from solutions.grading.arrivals.reading import Cell, Notebook, Text
from solutions.grading.marks import Mark
from solutions.grading.reports import (
    archives,
    changes,
    grades,
    pages,
    summary,
    table,
    weights,
    written,
)
from solutions.grading.reports.account import Account
from solutions.grading.reports.rows import Row
from solutions.grading.reports.written import Entry
from tests import chapters

QUESTION = words.questions()[0]
HANDED_OUT = reading.notebooks_of("notebooks")[QUESTION.chapter]


def row(student="Ada", number="", points=2.0, text=None, **settings):
    """Return the row of whoever has earned points for `rnn_step`, and perhaps written something."""
    marks = {1: [Mark("rnn_step", "a step", points, 2, "passed", "ok")]}
    texts = {} if text is None else {QUESTION.chapter: {QUESTION.label: text}}
    return Row(student, number, marks, texts=texts, **settings)


def lines_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- what is answered in words --------------------------------------------------------------------


def answered(change):
    """Return the student copy of a chapter with its question's cell changed, and code below it."""
    asked = next(text for text in HANDED_OUT.texts if text.question == QUESTION.question)
    texts = []
    for text in HANDED_OUT.texts:
        moved = dataclasses.replace(text, behind=text.behind + (text.behind > asked.behind))
        texts += change(text) if text is asked else [moved]
    code = [*HANDED_OUT.code[: asked.behind], Cell("mine", "1"), *HANDED_OUT.code[asked.behind :]]
    return Notebook(code, texts)


def below(text, source):
    return dataclasses.replace(text, source=text.source.replace(words.PLACEHOLDER, source))


@pytest.mark.parametrize(
    "change",
    [
        lambda t: [below(t, "Measure it.")],
        lambda t: [dataclasses.replace(t, source=t.source + "\n\nMeasure it.")],
        lambda t: [dataclasses.replace(below(t, "Measure it."), question="", id="")],
        lambda t: [dataclasses.replace(t, source="Measure it.")],
        lambda t: [t, Text("new", "Measure it.", behind=t.behind)],
        lambda t: [dataclasses.replace(below(t, "Measure it."), source="Measure it.\r\n")],
        lambda t: [t, Text("new", "Measure it.", behind=t.behind + 1)],
        lambda t: [Text("new", "Measure it.", behind=t.behind)],
    ],
    ids=range(8),
)
def test_an_answer_is_found_where_it_was_written(change):
    (text,) = words.texts_in(answered(change), QUESTION.chapter).values()
    assert text == "Measure it."


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_a_picture_in_an_answer_takes_no_words_away(kind):
    notebook = nbformat.from_dict(chapters.read(chapters.NOTEBOOKS[QUESTION.chapter - 1]))
    place = next(n for n, c in enumerate(notebook.cells) if c.metadata.get("question"))
    picture = f"![a curve](data:image/png;base64,{'iVBORw0K' * 20_000}=)"
    new = nbformat.v4.new_markdown_cell(f"{picture} Measure it.")
    new.cell_type = kind
    notebook.cells.insert(place + 1, new)
    read = reading.parsed(nbformat.writes(notebook).encode())
    (text,) = words.texts_in(read, QUESTION.chapter).values()
    assert text == "![a curve](data:…) Measure it."
    assert read.notes == []


def test_nothing_that_was_handed_out_is_an_answer():
    for chapter, notebook in reading.notebooks_of("notebooks").items():
        assert set(words.texts_in(notebook, chapter).values()) <= {""}
    assert {q.chapter for q in words.questions()} == {1, 3, 4, 5, 6}
    assert all(
        q.points > 0 and q.sample and "Judge your answer" in q.prompt for q in words.questions()
    )


def test_points_that_were_entered_count_everywhere_and_are_kept(tmp_path):
    rows = [row(text="Measure it."), row("Bob", text="=1+1")]
    written.save(rows, {}, tmp_path)
    lines = lines_of(tmp_path / "written.csv")
    assert [line["text"] for line in lines] == ["Measure it.", "'=1+1"]
    lines[0] |= {"points": "1,5", "comment": "<b>good</b>"}
    table.save(tmp_path / "written.csv", written.HEAD, [list(line.values()) for line in lines])
    entered = written.read(tmp_path / "written.csv")
    written.add(rows, entered)
    assert [r.points(1) for r in rows] == [3.5, 2.0]
    assert "1.5 of 2<br>&lt;b&gt;good&lt;/b&gt;" in pages.page_of(rows[0])
    grades.write_grades(rows, [1], tmp_path / "grades.csv")
    assert [line["1.written (2)"] for line in lines_of(tmp_path / "grades.csv")] == ["1.5", ""]
    written.save(rows, entered, tmp_path)
    assert written.read(tmp_path / "written.csv") == entered
    page = (tmp_path / "written.html").read_text(encoding="utf-8")
    assert "Measure it." in page
    assert "Ada · 1.5 of 2" in page


def test_an_answer_that_was_changed_afterwards_keeps_its_points_and_is_told(tmp_path):
    written.save([row(text="Measure it.")], {}, tmp_path)
    path = tmp_path / "written.csv"
    path.write_text(path.read_text().replace("Measure it.,", "Measure it.,2"))
    changed = row(text="No.")
    written.add([changed], written.read(path))
    assert changed.points(1) == 4
    assert "another than the one that got its points" in changed.remarks()[0]


def test_lines_of_others_are_kept(tmp_path):
    entered = {("Eve", "", QUESTION.label): Entry(2.0, "fine", "text")}
    written.save([row(text="x")], entered, tmp_path)
    assert [line["student"] for line in lines_of(tmp_path / "written.csv")] == ["Ada", "Eve"]


def test_what_reaches_nobody_is_told(tmp_path):
    question = QUESTION.label
    entered = {
        ("Eve", "", question): Entry(2.0, "", "x"),
        ("Ada", "", question): Entry(None, "a comment without points", "x"),
        ("Bob", "", "1: not asked any more"): Entry(7.0, "", "x"),
        ("Zoe", "", question): Entry(None, "", "x"),
    }
    lines = written.add([row(text="x"), row("Bob", text="x")], entered)
    assert lines == [f"Ada, {question}", "Bob, 1: not asked any more", f"Eve, {question}"]
    account = Account([row()], 1, tmp_path, to_nobody=lines)
    assert account.status == 3
    assert "3 lines reached NOBODY: Ada, " in " ".join(account.lines())


@pytest.mark.parametrize("text", ["a" + "\n" * 15_900 + "b", ";" * 15_900, "\"'" * 8000 + "b"])
def test_making_a_text_harmless_is_linear(text):
    """In the characters that the pattern looks at: this one took seconds."""
    assert table.as_entered(table.harmless(text)) == text
    tried = sum(len(found[0]) + 1 for found in re.finditer(table.BEFORE, text))
    assert tried <= 2 * len(text) + 1


@pytest.mark.parametrize(
    ("number", "in_a_spreadsheet"),
    [
        *[("10000000012345678", "1E+16"), ("10000000012345678", "1,00000E+16")],
        ("0017", "17"),
    ],
)
def test_points_are_found_under_a_number_that_a_spreadsheet_has_rewritten(number, in_a_spreadsheet):
    entered = {("Ada", in_a_spreadsheet, QUESTION.label): Entry(2.0, "", "x")}
    rows = [row(number=number, text="x"), row(number="99", text="x"), row("Bob", text="x")]
    assert written.add(rows, written.settled(rows, entered)) == []
    assert [r.points(1) for r in rows] == [4, 2, 2]
    strangers = [row(number="18", text="x")]
    assert written.add(strangers, written.settled(strangers, entered)) == [f"Ada, {QUESTION.label}"]


@pytest.mark.parametrize(
    ("name", "in_a_spreadsheet"), [("0123456", "123456"), ("Łukasz", "?ukasz"), ("Ada", "Ada")]
)
def test_points_are_found_under_a_name_that_a_spreadsheet_has_rewritten(name, in_a_spreadsheet):
    entered = {(in_a_spreadsheet, "", QUESTION.label): Entry(2.0, "", "x")}
    rows = [row(name, text="x"), row("Bob", text="x")]
    assert written.add(rows, written.settled(rows, entered)) == []
    assert [r.points(1) for r in rows] == [4, 2]


HEADS = ",".join(written.HEAD)


def table_of(tmp_path, lines, head=HEADS):
    path = tmp_path / "written.csv"
    path.write_text("\n".join([head, *lines, ""]), encoding="utf-8")
    return path


def test_an_empty_line_takes_nothing_away(tmp_path):
    """As when the tables of two who have read half each are put together."""
    q = QUESTION.label
    lines = [f"Ada,{q},x,2,good,", f"Bob,{q},x,,,", f"Ada,{q},x,,,", f"Bob,{q},x,1,,"]
    entered = written.read(table_of(tmp_path, lines))
    assert [(key[0], entry.points) for key, entry in entered.items()] == [("Ada", 2), ("Bob", 1)]
    assert next(iter(entered.values())).comment == "good"
    with pytest.raises(table.Unusable, match=r"lines 2 and 6: two entries"):
        written.read(table_of(tmp_path, [*lines, f"Ada,{q},x,1,,"]))


def test_columns_of_ones_own_are_kept(tmp_path):
    q = QUESTION.label
    path = table_of(tmp_path, [f"me,Ada,{q},x,2,,"], f"marked by,{HEADS}")
    written.save([row(text="x"), row("Bob", text="y")], written.read(path), tmp_path)
    assert [line["marked by"] for line in lines_of(path)] == ["me", ""]


def test_what_a_spreadsheet_changes_in_a_text_makes_no_other_answer():
    text = "naïve → \N{GREEK SMALL LETTER ALPHA}\nnext  line\n"
    saved = text.replace("\n", "\r\n").encode("cp1252", "replace").decode("cp1252")
    entered = {("Ada", "", QUESTION.label): Entry(2.0, "", saved)}
    ada = row(text=text)
    written.add([ada], entered)
    assert ada.points(1) == 4
    assert ada.notes == []


@pytest.mark.parametrize("points", ["3", "-1", "nan", "inf", "two", "=1"])
def test_points_that_are_none_are_an_error_with_its_line(tmp_path, points):
    path = tmp_path / "written.csv"
    table.save(path, written.HEAD, [["Ada", QUESTION.label, "x", points, "", ""]])
    with pytest.raises(table.Unusable, match=r"written\.csv, line 2: "):
        written.read(path)


@pytest.mark.parametrize("source", ["<img src=x>" * 10_000, "=" * 99_000, "\n=1" * 30_000])
def test_a_written_answer_is_cut_and_carries_no_markup_and_no_formula(tmp_path, source):
    (text,) = words.texts_in(answered(lambda t: [below(t, source)]), QUESTION.chapter).values()
    written.save([row(text=text)], {}, tmp_path)
    kept = lines_of(tmp_path / "written.csv")[0]["text"]
    assert 16_000 < len(kept) < 32_767
    assert not re.search(r"(^|\n)=", kept)
    assert "<img" not in (tmp_path / "written.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("source", ["\ud800", "\x1b[2J", "\u202eevil", "\0"])
def test_a_written_answer_can_be_written_whatever_it_has(tmp_path, source):
    notebook = answered(lambda t: [below(t, f"a{source}b")])
    (text,) = words.texts_in(notebook, QUESTION.chapter).values()
    written.save([row(text=text)], {}, tmp_path)
    assert lines_of(tmp_path / "written.csv")[0]["text"].startswith("a�")
    assert "a�" in (tmp_path / "written.html").read_text(encoding="utf-8")


# --- what an instructor makes of the exercises ----------------------------------------------------


def test_the_weights_in_the_guide_are_some(tmp_path):
    guide = (COURSE / "solutions" / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    (tmp_path / "weights.toml").write_text(example, encoding="utf-8")
    counts = weights.read(tmp_path / "weights.toml")
    assert counts.factors == {"remember_first": 0, "build_forecaster": 2}
    assert "rnn_shapes" in counts.bonus


def test_weights_leave_out_weigh_and_make_a_bonus(tmp_path):
    path = tmp_path / "weights.toml"
    path.write_text('bonus = ["●●●", "rnn_shapes"]\n[weights]\nrnn_step = 2.5\nrnn_forward = 0\n')
    counts = weights.read(path)
    marks = [Mark(n, "", 2, 2, "passed", "") for n in ("rnn_step", "rnn_forward", "rnn_shapes")]
    ada = Row("Ada", "", {1: marks})
    counts.apply([ada])
    assert ada.points(1) == 7
    assert [mark.exercise for mark in ada.marks[1] if mark.bonus] == ["rnn_shapes"]
    of_one = {e.name: e for e in catalogue.chapters()[1]}
    hard = sum(e.points for e in of_one.values() if e.difficulty == 3)
    all_points = sum(e.points for e in of_one.values())
    assert of_one["rnn_shapes"].difficulty < 3
    assert counts.possible(1) == all_points - hard - of_one["rnn_shapes"].points + 1
    assert "as a bonus" in pages.page_of(ada)
    grades.write_grades([ada], [1], tmp_path / "grades.csv", counts)
    (line,) = lines_of(tmp_path / "grades.csv")
    assert line["1.rnn_step (5)"] == "5"
    assert not any("rnn_forward" in head for head in line)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[weights]\nrnn_stepp = 1", "there is no exercise 'rnn_stepp'. Is rnn_step meant?"),
        ("[weights]\nrnn_step = -1", "the weight of rnn_step is -1; it is 0 to 100"),
        ("[weights]\nrnn_step = nan", "the weight of rnn_step is nan"),
        ("[weights]\nrnn_step = true", "the weight of rnn_step is True"),
        ("[weights]\nrnn_step = '1'", "the weight of rnn_step is '1'"),
        ("bonus = 3", "`bonus` is a list of names"),
        ("bonus = [3]", "there is no exercise 3"),
        ("wieghts = 1", "has 'wieghts'; there can be"),
        ("[weights", "is no TOML"),
    ],
)
def test_weights_that_are_none_are_told(tmp_path, text, words):
    path = tmp_path / "weights.toml"
    path.write_text(text)
    with pytest.raises(table.Unusable, match=re.escape(words)):
        weights.read(path)


# --- the rest -------------------------------------------------------------------------------------


def test_what_has_changed_since_last_time_is_listed(tmp_path):
    assert changes.since_last([row()], tmp_path) == []
    changes.save([row(), row("Bob")], tmp_path)
    assert changes.since_last([row(points=0), row("Bob"), row("New")], tmp_path) == [
        "Ada: 1.rnn_step 2 → 0"
    ]
    (tmp_path / changes.LAST).write_text("{")
    assert changes.since_last([row()], tmp_path) == []


def test_feedback_goes_back_under_the_names_it_came_by(tmp_path):
    files = [
        "Ada_7_assignsubmission_file_/a.ipynb",
        "Bob_8_assignsubmission_file_b.ipynb",
        "lovelaceada_LATE_815_99_a.ipynb",
        "Eve/a.ipynb",
    ]
    for name in files:
        path = tmp_path / "class" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    rows = []
    for found in places.find(tmp_path / "class"):
        rows.append(Row(found.student, found.number))
        rows[-1].arrive(found)
    made = {}
    for path in archives.save(rows, tmp_path):
        with zipfile.ZipFile(path) as archive:
            made[path.name] = archive.namelist()
    assert made == {
        "moodle-feedback.zip": [
            "Ada_7_assignsubmission_file_/feedback.html",
            "Bob_8_assignsubmission_file_/feedback.html",
        ],
        "canvas-feedback.zip": ["lovelaceada_LATE_815_99_feedback.html"],
    }
    assert names.sender_of(made["canvas-feedback.zip"][0]).number == "815"
    assert [r.student for r in rows if r.late] == ["lovelaceada"]
    grades.write_grades(rows, [1], tmp_path / "grades.csv")
    assert {line["late"] for line in lines_of(tmp_path / "grades.csv")} == {"", "late"}


def test_the_summary_tells_the_distribution_and_what_was_not_read():
    rows = [row(points=points) for points in (0, 1, 2, 2)]
    rows[0].leave_out("a.ipynb: Code cell 3 was left out.")
    rows[1].failed = {2: "b.ipynb: The grader failed."}
    text = summary.summary_of(rows)
    assert "1.2 ± 0.8 of 2" in text
    assert 'aria-label="1, 0, 1, 0, 2 of 4' in text
    assert "Ada: a.ipynb: Code cell 3 was left out." in text
    assert "Ada: chapter 2: not graded: b.ipynb" in text


def test_a_page_shows_the_code_beside_its_card_and_escapes_all():
    hostile = "</code><script>alert(1)</script>"
    mark = Mark("rnn_step", hostile, 0, 2, "wrong", hostile, code=hostile)
    text = pages.page_of(Row(hostile, "", {1: [mark]}, notes=[hostile]))
    assert "<script" not in text
    assert text.count("&lt;script&gt;") == 6
    assert "default-src &#39;none&#39;" in text or "default-src 'none'" in text


def test_the_account_is_kept_for_programs(tmp_path):
    from solutions.grading.reports.account import FAILED, Account

    ada = row()
    ada.failed = {2: "a.ipynb: The grader failed."}
    account = Account([ada], 1, tmp_path)
    account.save()
    kept = json.loads((tmp_path / "report.json").read_text())
    assert kept["failed"] == ["Ada: chapter 2: a.ipynb: The grader failed."]
    assert kept["status"] == account.status == FAILED
