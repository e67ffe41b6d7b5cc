"""Points of each chapter's solution, in the forms in which notebooks arrive.

Jupyter's server, jupytext (to a script and to Markdown, and back), nbstripout and nbconvert run
here, the last three in an environment of their own; the others are imitated (tests/forms.py says by
what).
"""

import json
import subprocess
import tempfile
import venv
from pathlib import Path

import nbformat
from jupyter_server.services.contents import filemanager

from helpers.environment import COURSE
from helpers.exercises import catalogue
from solutions.grading import single, walls
from solutions.grading.arrivals import reading, recognising
from tests import chapters, forms
from tests.benchmarks.machine import table

TOOLS = ["jupytext==1.17.3", "nbstripout==0.8.1", "nbconvert==7.17.2"]


def main():
    with tempfile.TemporaryDirectory() as folder, walls.stage(COURSE) as staged:
        tools = Tools(Path(folder))
        kinds = [*forms.FORMS, *(getattr(tools, name) for name in tools.NAMES)]
        columns = "form | " + " | ".join(f"chapter {n}" for n in catalogue.chapters())
        with table("points, of all that there are", columns) as row:
            for form in kinds:
                row(form.__name__, *(earned(path, form, staged) for path in chapters.SOLUTIONS))


def earned(path, form, staged):
    """Return the points of a solution in a form, and those that it can have."""
    notebook = json.loads(nbformat.writes(chapters.read(path)))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    read = reading.parsed(json.dumps(form(notebook)).encode())
    handed_out = reading.edition("notebooks")
    (chapter,) = recognising.chapters_of(read.code, handed_out)
    code = recognising.named(read.code, handed_out[chapter])
    graded = single.grade(code, chapter, staged=staged)
    possible = sum(exercise.points for exercise in catalogue.chapters()[int(path.name[:2])])
    return f"{sum(mark.points for mark in graded.marks):g} of {possible}"


class Tools:
    """Tools that change notebooks, in a virtual environment of their own."""

    NAMES = "jupyter_server", "jupytext_script", "jupytext_markdown", "nbstripout"
    NAMES += ("nbconvert_cleared",)

    def __init__(self, folder: Path):
        self.folder = folder
        venv.create(folder / "venv", with_pip=True)
        self.scripts = folder / "venv/bin"
        install = [self.scripts / "python", "-m", "pip", "install", "--quiet", *TOOLS]
        subprocess.run(install, check=True, stderr=subprocess.DEVNULL)

    def jupyter_server(self, notebook):
        """Return a notebook as the server writes it to which JupyterLab sends what it saves."""
        server = filemanager.FileContentsManager(root_dir=str(self.folder))
        server.save({"type": "notebook", "format": "json", "content": notebook}, "b.ipynb")
        return json.loads((self.folder / "b.ipynb").read_text(encoding="utf-8"))

    def jupytext_script(self, notebook):
        return self._through(notebook, "py:percent")

    def jupytext_markdown(self, notebook):
        return self._through(notebook, "md")

    def nbstripout(self, notebook):
        return self._changed(notebook, "nbstripout", "a.ipynb")

    def nbconvert_cleared(self, notebook):
        return self._changed(
            notebook, "jupyter-nbconvert", "--clear-output", "--inplace", "a.ipynb"
        )

    def _through(self, notebook, form):
        """Return a notebook that was another format for a while, and nothing else."""
        other = f"b.{form.split(':')[0]}"
        there = ["--to", form, "--output", other, "a.ipynb"]
        back = ["--to", "ipynb", "--from", form, "--output", "a.ipynb", other]
        return self._changed(self._changed(notebook, "jupytext", *there), "jupytext", *back)

    def _changed(self, notebook, command, *arguments):
        path = self.folder / "a.ipynb"
        path.write_text(json.dumps(notebook), encoding="utf-8")
        subprocess.run(
            [self.scripts / command, *arguments], cwd=self.folder, check=True, capture_output=True
        )
        return json.loads(path.read_text(encoding="utf-8"))
