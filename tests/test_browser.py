"""Every notebook in a real JupyterLab, as a reader meets it: run, moved, saved, opened again.

Needs Playwright (`pip install -e ".[browser]"`) and a Chromium on the PATH.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest

from helpers.environment import COURSE
from tests import chapters, handout

playwright = pytest.importorskip(
    "playwright.sync_api", reason='Playwright is missing: pip install -e ".[browser]"'
)
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is missing: apt-get install chromium"),
]

LONGEST = 600  # seconds of any wait: a machine may be slow and busy, but no wait is for ever
SCREENSHOTS = os.environ.get("COURSE_SCREENSHOTS")  # a folder to look through, for people
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

SESSION_IS_READY = """() => {
  const session = window.jupyterapp.shell.currentWidget?.context?.sessionContext;
  return session?.isReady && session.session?.kernel?.status === "idle";
}"""
# Playwright's `evaluate` waits for a promise without a limit, so no promise is handed to it.
START = """([name, settings]) => {
  window.ended = null;
  window.jupyterapp.commands.execute(name, settings).then(
    () => { window.ended = ""; }, error => { window.ended = String(error); });
}"""
CLOSE_EVERYTHING = """() => {
  for (const widget of [...window.jupyterapp.shell.widgets("main")]) widget.dispose();
  window.ended = null;
  window.jupyterapp.serviceManager.sessions.shutdownAll().then(
    () => { window.ended = ""; }, error => { window.ended = String(error); });
}"""
# What JupyterLab says when a kernel is ended of which it has just asked something.
OF_CLOSING = "Canceled future for"
STATE = """() => {
  const cells = [...window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells]
    .filter(cell => cell.cell_type === "code");
  const outputs = cells.flatMap(cell => cell.getOutputs());
  return {
    last: cells.findLast(cell => cell.execution_count !== null)?.source,
    run: cells.every(cell => cell.execution_count !== null),
    errors: outputs.filter(o => o.output_type === "error").map(o => o.evalue),
    pictures: outputs.filter(o => o.data?.["image/png"]).length,
  };
}"""
# At an error the cells below are not run.
ENDED = f"() => {{ const state = ({STATE})(); return state.run || state.errors.length > 0; }}"
# Go on from the first cell that was not run.
GO_ON = """() => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  notebook.activeCellIndex = notebook.widgets.findIndex(
    cell => cell.model.type === "code" && cell.model.executionCount === null);
  window.jupyterapp.commands.execute("notebook:run-all-below");
}"""
PICTURES = """() => [...document.querySelectorAll(".jp-Notebook .jp-OutputArea img")]
  .map(img => [img.naturalWidth, img.naturalHeight, img.src.includes("svg+xml")])"""
# Whole pictures: two that differ may be equally long.
SHOWN = """() => [...document.querySelectorAll(".jp-Notebook .jp-OutputArea img")]
  .map(img => img.src).join()"""
DRAWN = """() => [...window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells]
  .filter(cell => cell.cell_type === "code").flatMap(cell => cell.getOutputs())
  .map(output => output.data?.["image/png"]).filter(Boolean)"""
# Whether the field beside each slider has a name that is read out.
FIELDS = """() => [...document.querySelectorAll(".jp-Notebook .widget-text input[type=number]")]
  .map(field => Boolean(field.labels[0]?.textContent.trim()))"""
UNHEARD = """() => [...document.querySelectorAll(".jp-Notebook .jp-OutputArea img")]
  .filter(image => image.src.includes("svg+xml") && !image.alt).length"""
# The kernel works through its requests in order: when this one is done, so are those before it.
CATCH_UP = """() => {
  window.ended = null;
  const session = window.jupyterapp.shell.currentWidget.context.sessionContext.session;
  session.kernel.requestExecute({code: "", silent: true}).done.then(
    () => { window.ended = ""; }, error => { window.ended = String(error); });
}"""


class Server(NamedTuple):
    address: str
    course: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory, cut_short):
    """A JupyterLab on a hand-out, with trainings cut short; yields address and folder."""
    course = tmp_path_factory.mktemp("a hand-out with spaces, ü and ⟂")
    handout.lay_out(course)
    only_notebooks = shutil.ignore_patterns("*.py", "grading", "__pycache__")
    shutil.copytree(COURSE / "solutions", course / "solutions", ignore=only_notebooks)
    settings = course / ".settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    every_cell_is_drawn = '{"windowingMode": "none"}'
    (settings / "tracker.jupyterlab-settings").write_text(every_cell_is_drawn, encoding="utf-8")
    log = (course / ".log").open("w", encoding="utf-8")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            *("--ServerApp.root_dir=.", "--ServerApp.port=0", "--IdentityProvider.token="),
            *("--LabApp.expose_app_in_browser=True", "notebooks/01_rnn_basics.ipynb"),
        ],
        cwd=course,
        env=os.environ
        | cut_short
        | {
            "JUPYTERLAB_SETTINGS_DIR": str(course / ".settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(course / ".workspaces"),  # else other workers write it
            "PYTHONPATH": str(course),
        },
        stdout=log,
        stderr=log,
    )
    yield Server(_address(Path(log.name), process), course)
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):  # seen: all is done, and a thread waits
        process.wait(timeout=30)
    process.kill()
    process.wait(timeout=LONGEST)


def _address(log: Path, process: subprocess.Popen) -> str:
    for _ in range(LONGEST * 2):
        found = re.search(
            r"(http://(?:localhost|127\.0\.0\.1):\d+)/lab", log.read_text(encoding="utf-8")
        )
        if found:
            return found[1]
        assert process.poll() is None, log.read_text(encoding="utf-8")
        time.sleep(0.5)
    pytest.fail(log.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def pages():
    """The page that the next test goes on with, if the last one left it in order."""
    return []


@pytest.fixture
def page(browser, server, pages, request):
    """JupyterLab with nothing open."""

    def note(problem):
        if OF_CLOSING not in problem:
            page.problems.append(problem)

    if not pages:
        pages.append(browser.new_page(viewport={"width": 1280, "height": 900}))
        pages[0].on("console", lambda m: m.type == "error" and note(m.text))
        pages[0].on("pageerror", lambda error: note(str(error)))
        pages[0].goto(f"{server.address}/lab?reset", timeout=LONGEST * 1000)
    (page,) = pages
    page.problems = []
    page.set_default_timeout(LONGEST * 1000)
    wait_until(page, "() => window.jupyterapp?.shell.currentWidget")
    close_everything(page)
    failed = request.session.testsfailed
    yield page
    if request.session.testsfailed > failed:
        pages.clear()
        page.close()


def wait_until(page, condition, **settings):
    """Ask the page for a condition ten times a second, and not with each frame that it draws."""
    page.wait_for_function(condition, polling=100, **settings)


def close_everything(page):
    """Close what is open, and end its kernels."""
    page.evaluate(CLOSE_EVERYTHING)
    wait_until_it_ended(page, "closing everything")


def open_notebook(page, path):
    command(page, "docmanager:open", path=path.as_posix())
    wait_until(page, SESSION_IS_READY)


def command(page, name, **settings):
    """Have JupyterLab do something, and wait until it is done, but not for ever."""
    page.evaluate(START, [name, settings])
    wait_until_it_ended(page, name)


def wait_until_it_ended(page, name):
    wait_until(page, "() => window.ended !== null")
    assert page.evaluate("() => window.ended") == "", name


def run_all(page, server):
    """Run every cell. Where JupyterLab stands still, report what is seen, and go on once."""
    page.evaluate(START, ["notebook:run-all-cells", {}])
    try:
        wait_until(page, ENDED)
    except playwright.TimeoutError:
        warnings.warn(stall(page, server), stacklevel=2)
        page.evaluate(GO_ON)
        wait_until(page, ENDED, timeout=LONGEST * 1000)
    wait_until(page, SESSION_IS_READY)


def stall(page, server):
    """Return a report of a run that came to no end: the last cell, a screenshot, and the log."""
    shown = server.course / "stalled.png"
    page.screenshot(path=shown)
    log = (server.course / ".log").read_text(encoding="utf-8")[-2000:]
    return f"stalled after {page.evaluate(STATE)['last']!r}; see {shown}\n{log}"


def picture(page, name):
    """Store what the reader sees, if a folder for it was named."""
    if SCREENSHOTS:
        height = page.evaluate(
            "() => document.querySelector('.jp-WindowedPanel-outer').scrollHeight"
        )
        page.set_viewport_size({"width": 1280, "height": min(height + 200, 16_000)})
        page.evaluate("() => { document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0 }")
        page.wait_for_timeout(1500)
        page.screenshot(path=f"{SCREENSHOTS}/{name}.png")
        page.set_viewport_size({"width": 1280, "height": 900})


def read_through(page, server, path):
    """Run a notebook, move its sliders and save it; fail where a reader would stumble.

    path: relative to the course
    """
    open_notebook(page, path)
    assert page.locator(".jp-DirListing-item").count() > 0
    run_all(page, server)
    state = page.evaluate(STATE)
    assert state["errors"] == []
    assert "Error displaying widget" not in page.locator(".jp-Notebook").inner_text()
    for width, height, is_drawing in page.evaluate(PICTURES):
        assert width >= 600
        assert height >= (150 if is_drawing else 300)
    assert len(page.evaluate(PICTURES)) == state["pictures"], "a picture that is not stored"
    moved = page.locator(".jp-Notebook .widget-slider, .jp-Notebook .widget-dropdown")
    asked = sum(cell.source.count("explore(") for cell in chapters.read(server.course / path).cells)
    assert moved.count() >= asked, "a slider that is not drawn"
    every_slider_redraws(page)
    assert page.evaluate(UNHEARD) == 0, "a drawing without a text for readers who do not see it"
    picture(page, f"{path.parent.name}-{path.stem}")
    assert page.problems == []
    command(page, "docmanager:save")


def read_as_stored(page, server, path):
    """Open a notebook that was saved; what it stores must be seen, without a kernel's help."""
    stored = pictures_of(chapters.read(server.course / path))
    open_notebook(page, path)
    assert page.evaluate(STATE)["pictures"] == len(page.evaluate(PICTURES)) == stored > 0
    asleep = page.locator('[data-mime-type="application/vnd.jupyter.widget-view+json"]')
    for i in range(asleep.count()):
        assert asleep.nth(i).evaluate("node => getComputedStyle(node).fontSize") == "0px"


