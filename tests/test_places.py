"""Finding submissions: names of every platform, folders, archives, and what is none of them."""

import io
import json
import os
import zipfile
from pathlib import Path

import pytest

from solutions.grading import batch
from solutions.grading.arrivals import names, places, reading, zips
from solutions.grading.reports import archives

NOTEBOOK = json.dumps({"cells": [{"cell_type": "code", "id": "a", "source": "1"}]})


def lay(folder, *files):
    """Write notebooks under these names."""
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(NOTEBOOK)


def archive(**files):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return raw.getvalue()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Grace Hopper_4711_assignsubmission_file_", ("Grace Hopper", "4711", "moodle", "")),
        ("Émilie du Châtelet_12_assignsubmission_file", ("Émilie du Châtelet", "12", "moodle", "")),
        ("Ada_L_12_assignsubmission_file_a.ipynb", ("Ada_L", "12", "moodle", "a.ipynb")),
        ("Group A_17_assignsubmission_file_", ("Group A", "17", "moodle", "")),
        ("Default group_assignsubmission_file_", ("Default group", "", "moodle", "")),
        ("noetheremmy_815_90210_01_rnn.ipynb", ("noetheremmy", "815", "canvas", "01_rnn.ipynb")),
        ("noether_emmy_815_9_a_1_2.ipynb", ("noether_emmy", "815", "canvas", "a_1_2.ipynb")),
        ("noetheremmy_815_9_a.ipynb.txt", ("noetheremmy", "815", "canvas", "a.ipynb.txt")),
        ("noetheremmy_815_9_all.zip", ("noetheremmy", "815", "canvas", "all.zip")),
        ("anon_815_9_a.ipynb", ("anonymous 815", "815", "canvas", "a.ipynb")),
    ],
)
def test_names_of_platforms_are_read(name, expected):
    assert names.sender_of(name)[:4] == expected


@pytest.mark.parametrize("name", ["noetheremmy_LATE_815_9_a.ipynb", "LATE_anon_815_9_a.ipynb"])
def test_what_is_late_is_known(name):
    assert names.sender_of(name).late
    assert not names.sender_of(name.replace("LATE_", "")).late


@pytest.mark.parametrize("name", ["Ada Lovelace", "01_rnn_basics.ipynb", "a.ipynb", "_1_", "𝒜"])
def test_other_names_are_of_no_platform(name):
    assert names.sender_of(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "Ada_7_assignsubmission_onlinetext_/onlinetext.html",
        "Ada_7_assignsubmission_onlinetext_onlinetext.html",
        "lovelaceada_7_text.html",
        "lovelaceada_7_link.html",
    ],
)
def test_what_was_typed_in_is_a_row_that_says_so(tmp_path, name):
    lay(tmp_path, name)
    (found,) = places.find(tmp_path)
    assert found.number == "7"
    with pytest.raises(reading.Unreadable, match=r"typed in|a link was handed in"):
        batch.read(found)


def test_files_of_one_student_are_found_wherever_they_lie(tmp_path):
    lay(
        tmp_path,
        *("Ada/a.ipynb", "Ada/more/b.ipynb", "Ada/__MACOSX/c.ipynb", "Ada/.ipynb_checkpoints/d"),
        *("Ada/Thumbs.db", "Ada/desktop.ini", "Bob/c.ipynb", "Thumbs.db", "grades.csv"),
        *("lovelace_1_2_a.ipynb", "lovelace_1_3_b.ipynb", "lovelace_1_4_c.png"),
    )
    (tmp_path / "Eve").mkdir()
    by_student = {}
    for found in places.find(tmp_path):
        by_student.setdefault(found.student, []).append(found.name)
    assert by_student == {
        "Ada": ["a.ipynb", "b.ipynb"],
        "Bob": ["c.ipynb"],
        "Eve": ["Eve"],
        "lovelace": ["lovelace_1_2_a.ipynb", "lovelace_1_3_b.ipynb", "lovelace_1_4_c.png"],
    }


def test_one_folder_around_the_class_is_no_student(tmp_path):
    lay(tmp_path, "class/Ada/a.ipynb", "class/Bob/a.ipynb", "class/.DS_Store")
    assert [found.student for found in places.find(tmp_path)] == ["Ada", "Bob"]


def test_one_student_with_a_folder_is_a_student(tmp_path):
    lay(tmp_path, "Ada/chapter 1/a.ipynb")
    assert [(found.student, found.name) for found in places.find(tmp_path)] == [("Ada", "a.ipynb")]


