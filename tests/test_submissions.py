"""Reading a folder of submissions: names of every kind, files of no kind, and reasons."""

import json
import os
import zipfile

import pytest

from helpers.environment import COURSE
from solutions.grading import batch
from solutions.grading.arrivals import places, reading, recognising
from solutions.grading.arrivals.reading import Cell, Unreadable
from solutions.grading.reports.rows import UNKNOWN

STUDENT = sorted((COURSE / "notebooks").glob("*.ipynb"))
HANDED_OUT, SOLVED = reading.edition("notebooks"), reading.edition("solutions")


def notebook(*cells):
    return json.dumps({"cells": [{"cell_type": "code", **cell} for cell in cells]})


def test_a_missing_and_an_empty_folder_are_explained(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        places.find(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"holds no submission\. Expected is a folder per student"):
        places.find(tmp_path)


def test_a_notebook_is_read_as_its_code_cells(tmp_path):
    path = tmp_path / "a.ipynb"
    markdown = {"cell_type": "markdown", "source": "# text"}
    path.write_text(notebook({"id": "one", "source": ["x = 1\n", "x"]}, {"source": "y"}, markdown))
    assert reading.read(path).code == [Cell("one", "x = 1\nx"), Cell("", "y")]
    assert [cell.source for cell in reading.read(path).texts] == ["# text"]


def zip_bomb():
    """Return an archive of a few kilobytes that would unpack to a hundred megabytes."""
    import io

    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("01_rnn_basics.ipynb", b"0" * 10**8)
    return raw.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"<!DOCTYPE html><html>Sign in</html>", "web page"),
        (b"\n<html lang='de'>Anmelden", "web page"),
        (b"%PDF-1.7", "a PDF"),
        (b"\x89PNG\r\n", "a picture"),
        ('{"cells": [], "title": "Übung"}'.encode("cp1252"), "not UTF-8"),
        (b"My laptop broke.", "no JSON"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b'{"cells": [{"cell_type": "code", "sour', "no JSON"),
        (b"[" * 200_000, "no JSON"),
        (zip_bomb(), "a zip archive"),
        (b"[]", "no cells"),
        (b"{}", "no cells"),
        (b'{"cells": 5}', "no cells"),
        (b'{"cells": []}', "no cells"),
        (b" " * (21 * 2**20), "no notebook"),
        (notebook({"source": "x" * (21 * 2**20)}).encode(), "Even without its outputs"),
    ],
    ids=range(18),
)
def test_what_is_no_notebook_has_a_reason(tmp_path, content, reason):
    path = tmp_path / "a.ipynb"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=reason):
        reading.read(path)


@pytest.mark.parametrize(
    ("cell", "note"),
    [
        ({"source": 5}, "its source is no text"),
        ({"source": ["x", 5]}, "its source is no text"),
        ({"source": "x" * 150_000}, "it has 150000 characters"),
    ],
    ids=range(3),
)
def test_a_cell_that_cannot_be_read_is_left_out_alone(tmp_path, cell, note):
    path = tmp_path / "a.ipynb"
    path.write_text(notebook({"id": "one", "source": "1"}, cell, {"id": "two", "source": "2"}))
    read = reading.read(path)
    assert read.code == [Cell("one", "1"), Cell("", ""), Cell("two", "2")]
    assert read.notes == [f"Code cell 2 was left out: {note}."]


