"""Notebooks as editors leave them, imitated: what each does to ids, metadata and sources.

Tools that can be installed are run themselves by `python tests/benchmarks notebook_forms`.
"""

import copy
import random
import string

HEX, LETTERS = string.hexdigits[:16], string.ascii_letters + string.digits


def named(notebook, alphabet, length, minor=5):
    """Return a copy of a notebook whose cells have new ids."""
    rng = random.Random(0)
    new = copy.deepcopy(notebook)
    new["nbformat_minor"] = minor
    for cell in new["cells"]:
        cell["id"] = "".join(rng.choices(alphabet, k=length))
    return new


def vscode(notebook):
    """Return a notebook as VS Code saves one: ids of eight hexadecimal digits, sources as lists.

    By https://github.com/microsoft/vscode-jupyter/issues/16285, where its ids are short hashes;
    by issue 5933 there ids were lost on saving (see `without_ids`).
    """
    new = named(notebook, HEX, 8)
    for cell in new["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
        cell["metadata"] = {"vscode": {"languageId": "python"}}
    return new


def without_ids(notebook):
    """Return a notebook of format 4.4, which has no ids, as older editors write it.

    By https://github.com/microsoft/vscode-jupyter/issues/5933 and
    https://github.com/sagemathinc/cocalc/issues/5504.
    """
    new = copy.deepcopy(notebook)
    new["nbformat_minor"] = 4
    for cell in new["cells"]:
        del cell["id"]
    return new


def colab(notebook):
    """Return a notebook as Colab saves one: format 4.0, ids of its own in the metadata.

    By https://github.com/googlecolab/colabtools/issues/5402 (the format),
    https://github.com/jupyter/enhancement-proposals/issues/61 (ids of twelve characters), and
    https://github.com/jupyter/nbformat/issues/148 (what else the metadata have).
    """
    ids = [cell["id"] for cell in named(notebook, LETTERS, 12)["cells"]]
    new = without_ids(notebook)
    new["nbformat_minor"] = 0
    new["metadata"] = {"colab": {"provenance": []}, "kernelspec": {"name": "python3"}}
    for cell, own in zip(new["cells"], ids, strict=True):
        cell["metadata"] = {"id": own} | ({"outputId": own} if cell.get("outputs") else {})
    return new


def cocalc(notebook):
    """Return a notebook as CoCalc saves one: ids of six hexadecimal digits, its own metadata.

    By https://github.com/sagemathinc/cocalc/issues/7860.
    """
    new = named(notebook, HEX, 6)
    new["metadata"]["cocalc"] = {"last_runtime": 0}
    for cell in new["cells"]:
        cell["metadata"]["collapsed"] = False
    return new


def nbstripout(notebook):
    """Return a notebook as nbstripout leaves it: cells numbered, no outputs.

    By what it does to a notebook when it is run: ids become 0, 1, 2, …
    """
    new = copy.deepcopy(notebook)
    for number, cell in enumerate(new["cells"]):
        cell["id"] = str(number)
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return new


def windows(notebook):
    """Return a notebook without ids whose line ends a tool of Windows has changed."""
    new = without_ids(notebook)
    for cell in new["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r\n") + "\r\n"
    return new


FORMS = [without_ids, vscode, colab, cocalc, nbstripout, windows]
