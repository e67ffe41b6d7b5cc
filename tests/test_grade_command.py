"""The grading command as an instructor runs it: reports, the same grades again, going on."""

import contextlib
import csv
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile

import psutil
import pytest

from helpers.environment import COURSE
from helpers.exercises import catalogue
from solutions import grade
from solutions.grading import samples
from solutions.grading.arrivals import places
from solutions.grading.reports.account import UNREACHED
from tests import chapters

LONGEST = 600  # seconds of any wait: a machine may be busy
POINTS = {exercise.name: exercise.points for exercise in catalogue.chapters()[1]}
FULL = sum(POINTS.values())
COMMAND = [sys.executable, str(COURSE / "solutions/grade.py")]
pytestmark = [pytest.mark.sandbox, pytest.mark.usefixtures("sandboxed")]


def run(*arguments):
    environment = os.environ | {"PYTHONPATH": str(COURSE)}
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=3600,
    )


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Grade the sample submissions once; return their folder and the folder of the grades."""
    folder = tmp_path_factory.mktemp("class")
    samples.write(COURSE, folder / "samples")
    done = run(folder / "samples", "--workers", 2)
    assert done.returncode == 0, done.stderr
    return folder / "samples", folder / "grades"


@pytest.fixture
def some(graded, tmp_path):
    """Return a folder with three of the samples, and one for their grades, by the same seed."""
    for student in ("untouched", "without tanh", "no notebook"):
        shutil.copytree(graded[0] / student, tmp_path / "samples" / student)
    (tmp_path / "grades").mkdir()
    (tmp_path / "grades" / "seed.txt").write_text(seed_of(graded))
    return tmp_path / "samples", tmp_path / "grades"


def seed_of(graded):
    return (graded[1] / "seed.txt").read_text().split()[0]


def assert_same(out, before):
    """Compare the rows of those who were graded again, and every mark of theirs."""
    again, first = rows(out), rows(before)
    assert again == {student: first[student] for student in again}
    assert len(again) == 3
    theirs = marks(before)
    assert marks(out) == {name: theirs[name] for name in marks(out)}


def table_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rows(out):
    return {row["student"]: row for row in table_of(out / "grades.csv")}


def of_the_first_half():
    """Return the points of the exercises that stand in the first half of chapter 1's cells."""
    notebook = chapters.read(COURSE / "notebooks" / samples.CHAPTER)
    half = notebook.cells[: len(notebook.cells) // 2]
    answered = chapters.exercise_cells(notebook).items()
    return sum(POINTS[name] for name, cell in answered if cell in half)


def test_samples_get_what_they_are_worth(graded):
    table = rows(graded[1])
    column = next(name for name in table["solved"] if name.startswith("chapter 1"))
    assert {student: row[column] and float(row[column]) for student, row in table.items()} == {
        "solved": FULL,
        "untouched": 0.0,
        "half done": of_the_first_half(),
        "without tanh": FULL - POINTS["rnn_step"],
        "by the module": FULL,
        "harmful": FULL,
        "no notebook": "",
    }
    assert "is no JSON" in table["no notebook"]["remarks"]
    assert "Code cell 1 was left out" in table["harmful"]["remarks"]


def test_every_student_has_a_page_and_the_class_a_summary(graded):
    students = (graded[1] / "students").iterdir()
    pages = {path.name: path.read_text(encoding="utf-8") for path in students}
    assert len(pages) == 7
    assert "tanh" in next(text for name, text in pages.items() if "without tanh" in name)
    summary = (graded[1] / "summary.html").read_text(encoding="utf-8")
    assert "1 × This is the state before <code>tanh</code>" in summary


def test_the_module_in_place_of_the_hand_is_shown_to_the_instructor_and_costs_nothing(graded):
    summary = (graded[1] / "summary.html").read_text(encoding="utf-8")
    flagged = "by the module, <code>rnn_step</code>: calls rnn_tanh_cell, but is to be done without"
    assert summary.count(flagged) == 1
    assert summary.count("<li>") == summary.count("<li>by the module")  # nobody else
    for page in (graded[1] / "students").iterdir():
        assert "done without" not in page.read_text(encoding="utf-8")


def test_broken_off_it_goes_on_and_the_same_seed_gives_the_same_grades(graded, some, tmp_path):
    out, seed = tmp_path / "again", seed_of(graded)
    command = [*COMMAND, str(some[0]), "--out", str(out), "--workers", "1"]
    environment = os.environ | {"PYTHONPATH": str(COURSE)}
    process = subprocess.Popen([*command, "--seed", seed], env=environment, start_new_session=True)
    deadline = time.monotonic() + LONGEST
    while len(list(out.glob("results/*.json"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=LONGEST)
    before = {path: path.stat().st_mtime_ns for path in out.glob("results/*.json")}
    assert len(before) >= 2
    assert run(*command[2:]).returncode == 0  # the seed was kept
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert_same(out, graded[1])


def test_a_worker_that_is_killed_costs_nobody_anything(graded, some):
    command = [*COMMAND, str(some[0]), "--workers", "2"]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(COURSE)})
    kill_a_sandbox_and_its_grader(psutil.Process(process.pid))
    assert process.wait(timeout=LONGEST) == 0
    assert_same(some[1], graded[1])


def kill_a_sandbox_and_its_grader(command):
    """Kill the first worker of a command that has started a sandbox."""
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        for process in command.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                grader = process.parent()
                started = process.name() in ("sh", "bwrap", "setpriv")
                if started and "python" in grader.name() and grader != command:
                    grader.kill()
                    return
        time.sleep(0.01)


def lines_of_the_guide(address):
    """Return the arguments of Python by which the guide starts a scheduler and a worker."""
    guide = (COURSE / "solutions" / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\.venv/bin/python (-m distributed\S+ .*)$", guide, flags=re.MULTILINE)
    assert [line.split()[1][-9:] for line in lines] == ["scheduler", "sk_worker"]
    port = address.rpartition(":")[2]
    return [re.sub(r"tcp:\S+", address, re.sub("8786$", port, line)).split() for line in lines]


@pytest.fixture
def cluster():
    """Start a Dask scheduler and two workers; return the scheduler's address."""
    pytest.importorskip("distributed", reason='needs pip install -e ".[cluster]"')
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
    scheduler, worker = lines_of_the_guide(address)
    started = [
        subprocess.Popen(
            [sys.executable, *command, "--no-dashboard"],
            cwd=COURSE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for command in (scheduler, worker, worker)
    ]
    yield address
    for process in reversed(started):
        process.terminate()
        process.wait(timeout=LONGEST)


def test_a_cluster_of_two_workers_gives_the_same_grades(graded, some, cluster):
    import distributed

    with distributed.Client(cluster, timeout=LONGEST) as client:
        client.wait_for_workers(2, timeout=LONGEST)
    done = run(some[0], "--dask", cluster)
    assert done.returncode == 0, done.stderr
    assert_same(some[1], graded[1])


def marks(out):
    """Return the marks and notes of every graded file, by the name of its result."""
    return {path.name: json.loads(path.read_text()) for path in (out / "results").iterdir()}


TALKS = """
secret = " ".join(["a", "token", "<script>"])
def rnn_step(*_): raise type(secret, (Exception,), {})(secret)
raise ValueError(secret)
"""


def test_a_class_with_hostile_files_gets_its_honest_grades(tmp_path):
    """Files of every harmful kind between two honest students, with two workers."""
    folder = tmp_path / "class"
    name, solved, untouched = (
        samples.CHAPTER,
        (COURSE / "solutions" / samples.CHAPTER).read_text(encoding="utf-8"),
        (COURSE / "notebooks" / samples.CHAPTER).read_text(encoding="utf-8"),
    )

    def hand_in(student, content, file=name):
        (folder / student).mkdir(parents=True, exist_ok=True)
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / student / file).write_bytes(raw)

    def changed(text, change):
        notebook = json.loads(text)
        notebook["cells"] = change([c for c in notebook["cells"] if c["cell_type"] == "code"])
        return json.dumps(notebook)

    hand_in("Ada", solved)
    hand_in("duplicate ids", changed(untouched, lambda c: [cell | {"id": "a"} for cell in c]))
    hand_in("renamed cells", changed(solved, lambda c: [x | {"id": x["id"] + "2"} for x in c]))
    hand_in(
        "deleted cells",
        changed(solved, lambda c: [x for x in c if "def " not in "".join(x["source"])]),
    )
    hand_in("every cell twice", changed(solved, lambda c: c + c))
    hand_in("invalid", "{'cells': []}")
    hand_in("truncated", solved[: len(solved) // 2])
    hand_in("huge", b"[" + b" " * 30 * 2**20 + b"]")
    hand_in("zipped", zipfile_of(b"0" * 10**8))
    hand_in("другой студент 学生", untouched, "Übung é №1.ipynb")
    hand_in("another chapter", (COURSE / "notebooks/02_manual_bptt_sine.ipynb").read_text())
    hand_in("=cmd|' ' <script>", solved)
    hand_in("...", untouched, "..ipynb")
    hand_in("talks", changed(untouched, lambda c: [*c, c[0] | {"id": "t", "source": TALKS}]))
    hand_in("𝒜" * 62, untouched)
    hand_in("x;=HYPERLINK(1)", untouched)
    hand_in("Points Possible", untouched)
    for number in range(30):
        hand_in("many files", "x" * number, f"{number}.txt")
    for student, target in {"link": "../Ada", "link out": "/etc/passwd"}.items():
        (folder / student).mkdir()
        (folder / student / name).symlink_to(f"{target}/{name}" if ".." in target else target)
    (folder / "linked folder").symlink_to(folder / "Ada")
    hand_in("in an archive", zipfile_of(solved, "deep/a.ipynb"), "all.zip")
    hand_in("a bomb", zipfile_of(b" " * 10**8), "all.zip")
    (folder / "a link one level down").mkdir()
    (folder / "a link one level down" / "mine").symlink_to(folder / "Ada")
    in_words = json.loads(untouched)
    asked = next(c for c in in_words["cells"] if c["metadata"].get("question"))
    asked["source"] = "=HYPERLINK(1)\n<script>alert(1)</script>\ud800"
    hand_in("in words", json.dumps(in_words))
    os.mkdir(os.fsencode(folder) + b"/not \xff UTF-8")
    for name_of_one, content in {b"\xff": untouched, b"\xfe": solved}.items():  # shown alike
        hand_in("looks alike", content, os.fsdecode(name_of_one + b".ipynb"))
    (folder / "two files").mkdir()
    for file, content in {"a-1.ipynb": solved, "a.ipynb": untouched}.items():
        hand_in("two files", content, file)
        hand_in("untouched twice", untouched, file)
    (folder / "pipe").mkdir()
    os.mkfifo(folder / "pipe" / name)
    hand_in("zuletzt", solved)
    done = run(folder, "--workers", 2)
    assert done.returncode == 0, done.stderr
    table = rows(tmp_path / "grades")
    column = next(name for name in table["Ada"] if name.startswith("total"))
    points = {student: float(row[column] or 0) for student, row in table.items()}
    full = {"Ada", "zuletzt", "every cell twice", "two files", "'=cmd|' ' <script>"}
    full |= {"in an archive", "renamed cells", "looks alike"}
    assert points == {student: FULL * (student in full) for student in points}
    assert len(points) == len(list(folder.iterdir()))
    assert "another submission of chapter 1; the best counts" in table["two files"]["remarks"]
    assert "ended in a ValueError" in table["talks"]["remarks"]
    graded_to_nothing = {
        "duplicate ids",
        "другой студент 学生",
        "another chapter",
        "untouched twice",
        "in words",
        "𝒜" * 62,
        "x;'=HYPERLINK(1)",
        "Points Possible",
    }
    for student in points.keys() - full - graded_to_nothing:
        assert table[student]["remarks"] or student == "deleted cells", student
    assert table["many files"]["remarks"].count("It is not a notebook") == places.MOST_FILES
    assert "10 more files were not looked at" in table["many files"]["remarks"]
    twice = next((tmp_path / "grades/students").glob("*untouched twice*"))
    assert twice.read_text(encoding="utf-8").count("not attempted") == len(POINTS)
    answer = "'=HYPERLINK(1)\n<script>alert(1)</script>�"
    assert answer in [line["text"] for line in table_of(tmp_path / "grades/written.csv")]
    read = [*(tmp_path / "grades").rglob("*.html"), tmp_path / "grades" / "grades.csv"]
    assert not any("a token" in path.read_text(encoding="utf-8") for path in read)
    assert not any("<script>" in path.read_text(encoding="utf-8") for path in read[:-1])
    assert run(folder, "--words").returncode == 0
    page = next((tmp_path / "grades/students").glob("*talks*")).read_text(encoding="utf-8")
    assert page.count("a token") >= 2
    assert "<script>" not in page


def zipfile_of(content, name=samples.CHAPTER):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return raw.getvalue()


def test_canvas_and_moodle_are_filled(graded, tmp_path):
    canvas, moodle = tmp_path / "canvas.csv", tmp_path / "moodle.csv"
    canvas.write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,Chapter 1 (99)\n"
        f"    Points Possible,,,,,{FULL}\nsolved,1,,s1,A,\nabsent,2,,s2,A,\n"
    )
    moodle.write_text(
        "Identifier,Full name,Grade,Feedback comments\n"
        "Participant 7,without tanh,,\nParticipant 8,absent,,\n"
    )
    done = run(
        *[graded[0], "--out", graded[1], "--chapter", 1, "--canvas", canvas],
        *["--canvas-column", "Chapter 1 (99)", "--moodle", moodle],
    )
    assert done.returncode == UNREACHED, done.stderr
    assert "canvas.csv: 1 students found." in done.stdout
    assert "canvas.csv: the points of 5 reached NOBODY: by the module (" in done.stdout
    assert "canvas.csv: no grade for 1: absent." in done.stdout
    assert json.loads((graded[1] / "report.json").read_text())["status"] == UNREACHED
    filled = (graded[1] / "canvas.csv").read_text()
    assert f"solved,1,,s1,A,{FULL}\n" in filled
    assert "absent,2,,s2,A,\n" in filled
    assert (
        f"Participant 7,without tanh,{FULL - POINTS['rnn_step']},Graded: rnn_step: This is"
        in (graded[1] / "moodle.csv").read_text()
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "There is no folder nowhere"),
        ([], "name the folder with the submissions"),
        (["x", "--canvas", "y"], "--canvas needs --canvas-column"),
        (["x", "--chapter", "9"], "--chapter 9: there are chapters 1 to 6"),
        (["x", "--moodle", "y"], "y cannot be read: No such file"),
    ],
)
def test_what_is_wrong_is_said(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        grade.main(arguments)
    assert words in f"{end.value.code}{capsys.readouterr().err}"
    assert end.value.code not in (None, 0)


def test_without_walls_it_warns_every_time(tmp_path):
    samples.write(COURSE, tmp_path / "samples")
    for folder in (tmp_path / "samples").iterdir():
        if folder.name != "untouched":
            shutil.rmtree(folder)
    done = run(tmp_path / "samples", "--unsafe-no-sandbox", "--workers", 1)
    assert done.returncode == 0
    assert "WARNING: submissions run with your rights" in done.stderr
    assert json.loads(next((tmp_path / "grades/results").glob("*.json")).read_text())["marks"]
