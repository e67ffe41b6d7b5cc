"""What the texts point at exists: files, headings, sections, equations, figures' modules."""

import re
from pathlib import Path

import pytest

from helpers.environment import COURSE
from tests import chapters

PAGES = [COURSE / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES.append(COURSE / "solutions" / "README.md")
NOTEBOOKS = [*chapters.NOTEBOOKS, *chapters.SOLUTIONS]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SECTION = re.compile(r"[Ss]ections? ((?:\d\.\d+(?:, | and | to )?)+)")
EQUATION = re.compile(r"\bequations? \(?(\d\.\d+)\)?|\beq\. (\d\.\d+)")


def markdown(path: Path) -> str:
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    cells = chapters.read(path).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def everything(path: Path) -> str:
    return "\n\n".join(cell.source for cell in chapters.read(path).cells)


def anchors(text: str) -> set[str]:
    """Return the anchors of a text's headings, as a web page of it would have them."""
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", [*PAGES, *NOTEBOOKS], ids=lambda p: f"{p.parent.name}/{p.name}")
def test_links_lead_somewhere(path):
    text = re.sub(r"```.*?```", "", markdown(path), flags=re.DOTALL)
    for target in LINK.findall(text):
        if target.startswith("https://"):
            continue
        assert not target.startswith("http:"), target
        file, _, anchor = target.partition("#")
        there = path.parent / file if file else path
        assert there.exists(), target
        assert not anchor or anchor in anchors(markdown(there)), target


SECTIONS = {
    number
    for path in chapters.SOLUTIONS
    for number in re.findall(r"^## (\d\.\d+) ", markdown(path), flags=re.MULTILINE)
}
TAGGED = {
    number for p in chapters.SOLUTIONS for number in re.findall(r"\\tag\{(\S+)\}", markdown(p))
}
HELPERS = sorted((COURSE / "helpers").rglob("*.py"))


@pytest.mark.parametrize(
    "path", [*chapters.SOLUTIONS, *HELPERS], ids=lambda p: f"{p.parent.name}/{p.stem}"
)
def test_sections_and_equations_that_are_named_exist(path):
    text = everything(path) if path.suffix == ".ipynb" else path.read_text(encoding="utf-8")
    named = {number for found in SECTION.findall(text) for number in re.findall(r"\d\.\d+", found)}
    assert named <= SECTIONS, named - SECTIONS
    equations = {first or second for first, second in EQUATION.findall(text)}
    assert equations <= TAGGED, equations - TAGGED


@pytest.mark.parametrize("path", chapters.SOLUTIONS, ids=lambda p: p.stem)
def test_equations_are_numbered_in_order(path):
    numbers = re.findall(r"\\tag\{(\d)\.(\d+)\}", markdown(path))
    assert numbers == [(path.name[1], str(n)) for n in range(1, len(numbers) + 1)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_no_output_shows_where_it_was_made(path):
    for cell in chapters.read(path).cells:
        assert not re.search(r"/(tmp|root|home|work|Users)/", str(cell.get("outputs", ""))), cell.id
