"""The texts that chapter 5 learns from: Python's documentation and source, a file of your own.

Each source returns one string, with "\\n" at the end of a line.
"""

import re
import sysconfig
from pathlib import Path


def python_docs() -> str:
    """Return the documentation of the Python language, without repeated paragraphs.

    It comes with Python (`pydoc_data.topics`), so it differs from version to version: 370 000
    characters in 3.11, 480 000 in 3.14. Many paragraphs stand in several topics; only the first
    copy is kept, since a paragraph both in the training and in the test part would flatter every
    score.
    """
    from pydoc_data.topics import topics

    kept: dict[str, str] = {}
    for name in sorted(topics):
        for paragraph in re.split(r"\n\s*\n", topics[name]):
            # The same words with other line breaks are the same paragraph.
            kept.setdefault(" ".join(paragraph.split()), paragraph.strip("\n"))
    return "\n\n".join(kept.values())


def python_source(at_most: int = 400_000) -> str:
    """Return source code of Python's standard library, its first `at_most` characters.

    From the modules that are one file, in alphabetical order; it differs from version to version.
    """
    folder = Path(sysconfig.get_paths()["stdlib"])
    text = ""
    for path in sorted(folder.glob("[a-z]*.py")):
        if len(text) < at_most:
            text += path.read_text(encoding="utf-8")
    return text[:at_most]


def load_text(source: str, *, at_least: int = 1000, known_hash: str | None = None) -> str:
    """Return the text of a file, or of an address that begins with http:// or https://.

    source      a path, relative to the notebook's folder or absolute, or an address
    at_least    how many characters there must be
    known_hash  of what stands at the address, as "sha256:…": a download that differs is refused

    A download is kept in the user's cache folder, so that a second call needs no network. A byte
    order mark is dropped, and line ends become "\\n".

    Raises FileNotFoundError for a missing file, ConnectionError for an address that cannot be
    reached, ValueError for a file that is empty, too short, not UTF-8 text or not what its hash
    promises.
    """
    if source.startswith(("http://", "https://")):
        path = _download(source, known_hash)
    else:
        path = Path(source).expanduser()
    if not path.is_file():
        what = "is a folder" if path.is_dir() else f"does not exist (looked from {Path.cwd()})"
        raise FileNotFoundError(f"{source} {what}. Give the path of a text file.")
    raw = path.read_bytes()
    if b"\0" in raw:
        raise ValueError(f"{source} is not text: it holds zero bytes. Export it as plain text.")
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{source} is not UTF-8: byte {error.start} is {raw[error.start]:#x}. Save it as UTF-8 "
            "in your editor."
        ) from None
    if len(text) < at_least:
        raise ValueError(
            f"{source} has {len(text)} characters; at least {at_least} are needed. Take a longer "
            "text, or several in one file."
        )
    return text


def _download(address: str, known_hash: str | None) -> Path:
    """Return the cached copy of what stands at `address`, fetched first if there is none."""
    import pooch

    folder = pooch.os_cache("rnn-course")
    try:
        return Path(pooch.retrieve(address, known_hash, path=folder))
    except OSError as error:  # also those of `requests`, which pooch uses
        raise ConnectionError(
            f"{address} cannot be reached ({type(error).__name__}). Are you online? You can also "
            "download it by hand and give the file's path."
        ) from None