def pictures_of(notebook):
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return sum("image/png" in output.get("data", {}) for output in outputs)


def every_slider_redraws(page):
    """Move each slider with one key press; the picture must be another than before."""
    handles = page.locator(".jp-Notebook .widget-slider .noUi-handle")
    for i in range(handles.count()):
        with another_picture(page):
            handles.nth(i).focus()
            handles.nth(i).press("ArrowRight")
    assert page.evaluate(FIELDS) == [True] * handles.count(), "a slider without a named number"
    selects = page.locator(".jp-Notebook .widget-dropdown select")
    for i in range(selects.count()):
        with another_picture(page):
            selects.nth(i).select_option(
                index=selects.nth(i).evaluate("s => (s.selectedIndex + 1) % s.length")
            )


@contextlib.contextmanager
def another_picture(page):
    """Fail unless the kernel draws another picture, and the page then shows it."""
    drawn = page.evaluate(DRAWN)
    page.evaluate(f"() => {{ window.shownBefore = ({SHOWN})(); }}")
    yield
    page.evaluate(CATCH_UP)
    wait_until_it_ended(page, "the kernel's answer")
    assert page.evaluate(DRAWN) != drawn, "a slider that redraws nothing"
    wait_until(page, f"() => ({SHOWN})() !== window.shownBefore")


