"""Says whether this machine can run the course, and what to do if it cannot.

    python -m helpers.environment

In a notebook `from helpers import environment; environment.check()` also shows a slider to try. The
first cell of every chapter calls `require`. It must get as far as that on a Python that is too old,
so this file keeps to what Python 3.8 can read.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

COURSE = Path(__file__).parents[1]
OLDEST, NEWEST = (3, 11), (3, 14)
OLDEST_TORCH = (2, 6)
FREE_DISK = 0.5  # GB: a chapter's outputs and checkpoints
INSTALL = "Install what the course was tested with: python -m pip install -r requirements.txt"


@dataclass(frozen=True)
class Finding:
    """One line of the report. remedy: what to do if ok is False, else a remark or nothing."""

    ok: bool
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        sign = "✓" if self.ok else "✗"
        return f"{sign} {self.what}" + (f"\n    {self.remedy}" if self.remedy else "")


def findings() -> Iterator[Finding]:
    """Yield a finding for each thing that a newcomer's installation may lack."""
    looks: tuple[Callable, ...] = (
        python,
        packages,
        torch_learns,
        accelerator,
        kernel,
        widgets,
        fonts,
        disk,
    )
    for look in looks:
        try:
            yield from look()
        except ModuleNotFoundError as error:
            yield Finding(False, f"the package {error.name} is missing", INSTALL)
        except Exception as error:
            yield Finding(False, f"{look.__name__}: {type(error).__name__}: {error}", INSTALL)


def python(version: tuple[int, int] = sys.version_info[:2]) -> Iterator[Finding]:
    """Yield whether this Python is one that the course was tested with."""
    tested = ".".join(map(str, OLDEST)), ".".join(map(str, NEWEST))
    remedy = f"Make the environment with Python {tested[0]} to {tested[1]}; README.md says how."
    fits = OLDEST <= version <= NEWEST
    yield Finding(fits, f"Python {platform.python_version()}", "" if fits else remedy)


def pins() -> dict[str, str]:
    """Return package -> the version in requirements.txt."""
    text = (COURSE / "requirements.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w-]+)==([\w.]+)", text, flags=re.MULTILINE))


def packages(wanted: dict[str, str] | None = None) -> Iterator[Finding]:
    """Yield the packages whose version is not the pinned one, or say that all are right."""
    wanted, wrong = wanted or pins(), []
    for name, version in wanted.items():
        try:
            found = importlib.metadata.version(name).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{name} is missing")
            continue
        if found != version:
            wrong.append(f"{name} {found}, not {version}")
    if wrong:
        yield Finding(False, "packages: " + "; ".join(wrong), INSTALL)
    else:
        yield Finding(True, f"{len(wanted)} packages in the versions of requirements.txt")


def torch_learns() -> Iterator[Finding]:
    """Yield whether an LSTM runs forwards and backwards."""
    import torch

    lstm = torch.nn.LSTM(3, 4)
    lstm(torch.ones(5, 2, 3))[0].sum().backward()
    works = all(p.grad.isfinite().all() for p in lstm.parameters())
    threads = f"{torch.get_num_threads()} threads"
    yield Finding(works, f"torch {torch.__version__} trains an LSTM, with {threads}")


def accelerator() -> Iterator[Finding]:
    """Yield where the GPU is; the course needs none."""
    import torch

    if not torch.accelerator.is_available():
        yield Finding(True, "no GPU: the course needs none")
        return
    device = torch.accelerator.current_accelerator()
    torch.ones(2, device=device).sum().item()
    yield Finding(True, f"a GPU that torch can use: {device}. Only section 5.8 asks for it")


def kernel() -> Iterator[Finding]:
    """Yield whether notebooks run on this Python, and so find the course."""
    from jupyter_client.kernelspec import KernelSpecManager

    start = KernelSpecManager().get_kernel_spec("python3").argv[0]
    this = {"python", "python3", f"python3.{sys.version_info.minor}"}  # Jupyter's words for it
    same = start in this or Path(start).parent == Path(sys.executable).parent
    remedy = (
        f"The kernel “Python 3” is {start}, this is {sys.executable}. Start JupyterLab with "
        "`python -m jupyterlab` from the course's environment."
    )
    yield Finding(same, "notebooks run on this Python", "" if same else remedy)