ADA, BOB = "Ada_1_assignsubmission_file_", "Bob_2_assignsubmission_file_"


@pytest.mark.parametrize(
    ("files", "students"),
    [
        ([f"A/{ADA}/a.ipynb", f"B/{BOB}/a.ipynb", "B/Eve_3_assignsubmission_file_/a.ipynb"], 3),
        ([f"class/{ADA}/a.ipynb", f"class/{BOB}/a.ipynb", "notes.txt"], 3),  # the notes say why
        (["class/ada_1_10_a.ipynb", "class/bob_2_11_a.ipynb"], 2),
        (["class/Ada/a.ipynb", "class/Bob/a.ipynb", "points.xlsx"], 3),
    ],
    ids=range(4),
)
def test_folders_of_a_class_are_no_students(tmp_path, files, students):
    lay(tmp_path, *files)
    assert len({found.who for found in places.find(tmp_path)}) == students


@pytest.mark.parametrize("beside", [[], ["class/ada_1_10_a.ipynb", "class/bob_2_11_a.ipynb"]])
def test_the_download_of_a_class_is_to_be_unpacked(tmp_path, beside):
    lay(tmp_path, *beside)
    inside = {"ada_1_10_a.ipynb": NOTEBOOK, "bob_2_11_a.ipynb": NOTEBOOK}
    (tmp_path / "submissions.zip").write_bytes(archive(**inside))
    with pytest.raises(ValueError, match=r"submissions\.zip is the download of a class: unpack it"):
        places.find(tmp_path)
    with pytest.raises(ValueError, match="is the download of a class"):
        places.find(tmp_path / "submissions.zip")


@pytest.mark.parametrize(
    "name",
    [
        *["Bob_2_assignsubmission_file_x.ipynb", "anon_1_2_x.ipynb", "rnn_2024_12_03.ipynb"],
        *["hw_LATE_1_2_x.ipynb", "LATE_anon_3_4_x.ipynb"],
    ],
)
@pytest.mark.parametrize("folder", [ADA, "Ada"])
def test_what_a_student_has_named_says_nothing_of_who_it_is(tmp_path, folder, name):
    lay(tmp_path, f"{folder}/{name}")
    (found,) = places.find(tmp_path)
    assert found.student == "Ada"
    assert found.number == ("1" if folder == ADA else "")
    (row,), _ = batch.arrived([found])
    assert not row.late
    assert not row.anonymous
    written = archives.save([row], tmp_path)
    assert [path.name for path in written] == ["moodle-feedback.zip"] * (folder == ADA)
    for path in written:
        assert zipfile.ZipFile(path).namelist() == [f"{ADA}/feedback.html"]


@pytest.mark.parametrize(
    "names",
    [
        ["hw_12_34_a.ipynb", "notes_5_6_b.ipynb"],
        ["Bob_2_assignsubmission_file_/a.ipynb", "Zoe_3_assignsubmission_file_/a.ipynb"],
    ],
)
def test_no_student_makes_others_of_a_folder(tmp_path, names):
    lay(tmp_path, *(f"Eve/{name}" for name in names), "Ada/a.ipynb")
    assert {(found.student, found.number) for found in places.find(tmp_path)} == {
        *[("Ada", ""), ("Eve", "")]
    }


def test_a_date_is_no_student_of_canvas(tmp_path):
    lay(tmp_path, "2024_11_03_lovelace.ipynb", "2024_11_03_hopper.ipynb")
    assert len({found.who for found in places.find(tmp_path)}) == 2


def test_a_text_beside_a_file_is_of_the_same_student(tmp_path):
    lay(tmp_path, f"{ADA}/a.ipynb", "Ada_1_assignsubmission_onlinetext_/onlinetext.html")
    (row,), _ = batch.arrived(places.find(tmp_path))
    (path,) = archives.save([row], tmp_path)
    assert zipfile.ZipFile(path).namelist() == [f"{ADA}/feedback.html"]


def test_notebooks_are_looked_at_before_all_else_and_some_folders_down(tmp_path):
    lay(tmp_path, *(f"Ada/{n}.png" for n in range(30)), "Ada/a.ipynb", "Ada/b/c/d.ipynb")
    (tmp_path / "Ada" / "z.zip").write_bytes(archive(**{"e.ipynb": NOTEBOOK}))
    names = [found.name for found in places.find(tmp_path)]
    assert names[:3] == ["a.ipynb", "d.ipynb", "e.ipynb"]