def test_all_sources_together_have_a_limit_and_so_have_cells(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text(notebook(*[{"source": "x" * 90_000}] * 20))
    assert sum(len(cell.source) for cell in reading.read(path).code) <= reading.LARGEST_SOURCE
    path.write_text(notebook(*[{"source": "x"}] * 1001))
    read = reading.read(path)
    assert len(read.code) == reading.MOST_CELLS
    assert "first 1000 code cells" in read.notes[0]


def test_outputs_never_count(tmp_path):
    path = tmp_path / "a.ipynb"
    output = {"output_type": "stream", "name": "stdout", "text": "x" * (5 * 2**20)}
    path.write_text(notebook(*[{"id": "a", "source": "1", "outputs": [output]}] * 5))
    assert reading.read(path).code == [Cell("a", "1")] * 5


def test_text_with_a_byte_order_mark_or_of_two_bytes_is_read(tmp_path):
    path = tmp_path / "a.ipynb"
    for encoding in ("utf-8-sig", "utf-16"):
        path.write_text(notebook({"source": "größe = 1"}), encoding=encoding)
        assert reading.read(path).code == [Cell("", "größe = 1")]


def test_links_folders_and_pipes_are_not_followed(tmp_path):
    secret = tmp_path / "secret.ipynb"
    secret.write_text(notebook({"source": "1"}))
    (tmp_path / "link.ipynb").symlink_to(secret)
    (tmp_path / "up.ipynb").symlink_to("../../../etc/passwd")
    (tmp_path / "folder.ipynb").mkdir()
    os.mkfifo(tmp_path / "pipe.ipynb")
    for name in ("link.ipynb", "up.ipynb", "folder.ipynb", "pipe.ipynb", "missing.ipynb"):
        with pytest.raises(
            Unreadable, match=r"cannot be opened|not an ordinary file|No notebook lies|a link"
        ):
            reading.read(tmp_path / name)


@pytest.mark.parametrize("chapter", SOLVED)
@pytest.mark.parametrize("parts", [1, 2])
def test_a_chapter_is_known_if_its_cells_are_put_together(chapter, parts):
    sources = [cell.source for cell in SOLVED[chapter]]
    half = -(-len(sources) // parts)
    merged = [Cell("", "\n\n".join(sources[n : n + half])) for n in range(0, len(sources), half)]
    assert len(merged) == parts
    assert recognising.chapters_of(merged, HANDED_OUT) == [chapter]


def test_two_chapters_in_one_notebook_are_two():
    both = [*SOLVED[2], *SOLVED[1]]
    assert sorted(recognising.chapters_of(both, HANDED_OUT)) == [1, 2]


@pytest.mark.parametrize(
    "source",
    [
        *[f"x = 0x{'f' * 4000}", f"x = {{0x{'_f' * 40_000}: 1}}", "x = 1" + " + 1" * 30_000],
        *["\ud800", "def rnn_step():\n 0\n" * 5000, "(" * 90_000, "#" * 99_000],
    ],
    ids=range(7),
)
def test_no_cell_ends_the_reading_of_a_class(tmp_path, source):
    cells_of_it = [{"cell_type": "code", "source": c.source} for c in HANDED_OUT[1]]
    content = {"cells": [*cells_of_it, {"cell_type": "code", "source": source}]}
    (tmp_path / "Ada").mkdir()
    (tmp_path / "Ada" / "a.ipynb").write_text(json.dumps(content))
    (row,), (arrival,) = batch.arrived(places.find(tmp_path))
    assert (arrival.chapter, row.failed) == (1, {})


def test_what_the_reader_did_not_expect_is_no_grade_and_stops_nobody(tmp_path, monkeypatch, capsys):
    for student in ("Ada", "Eve"):
        (tmp_path / student).mkdir()
        (tmp_path / student / "a.ipynb").write_text(json.dumps({"cells": [{}]}))

    def read(submission):
        raise ZeroDivisionError("at a secret place")

    monkeypatch.setattr(batch, "read", read)
    rows, arrivals = batch.arrived(places.find(tmp_path))
    assert arrivals == []
    assert [row.failed for row in rows] == [{UNKNOWN: f"a.ipynb: {batch.UNREAD}"}] * 2
    assert capsys.readouterr().err.count("at a secret place") == 2


def test_a_chapter_is_known_by_its_cells_not_by_its_name():
    for chapter, cells in HANDED_OUT.items():
        assert recognising.chapters_of(cells, HANDED_OUT) == [chapter]
        half = max(len(cells) // 2, recognising.FEWEST_KNOWN)
        assert recognising.chapters_of(cells[:half][::-1], HANDED_OUT) == [chapter]
    with pytest.raises(Unreadable, match="not a notebook of this course"):
        recognising.chapters_of([Cell("mine", "x")] * 5, HANDED_OUT)
