"""What belongs to a hand-out, and an archive of it.

The repository without solutions/ and tests/ is complete. A clone is not a hand-out: it has the
solutions in its history.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from helpers.environment import COURSE

VISIBLE = {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff", "LICENSE"}
VISIBLE |= {"requirements.txt", "pyproject.toml", "jupyter_lab_config.py", "helpers", "notebooks"}
HIDDEN = {".jupyter"}  # settings of JupyterLab
MADE_BY_MACHINES = {"__pycache__", ".ipynb_checkpoints", ".DS_Store"}
DATE = (1980, 1, 1, 0, 0, 0)  # the same archive, whenever it is made


def files() -> Iterator[Path]:
    """Yield the files of a hand-out, relative to the course, in order."""
    for name in sorted(VISIBLE | HIDDEN):
        place = COURSE / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            relative = path.relative_to(COURSE)
            if path.is_file() and not MADE_BY_MACHINES & set(relative.parts):
                yield relative


def write(path: Path) -> int:
    """Write the hand-out as an archive with one folder; return how many files it has."""
    names = list(files())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            info = zipfile.ZipInfo(f"{path.stem}/{name.as_posix()}", DATE)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, (COURSE / name).read_bytes())
    return len(names)