def test_a_folder_that_may_not_be_looked_into_stops_nobody(tmp_path, monkeypatch):
    lay(tmp_path, "Ada/a.ipynb", "Eve/closed/a.ipynb")
    inside = Path.iterdir

    def iterdir(path):
        if path.name == "closed":
            raise PermissionError
        return inside(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert [found.student for found in places.find(tmp_path)] == ["Ada", "Eve"]


def test_a_single_file_is_a_submission(tmp_path):
    lay(tmp_path, "Ada.ipynb")
    (found,) = places.find(tmp_path / "Ada.ipynb")
    assert (found.student, batch.read(found).code[0].source) == ("Ada", "1")


def test_two_whose_names_look_alike_are_two(tmp_path):
    for name in (b"\xff", b"\xfe"):
        folder = tmp_path / os.fsdecode(name)
        lay(folder, "a.ipynb")
    one, other = places.find(tmp_path)
    assert one.student == other.student
    assert one.who != other.who


def test_an_archive_is_read(tmp_path):
    inside = {"deep/a.ipynb": NOTEBOOK, "__MACOSX/._a.ipynb": "x", "read me.txt": "x"}
    (tmp_path / "Ada").mkdir()
    (tmp_path / "Ada" / "all.zip").write_bytes(archive(**inside))
    (found,) = places.find(tmp_path)
    assert found.name == "deep/a.ipynb"
    assert batch.read(found).code == [reading.Cell("a", "1")]


def encrypted():
    """Return an archive whose only member claims to be encrypted."""
    raw = bytearray(archive(**{"a.ipynb": NOTEBOOK}))
    for beginning, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(beginning) + place] |= 1
    return bytes(raw)


def linked():
    """Return an archive whose only member is a link."""
    raw, info = io.BytesIO(), zipfile.ZipInfo("a.ipynb")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(raw, "w") as packed:
        packed.writestr(info, "/etc/passwd")
    return raw.getvalue()


def beyond():
    """Return an archive whose directory is said to begin later than it does."""
    raw = bytearray(archive(**{"a.ipynb": NOTEBOOK}))
    place = raw.rindex(b"PK\x05\x06") + 16
    raw[place : place + 4] = (int.from_bytes(raw[place : place + 4], "little") + 1000).to_bytes(
        4, "little"
    )
    return bytes(raw)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04 cut off", "a zip archive"),
        (archive(**{"a.ipynb": NOTEBOOK})[:-30], "a zip archive"),
        (archive(**{"read me.txt": "x"}), "a zip archive"),
        (archive(**{"a.ipynb": b"0" * 10**8}), "more than 20 MiB"),
        (archive(**{"a.ipynb": archive(**{"a.ipynb": NOTEBOOK})}), "a zip archive"),
        (encrypted(), "asks for a password"),
        (linked(), "a zip archive"),
        (archive(**{f"{n}.ipynb": "" for n in range(20_000)}), "a zip archive"),
        (beyond(), "in an archive that is damaged"),
        (archive(**{"inner.zip": archive(**{"a.ipynb": NOTEBOOK})}), "a zip archive"),
    ],
    ids=range(10),
)
def test_an_archive_that_is_none_has_a_reason(tmp_path, content, reason):
    (tmp_path / "Ada.zip").write_bytes(content)
    (found,) = places.find(tmp_path)
    with pytest.raises(reading.Unreadable, match=reason):
        batch.read(found)


def test_a_notebook_is_found_behind_many_pictures(tmp_path):
    inside = {f"{n:03}.png": b"" for n in range(250)} | {"a.ipynb": NOTEBOOK, "b.zip": b"x"}
    (tmp_path / "Ada.zip").write_bytes(archive(**inside))
    assert [found.name for found in places.find(tmp_path)] == ["a.ipynb", "b.zip"]


def test_an_archive_of_many_is_looked_through_so_far(tmp_path):
    path = tmp_path / "Ada.zip"
    path.write_bytes(archive(**{f"{n:04}.ipynb": NOTEBOOK for n in range(300)}))
    assert len(zips.members(path)) == zips.MOST_MEMBERS
    found = places.find(tmp_path)
    assert len(found) == places.MOST_FILES
    assert found[0].left_out == zips.MOST_MEMBERS - places.MOST_FILES
