"""The side of the grader that stands beside the submission's code, inside the sandbox.

It answers three requests: are you there; run this cell; call this exercise's object on these
cases. They come where standard input was and replies go where standard output was; what cells print
goes nowhere. It knows no solution. Nobody believes what it says: see protocol.py.
"""

import functools
import gc
import importlib
import json
import os
import pkgutil
import signal
import sys

gc.disable()  # until all is loaded: to look through it for garbage costs as much again

from . import protocol  # noqa: E402

# Magics of the notebook's kernel: here they do nothing.
OF_A_NOTEBOOK = ("autosave", "clear", "connect_info", "less", "man", "more", "qtconsole")


def read(stream):
    """Return the next request's header and body, or None at the end."""
    lengths = stream.read(protocol.LENGTHS.size)
    if len(lengths) < protocol.LENGTHS.size:
        return None
    head, body = protocol.LENGTHS.unpack(lengths)
    return json.loads(stream.read(head)), stream.read(body)


def begin(*_):
    """Reply that the worker is ready."""
    return {}, []


def run_cell(shell, header, _):
    """Run a cell, which may be interrupted; reply with the error that it ended in, or ""."""
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        result = shell.run_cell(header["source"], store_history=False, cell_id=header["cell"])
        error = result.error_before_exec or result.error_in_exec
    except KeyboardInterrupt as interruption:
        error = interruption
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return {"error": f"{type(error).__name__}: {error}" if error else ""}, []


def collect(calling, drivers, shell, header, body):
    """Call an exercise's object on cases; reply with what came back, or that there is none."""
    import torch

    name, arrays = header["name"], []
    if name not in shell.user_ns:
        return {"missing": True}, []
    cases = protocol.unpacked(header["cases"], protocol.Body(body))
    torch.manual_seed(header["seed"])
    module, function = header["driver"]
    drive, names = getattr(drivers[module], function), tuple(header["names"])
    answer, without = shell.user_ns[name], frozenset(header["without"])
    listed = []
    for outcome in calling.collect(name, answer, drive, names, cases, without):
        if outcome.failure:
            failure = outcome.failure
            entry = {"failure": [failure.kind, failure.message, failure.line]}
        else:
            described = {k: protocol.packed(v, arrays) for k, v in outcome.outputs.items()}
            entry = {"outputs": described}
        seen = {"called": sorted(outcome.called), "changed": sorted(outcome.changed)}
        listed.append(entry | seen)
    return {"outcomes": listed}, arrays


def started_shell():
    """Return an IPython shell that shows nothing and opens no window."""
    os.environ["MPLBACKEND"] = "agg"  # Matplotlib itself is loaded by those who draw
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance(display_banner=False)
    shell.display_pub.publish = lambda *_, **__: None  # pictures go nowhere
    shell.enable_gui = lambda *_, **__: None
    for name in OF_A_NOTEBOOK:
        shell.register_magic_function(lambda *_: None, "line", name)
    return shell


def main() -> None:
    """Serve requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # but while a cell runs
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(nowhere, standard)
    calling = importlib.import_module("helpers.calling")
    found = pkgutil.iter_modules(calling.__path__, f"{calling.__name__}.")
    drivers = {module.name: importlib.import_module(module.name) for module in found}
    # A submission that imports these again gets copies, and changes nothing here.
    for name in [name for name in sys.modules if name.startswith(("inside", "helpers"))]:
        del sys.modules[name]
    shell = started_shell()
    gc.freeze()
    gc.enable()
    operations: dict = {
        "begin": begin,
        "run": functools.partial(run_cell, shell),
        "collect": functools.partial(collect, calling, drivers, shell),
    }
    while (request := read(source)) is not None:
        header, body = request
        reply, arrays = operations[header["do"]](header, body)
        sink.write(protocol.frame({"id": header["id"]} | reply, arrays))
        sink.flush()


if __name__ == "__main__":
    main()
