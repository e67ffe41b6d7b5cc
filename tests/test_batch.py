"""Who grades a class, and what happens to what could not be graded the first time."""

import contextlib
import errno

import pytest
from joblib.externals.loky.process_executor import TerminatedWorkerError

from helpers.environment import COURSE
from solutions.grading import batch, pool, samples
from solutions.grading.arrivals import places
from solutions.grading.pool import Task, Workers
from solutions.grading.store import Store

FINE = {"marks": [], "notes": [], "again": False, "failed": ""}
LATE = FINE | {"again": True}


@pytest.fixture
def graded(monkeypatch):
    """Return (what happens to each task, try by try) -> the results, and which ran together."""

    def results(happens):
        rounds, tried = [], dict.fromkeys(happens, 0)

        def run(tasks):
            rounds.append([task.key for task in tasks])
            for task in tasks:
                number, tried[task.key] = tried[task.key], tried[task.key] + 1
                event = happens[task.key][number]
                if event == "killed":
                    raise TerminatedWorkerError
                yield task.key, event

        monkeypatch.setattr(pool, "_pool", lambda _: contextlib.nullcontext(run))
        tasks = [Task(key, [], 1, 0, 0, True, ()) for key in happens]
        return dict(pool.results(tasks, Workers())), rounds

    return results


def test_what_was_stopped_for_time_is_done_again_alone_at_the_end(graded):
    results, rounds = graded({"a": [LATE, FINE], "b": [FINE], "c": [LATE, LATE]})
    assert results == {"a": FINE, "b": FINE, "c": LATE}
    assert rounds == [["a", "b", "c"], ["a"], ["c"]]


def test_a_killed_worker_costs_the_others_nothing(graded):
    results, rounds = graded({"a": [FINE], "b": ["killed", FINE], "c": [FINE], "d": [FINE]})
    assert results == dict.fromkeys("abcd", FINE)
    assert rounds == [["a", "b", "c", "d"], ["b"], ["c"], ["d"]]


def test_who_kills_every_worker_is_not_graded(graded):
    results, _ = graded({"a": ["killed", "killed"], "b": [FINE]})
    assert results["b"] == FINE
    assert "killed, twice" in results["a"]["failed"]


def test_what_is_not_graded_is_no_zero_and_tried_again(monkeypatch, tmp_path):
    samples.write(COURSE, tmp_path / "samples")
    found = [s for s in places.find(tmp_path / "samples") if s.student == "solved"]
    failure = pool.failure("The disk is full.")
    for outcome in (failure, FINE):
        monkeypatch.setattr(
            pool, "results", lambda tasks, _, o=outcome: [(task.key, o) for task in tasks]
        )
        (row,) = batch.grade_class(found, Store(tmp_path / "grades"), Workers())
        assert bool(row.failed) == (outcome is failure)
        assert row.points(1) == (None if outcome is failure else 0)


def test_a_student_who_is_not_there_is_no_reason_to_grade_nobody(tmp_path):
    samples.write(COURSE, tmp_path / "samples")
    found, store = places.find(tmp_path / "samples"), Store(tmp_path / "grades")
    with pytest.raises(pool.Refused, match=r"Nobody is called 'sloved' here.*: solved"):
        batch.grade_class(found, store, Workers(), batch.Wanted(student="sloved"))


def test_a_full_disk_of_the_grader_is_no_grade_and_names_no_place(monkeypatch, capsys, tmp_path):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device", "/tmp/a-secret-place")

    monkeypatch.setattr(pool.walls, "stage", full)
    key, result = pool.grade_one(Task("k", [], 1, 0, 0, True, ()))
    assert key == "k"
    assert result["failed"] == pool.FAILED
    assert "secret" not in result["failed"]
    assert "secret" in result["words"]  # which the terminal alone is told


def test_what_the_grader_cannot_read_itself_is_not_graded(monkeypatch, tmp_path):
    lay = tmp_path / "Ada"
    lay.mkdir()
    (lay / "a.ipynb").write_text("{}")

    def broken(_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(batch.reading, "read", broken)
    (row,), arrivals = batch.arrived(places.find(tmp_path))
    assert arrivals == []
    assert row.points() is None
    assert row.remarks() == [f"not graded: a.ipynb: {batch.UNREAD}"]
