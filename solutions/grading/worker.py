"""The side of the grader that stands beside the submission's code, inside the sandbox.

It answers two requests: run this cell; call this exercise's object on these cases. They come where
standard input was and replies go where standard output was; what cells print goes nowhere. It knows
no solution. What it says is believed by nobody: see protocol.py.
"""

import json
import os
import sys

from grading import protocol

# Magics of the notebook's kernel: here they do nothing.
OF_A_NOTEBOOK = ("autosave", "clear", "connect_info", "less", "man", "more", "qtconsole")


def read(stream):
    """Return the next request's header and body, or None at the end."""
    lengths = stream.read(protocol.LENGTHS.size)
    if len(lengths) < protocol.LENGTHS.size:
        return None
    head, body = protocol.LENGTHS.unpack(lengths)
    return json.loads(stream.read(head)), stream.read(body)


def main() -> None:
    """Serve requests until there are no more."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(nowhere, standard)
    import matplotlib

    matplotlib.use("agg")
    from IPython.core.interactiveshell import InteractiveShell

    from helpers.exercises import drivers, running

    # Whoever imports these again gets copies, and changes nothing here.
    for name in [name for name in sys.modules if name.startswith(("grading", "helpers"))]:
        del sys.modules[name]
    shell = InteractiveShell.instance(display_banner=False)
    shell.display_pub.publish = lambda *_, **__: None  # pictures go nowhere
    shell.enable_gui = lambda *_, **__: None
    for name in OF_A_NOTEBOOK:
        shell.register_magic_function(lambda *_: None, "line", name)

    def run_cell(header, _):
        result = shell.run_cell(header["source"], store_history=False, cell_id=header["cell"])
        error = result.error_before_exec or result.error_in_exec
        return {"error": f"{type(error).__name__}: {error}" if error else ""}, []

    def collect(header, body):
        import torch

        name, arrays = header["name"], []
        if name not in shell.user_ns:
            return {"missing": True}, []
        cases = protocol.unpacked(header["cases"], protocol.Body(body))
        torch.manual_seed(header["seed"])
        drive, outputs = getattr(drivers, header["drive"]), tuple(header["outputs"])
        outcomes = running.collect(name, shell.user_ns[name], drive, outputs, cases)
        listed = []
        for outcome in outcomes:
            if outcome.failure:
                failure = outcome.failure
                listed.append({"failure": [failure.kind, failure.message, failure.line]})
            else:
                described = {k: protocol.packed(v, arrays) for k, v in outcome.outputs.items()}
                listed.append({"outputs": described})
        return {"outcomes": listed}, arrays

    operations = {"run": run_cell, "collect": collect}
    while (request := read(source)) is not None:
        header, body = request
        reply, arrays = operations[header["do"]](header, body)
        sink.write(protocol.frame({"id": header["id"]} | reply, arrays))
        sink.flush()


if __name__ == "__main__":
    main()