def run_cell(page, index):
    page.evaluate(
        "i => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = i; }", index
    )
    command(page, "notebook:run-cell")


@pytest.mark.notebook
@pytest.mark.parametrize("path", chapters.NOTEBOOKS, ids=lambda p: p.stem)
def test_a_student_half_way_runs_a_chapter_and_runs_again_what_is_below_an_answer(
    page, server, path
):
    """Some exercises right, some wrong, some raise, some are open: nobody is held up by that."""
    notebook = chapters.read(path)
    fillings = handout.filled(notebook)
    asked = nbformat.v4.new_code_cell("import helpers; helpers.__file__")
    notebook.cells.append(asked)
    there = server.course / "notebooks" / path.name
    nbformat.write(notebook, there)
    read_through(page, server, there.relative_to(server.course))
    first = chapters.read(there)
    assert str(server.course) in chapters.words(first.cells[-1])[1][0]
    for name, filling in fillings.items():
        card = handout.card_of(first, name)
        assert card[0] in handout.SIGNS[filling], f"{name}: {card}"
    assert pictures_of(first) == page.evaluate(STATE)["pictures"]

    again = handout.demonstrations(first)
    for index in again:
        run_cell(page, index)
    command(page, "docmanager:save")
    second = chapters.read(there)
    for index in again:
        assert second.cells[index].execution_count > first.cells[index].execution_count
        assert chapters.words(second.cells[index]) == chapters.words(first.cells[index])