def widgets(prefix: Path = Path(sys.prefix)) -> Iterator[Finding]:
    """Yield whether JupyterLab has the part of ipywidgets that draws sliders."""
    folder = prefix / "share/jupyter/labextensions/@jupyter-widgets/jupyterlab-manager"
    if not (folder / "package.json").exists():
        remedy = "python -m pip install --force-reinstall jupyterlab_widgets; reload the browser."
        yield Finding(False, f"sliders: JupyterLab finds nothing in {folder}", remedy)
        return
    yield Finding(True, "sliders: ipywidgets is where JupyterLab looks for it")


def fonts(family: str = "DejaVu Sans") -> Iterator[Finding]:
    """Yield whether the figures' font is there, which has the symbols of their labels."""
    import matplotlib
    from matplotlib import font_manager

    try:
        font_manager.findfont(family, fallback_to_default=False)
    except ValueError:
        folder = matplotlib.get_cachedir()
        remedy = f"matplotlib brings it; its list of fonts is stale. Delete the folder {folder}."
        yield Finding(False, f"the figures' font, {family}, is missing", remedy)
        return
    yield Finding(True, f"the figures' font, {family}")


def disk(folder: Path = COURSE, least: float = FREE_DISK) -> Iterator[Finding]:
    """Yield whether there is room for notebooks, and whether they can be saved."""
    free = shutil.disk_usage(folder).free / 1e9
    if free < least:
        yield Finding(False, f"{free:.1f} GB free on the disk", f"Free {least} GB.")
    else:
        yield Finding(True, f"{free:.1f} GB free on the disk")
    notebooks = folder / "notebooks"
    try:
        with tempfile.TemporaryFile(dir=notebooks):
            pass
    except OSError as error:
        remedy = "Copy the course to a folder of your own: what you write there will be saved."
        yield Finding(False, f"{notebooks} cannot be written: {error.strerror}", remedy)


def require() -> None:
    """Raise ImportError, in one sentence with the remedy, where a chapter cannot begin."""
    kernel = "choose the kernel of the course's own environment, which README.md says how to make."
    if sys.version_info[:2] < OLDEST:
        needed, found = ".".join(map(str, OLDEST)), platform.python_version()
        raise ImportError(f"This needs Python {needed} or newer, and runs on {found}: {kernel}")
    try:
        import torch
    except ModuleNotFoundError:
        raise ImportError(f"This needs torch, which is missing here: {kernel}") from None
    if tuple(map(int, re.findall(r"\d+", torch.__version__)[:2])) < OLDEST_TORCH:
        needed = ".".join(map(str, OLDEST_TORCH))
        raise ImportError(
            f"This needs torch {needed} or newer, and finds {torch.__version__}: update torch, or "
            f"{kernel}"
        )


def check() -> bool:
    """Print every finding and, in a notebook, show a slider; return whether all is well."""
    well = True
    for finding in findings():
        well &= finding.ok
        print(finding, flush=True)
    print("All is well." if well else "The course may not run until what is marked ✗ is mended.")
    with contextlib.suppress(ImportError):  # what is missing has been named
        _slider_to_try()
    return well


def _slider_to_try() -> None:
    """Show a slider, if this is a notebook."""
    from IPython import get_ipython

    if hasattr(get_ipython(), "kernel"):
        from helpers.plotting import explore

        explore(_power, k=(1, 5, 1))


def _power(k: int = 2):
    from helpers.plotting import lines

    fig = lines({f"k = {k}": [x**k for x in range(10)]}, x_label="x", y_label="x to the power of k")
    return fig, f"Move the slider: the curve follows, and so does this number: {k}."


if __name__ == "__main__":
    sys.exit(not check())
