"""What grading keeps in its folder survives what happens to folders."""

import errno
import tempfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from solutions.grading import store

pytest.importorskip("fcntl", reason="submissions are not graded on Windows")


def seed_of(out, given=None):
    with store.opened(out, given) as kept:
        return kept.seed


def test_a_run_that_was_broken_off_keeps_its_seed_and_one_that_has_ended_does_not(tmp_path):
    first = seed_of(tmp_path)
    assert (tmp_path / "seed.txt").read_text().split() == [str(first)]
    with store.opened(tmp_path, None) as kept:
        assert kept.seed == first
        kept.put("key", {"marks": [], "notes": []})
        kept.finish()
    with store.opened(tmp_path, None) as kept:
        assert kept.seed != first
        assert kept.get("key")["seed"] == first  # what has been graded stays so
    assert seed_of(tmp_path, given=7) == 7


def test_a_seed_that_is_asked_for_is_the_one_of_every_result(tmp_path):
    with store.opened(tmp_path, 1) as kept:
        kept.put("key", {"marks": [], "notes": []})
        assert kept.get("key")
    with store.opened(tmp_path, 2) as kept:
        assert kept.get("key") is None


@pytest.mark.parametrize("text", ["", "x\n", "1.5", "½", "\0" * 9, "-"])
def test_a_damaged_seed_is_drawn_anew(tmp_path, text):
    (tmp_path / "seed.txt").write_text(text, encoding="utf-8")
    assert seed_of(tmp_path) >= 0
    assert int((tmp_path / "seed.txt").read_text()) >= 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"marks": []}',
        '{"seed": 1}',
        '{"seed": 1, "marks": 2, "notes": 3}',
        "[1]",
        "null",
        "[" * 10**5,
        "\udcff",
    ],
)
def test_a_damaged_result_is_none(tmp_path, text):
    with store.opened(tmp_path, None) as kept:
        raw = text.encode("utf-8", "surrogateescape")
        (tmp_path / "results" / "key.json").write_bytes(raw)
        assert kept.get("key") is None
        assert kept.get("no such key") is None


def test_a_second_run_is_told_to_wait(tmp_path):
    second = pytest.raises(store.Unusable, match="Another run is grading into")
    with store.opened(tmp_path, None), second:
        seed_of(tmp_path)
    assert seed_of(tmp_path) >= 0


def test_what_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(store.Unusable, match=r"cannot be written: .*file.*--out"):
        seed_of(tmp_path / "file")
    with pytest.raises(store.Unusable, match="cannot be written"):
        seed_of(tmp_path / "file" / "grades")
    (tmp_path / "results").write_text("")
    with pytest.raises(store.Unusable, match="results"):
        seed_of(tmp_path)


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    with store.opened(tmp_path, 1) as kept:
        kept.put("key", {"marks": [1], "notes": []})

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path))

    monkeypatch.setattr(tempfile, "mkstemp", full)
    with pytest.raises(store.Unusable, match="No space left on device"):
        seed_of(tmp_path, 1)
    monkeypatch.undo()
    with store.opened(tmp_path, None) as kept:
        assert kept.seed == 1
        assert kept.get("key") == {"marks": [1], "notes": [], "seed": 1}


def test_many_who_write_one_result_leave_one_and_no_rest(tmp_path):
    with store.opened(tmp_path, 1) as kept:
        (kept.folder / ".left.unfinished").write_text("")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: kept.put("key", {"marks": [n], "notes": []}), range(400)))
        assert len(kept.get("key")["marks"]) == 1
    seed_of(tmp_path)
    assert [path.name for path in kept.folder.iterdir()] == ["key.json"]
