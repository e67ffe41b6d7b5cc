"""Applies ten defects to a copy of the repository, one after the other: each must turn tests red.

    python tests/defects.py             all of them; some minutes
    python tests/defects.py wall stub   those with these words in their names

First the same tests run on the undamaged copy, and must be green. Needs what the tests need, a
browser and a sandbox included: a test that is skipped sees nothing.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

COURSE = Path(__file__).parents[1]


def replaced(old: str, new: str) -> Callable[[str], str]:
    """Return a function that replaces the only place of `old` in a text."""

    def change(text: str) -> str:
        assert text.count(old) == 1, f"{text.count(old)} times: {old}"
        return text.replace(old, new)

    return change


def without_a_caption(text: str) -> str:
    """Return a notebook, the output below its first picture taken away."""
    notebook = json.loads(text)
    outputs = (cell.get("outputs", []) for cell in notebook["cells"])
    for found in outputs:
        for number, output in enumerate(found):
            if "image/png" in output.get("data", {}):
                del found[number + 1]
                return json.dumps(notebook)
    raise AssertionError("no picture")


class Defect(NamedTuple):
    """A change to one file, the tests that are run, and which of them has to fail."""

    name: str
    path: str
    change: Callable[[str], str]
    tests: list[str]
    fails: str


CHAPTER = "solutions/01_rnn_basics.ipynb"
STEP = "helpers/exercises/chapter_01/rnn_step.py"
STUBBED = '"stub" for outcome in outcomes):\n        return '
DEFECTS = [
    Defect(
        "a changed stored output",
        CHAPTER,
        replaced('"0.905\\n"', '"0.906\\n"'),
        [CHAPTER],
        CHAPTER,
    ),
    Defect(
        "a wrong answer that passes",
        STEP,
        replaced('"b_h": normal(rng, H)', '"b_h": normal(rng, H) * 0'),
        ["tests/test_mistakes.py", "-k", "rnn_step"],
        "test_every_mistake_gets_its_own_message[rnn_step]",
    ),
    Defect(
        "a right answer that is refused",
        STEP,
        replaced("points=2", "points=2, tolerance=1e-12"),
        ["tests/test_exercises.py", "-k", "variant and rnn_step"],
        "test_variant_passes[rnn_step-",
    ),
    Defect(
        "a stub that passes",
        "helpers/exercises/judging.py",
        replaced(
            f"{STUBBED}not_attempted(exercise)", f'{STUBBED}Result(exercise, "passed", "", share=1)'
        ),
        ["tests/test_exercises.py", "-k", "stub and rnn_step"],
        "test_stub_is_not_attempted[rnn_step]",
    ),
    Defect(
        "a stale student copy",
        CHAPTER,
        replaced("make a state by hand, out of two", "make some state by hand, out of two"),
        ["tests/test_release.py"],
        "test_student_copies_are_in_step_with_the_solutions",
    ),
    Defect(
        "the wall to the network",
        "solutions/grading/walls.py",
        replaced('"--unshare-net",\n', ""),
        ["tests/test_walls.py", "-k", "network"],
        "test_wall_network",
    ),
    Defect(
        "the wall to the grader's environment",
        "solutions/grading/walls.py",
        replaced('{"PATH": os.environ.get("PATH", os.defpath)}', "dict(os.environ)"),
        ["tests/test_walls.py", "-k", "environment"],
        "test_wall_environment",
    ),
    Defect(
        "a figure without a caption",
        CHAPTER,
        without_a_caption,
        ["tests/test_notebooks.py", "-k", "caption"],
        "test_figures_have_their_caption[solutions/01_rnn_basics]",
    ),
    Defect(
        "a dead reference in the text",
        CHAPTER,
        replaced("Section 1.4 has both", "Section 1.97 has both"),
        ["tests/test_references.py", "-k", "sections"],
        "test_sections_and_equations_that_are_named_exist[solutions/01_rnn_basics]",
    ),
    Defect(
        "a broken widget in the browser",
        "helpers/plotting.py",
        replaced('slider.observe(redraw, names="value")', "pass"),
        ["tests/test_browser.py", "-k", "half_way and 01_"],
        "test_a_student_half_way",
    ),
]


def failed(course: Path, tests: list[str], *settings: str) -> list[str]:
    """Run some tests of a copy; return the names of those that failed."""
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider", *settings]
    own = {"PYTHONPATH": str(course), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, *tests], cwd=course, env=os.environ | own, capture_output=True, text=True
    )
    if done.returncode not in (0, 1) or "skipped" in done.stdout.splitlines()[-1]:
        sys.exit(f"{' '.join(tests)}: not run as it should be\n{done.stdout}{done.stderr}")
    return re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", done.stdout, flags=re.MULTILINE)


def main(words: list[str]) -> None:
    chosen = [defect for defect in DEFECTS if all(word in defect.name for word in words)]
    listed = subprocess.run(["git", "ls-files"], cwd=COURSE, capture_output=True, text=True)
    unseen = 0
    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder) / "course"
        for name in listed.stdout.splitlines():
            (course / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(COURSE / name, course / name)
        for defect in chosen:
            path = course / defect.path
            whole = path.read_text(encoding="utf-8")
            if before := failed(course, defect.tests, "-n", "0"):
                sys.exit(f"red without any defect: {before}")
            path.write_text(defect.change(whole), encoding="utf-8")
            found = failed(course, defect.tests, "-n", "0")
            path.write_text(whole, encoding="utf-8")
            red = [name for name in found if defect.fails in name]
            unseen += not red
            print(f"{'red  ' if red else 'GREEN'}  {defect.name}: {', '.join(red)}", flush=True)
    sys.exit(f"{unseen} of {len(chosen)} defects were not seen" if unseen else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