def test_a_student_comes_back_another_day(page, pages, server):
    """JupyterLab looks for the model of a slider whose kernel is gone, and says so, at some time.

    The reader sees what the style sheet writes in its place. The page goes, lest a later test hears
    of it.
    """
    path = Path("notebooks/another day.ipynb")
    notebook = chapters.read(chapters.NOTEBOOKS[0])
    notebook.cells = [
        nbformat.v4.new_code_cell("from helpers import environment; environment.check()")
    ]
    nbformat.write(notebook, server.course / path)
    read_through(page, server, path)
    close_everything(page)
    read_as_stored(page, server, path)
    pages.clear()
    page.close()


@pytest.mark.parametrize("path", chapters.SOLUTIONS, ids=lambda p: p.stem)
def test_an_instructor_reads_a_solution_as_it_is_stored(page, server, path):
    read_as_stored(page, server, path.relative_to(COURSE))
    assert page.problems == []
    text = page.locator(".jp-Notebook").inner_text()
    assert text.count("✓ passed") == len(chapters.exercise_cells(chapters.read(path)))


def test_a_run_that_stands_still_is_reported_and_goes_on(page, server, monkeypatch):
    """A cell that takes longer than the wait looks the same as one that never ends."""
    go = server.course / "go on"
    notebook = chapters.read(chapters.NOTEBOOKS[0])
    waits = f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.1)"
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in ("1", waits, "3")]
    nbformat.write(notebook, server.course / "notebooks" / "slow.ipynb")
    open_notebook(page, Path("notebooks/slow.ipynb"))
    page.set_default_timeout(8000)
    report = stall
    monkeypatch.setattr(sys.modules[__name__], "stall", lambda *a: (report(*a), go.touch())[0])
    with pytest.warns(UserWarning, match="stalled after"):
        run_all(page, server)
    assert (server.course / "stalled.png").exists()


WITHOUT_TANH = """def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    return x_t @ W_xh + h_prev @ W_hh + b_h"""
WRITE = """([id, source]) => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  const index = notebook.widgets.findIndex(cell => cell.model.id === id);
  notebook.widgets[index].model.sharedModel.setSource(source);
  notebook.activeCellIndex = index + 2;  // below the check
}"""


def test_a_wrong_answer_gets_the_card_of_its_mistake(page, server):
    open_notebook(page, Path("notebooks/01_rnn_basics.ipynb"))
    page.evaluate(WRITE, ["rnn-step", WITHOUT_TANH])
    command(page, "notebook:run-all-above")
    card = page.get_by_text("This is the state before tanh: squash the whole sum.")
    card.wait_for()
    if SCREENSHOTS:
        below = page.locator(".jp-Notebook-cell").filter(has=card)
        below.scroll_into_view_if_needed()
        page.wait_for_timeout(1000)
        above = page.locator(".jp-Notebook-cell").filter(has_text="x_t @ W_xh + h_prev").last
        first, last = above.bounding_box(), below.bounding_box()
        height = last["y"] + last["height"] - first["y"] - 8  # above the next cell's frame
        page.screenshot(path=f"{SCREENSHOTS}/card.png", clip=first | {"height": height})


SET_UP = "%matplotlib inline\nimport ipywidgets, matplotlib.pyplot as plt"
PLANTED = {
    "division by zero": "1 / 0",
    "a slider that redraws nothing": f"""{SET_UP}
plt.figure(figsize=(8, 5)); plt.plot([1])
ipywidgets.IntSlider()""",
    "a picture that is not stored": f"""{SET_UP}
@ipywidgets.interact(k=(0, 5))
def draw(k=1):
    plt.figure(figsize=(8, 5)); plt.plot([k, 2]); plt.show()""",
}


@pytest.mark.parametrize("complaint", PLANTED)
def test_what_is_planted_is_found(page, server, complaint):
    notebook = chapters.read(chapters.NOTEBOOKS[0])
    notebook.cells = [nbformat.v4.new_code_cell(PLANTED[complaint])]
    path = Path("notebooks") / f"{complaint}.ipynb"
    nbformat.write(notebook, server.course / path)
    with pytest.raises((AssertionError, pytest.fail.Exception), match=complaint):
        read_through(page, server, path)
