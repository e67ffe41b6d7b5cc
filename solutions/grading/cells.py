"""Which cells of a submission have to run before its answers can be called, and what to look at.

A chapter's demonstrations train networks for a minute. Whoever has left them as they were handed
out need not have them run again. What runs is: every cell with an answer, every cell that was
changed or added, and whatever these depend on, directly or through others.
"""

import ast
import symtable
from collections.abc import Iterator
from dataclasses import dataclass

from grading.submissions import Cell

# What an exercise is to be written without, by hand: exercise -> names that answer it for you.
BY_HAND = {
    "rnn_step": {"RNNCell", "RNN"},
    "rnn_forward": {"RNNCell", "RNN"},
    "clip_gradients": {"clip_grad_norm_", "clip_grads_with_norm_"},
    "lstm_step": {"LSTMCell", "LSTM", "lstm_cell"},
    "gru_step": {"GRUCell", "GRU", "gru_cell"},
    "count_parameters": {"RNN", "LSTM", "GRU", "parameters", "numel"},
    "rnn_shapes": {"RNN", "RNNBase"},
    "sine_backward": {"autograd", "backward", "grad", "vjp"},
    "numerical_gradient": {"autograd", "backward", "jacobian", "grad", "vjp"},
    "build_forecaster": {"two_sine_forecast"},
}
# Names that an honest answer has no use for.
SUSPICIOUS = {
    "__torch_function__",
    "__array_function__",
    "_getframe",
    "addaudithook",
    "catch_warnings_hook",
    "ctypes",
    "drivers",
    "environ",
    "gc",
    "inspect",
    "meta_path",
    "modules",
    "multiprocessing",
    "pickle",
    "settrace",
    "socket",
    "subprocess",
    "tb_frame",
}


# Functions that leave their arguments as they are.
HARMLESS = {"print", "len", "range", "int", "float", "str", "bool", "zip", "sorted", "sum", "max"}
HARMLESS |= {"min", "isinstance", "type", "repr", "abs", "round", "enumerate", "reversed", "check"}


@dataclass(frozen=True)
class Names:
    """What a cell's code does with the notebook's names.

    bound     given a value: assigned, imported, defined
    imported  bound by an import
    used      read, also within functions
    touched   perhaps changed in place: an item or attribute set, a method called, handed to a call
    reads     function or class defined here -> what its body uses
    touches   function or class defined here -> what its body perhaps changes, and what it calls
    """

    bound: frozenset[str]
    imported: frozenset[str]
    used: frozenset[str]
    touched: frozenset[str]
    reads: dict[str, frozenset[str]]
    touches: dict[str, frozenset[str]]


def names(source: str) -> Names | None:
    """Return what a cell does with names, or None if that cannot be told: magics, bad syntax."""
    try:
        tree, table = ast.parse(source), symtable.symtable(source, "cell", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    own = table.get_symbols()
    bound = {n.get_name() for n in own if n.is_assigned() or n.is_imported()}
    imported = {n.get_name() for n in own if n.is_imported()}
    reads: dict[str, frozenset[str]] = {}
    for child in table.get_children():
        reads[child.get_name()] = reads.get(child.get_name(), frozenset()) | _globals(child)
    used = {n.get_name() for n in own if n.is_referenced()}.union(*reads.values())
    touches: dict[str, frozenset[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            body = _touched(ast.walk(node)) & reads.get(node.name, frozenset())
            touches[node.name] = touches.get(node.name, frozenset()) | body
    return Names(
        frozenset(bound | set(reads) & {n.get_name() for n in own}),
        frozenset(imported),
        frozenset(used),
        _touched(_executed_now(tree)),
        reads,
        touches,
    )


def _touched(nodes: Iterator[ast.AST]) -> frozenset[str]:
    """Return the names that some code perhaps changes in place, and those that it calls."""
    touched = set()
    for node in nodes:
        if isinstance(node, ast.Subscript | ast.Attribute):
            if not isinstance(node.ctx, ast.Load):
                touched |= _root(node)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") not in HARMLESS:
            arguments = [*node.args, *(keyword.value for keyword in node.keywords), node.func]
            touched |= {name for argument in arguments for name in _root(argument)}
    return frozenset(touched)


def _globals(table: symtable.SymbolTable) -> frozenset[str]:
    """Return the notebook's names that the body of a function or class uses."""
    own = {n.get_name() for n in table.get_symbols() if n.is_global() and n.is_referenced()}
    return frozenset(own.union(*map(_globals, table.get_children())))


def _executed_now(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run when the cell runs: all but the bodies of functions."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += getattr(node, "decorator_list", [])
        else:
            waiting += ast.iter_child_nodes(node)


def _root(node: ast.AST) -> set[str]:
    """Return the name that an expression such as `name[0].part.method` begins with, if it does."""
    while isinstance(node, ast.Subscript | ast.Attribute | ast.Call | ast.Starred):
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def to_run(submitted: list[Cell], handed_out: list[Cell], wanted: set[str]) -> list[int]:
    """Return the indices, in order, of the code cells that have to run.

    submitted   the submission's code cells
    handed_out  those of the student copy
    wanted      the names of the exercises
    """
    known, unchanged = [names(cell.source) for cell in submitted], set(handed_out)
    touches: dict[str, frozenset[str]] = {}
    own: set[str] = set()  # all else is Python's
    fixed: set[str] = set()  # modules, functions and classes are not changed by being used
    for its in filter(None, known):
        own |= its.bound
        fixed |= its.imported | set(its.reads)
        for name, touched in its.touches.items():
            touches[name] = touches.get(name, frozenset()) | touched
    chosen: set[int] = set()
    at_last = set(wanted)  # needed when all has run, as the names in a function's body are
    while True:
        needed = set(at_last)  # and what the cells that follow read as they run
        for index in reversed(range(len(submitted))):
            its = known[index]
            if (
                submitted[index] not in unchanged
                or its is None
                or its.bound & needed
                or _changes(its, touches) & own & needed - fixed
            ):
                chosen.add(index)
            if index in chosen and its:
                needed |= its.used
        late = {name for k in chosen if known[k] for name in _late(known[k])}
        if late <= at_last:
            return sorted(chosen)
        at_last |= late


def _late(its: Names) -> frozenset[str]:
    """Return the names that the functions and classes of a cell look up when they are called."""
    return frozenset().union(*its.reads.values())


def _changes(its: Names, touches: dict[str, frozenset[str]]) -> set[str]:
    """Return the names that a cell perhaps changes in place, also through functions it calls."""
    changed, waiting = set(), list(its.touched)
    while waiting:
        name = waiting.pop()
        if name not in changed:
            changed.add(name)
            waiting += touches.get(name, ())
    return changed


def own_code(name: str, others: set[str], submitted: list[Cell], handed_out: list[Cell]) -> str:
    """Return the submission's own code behind an answer: its cells, and those of what it uses.

    others: the names of the other exercises, which are answers of their own
    """
    changed = [cell for cell in submitted if cell not in set(handed_out)]
    needed, found = {name}, []
    while True:
        more = [c for c in changed if c not in found and _binds(c, needed)]
        if not more:
            return "\n".join(cell.source for cell in changed if cell in found)
        found += more
        needed |= set().union(*(names(cell.source).used for cell in more)) - others


def answers(solved: list[Cell], wanted: set[str]) -> dict[str, str]:
    """Return exercise -> the source of the cell that answers it in a solution."""
    found: dict[str, str] = {}
    for cell in solved:
        for name in names(cell.source).reads.keys() & wanted:
            found[name] = cell.source
    return found


def uses(source: str) -> frozenset[str]:
    """Return the notebook's names that some code uses; none if it cannot be told."""
    its = names(source)
    return its.used if its else frozenset()


def _binds(cell: Cell, wanted: set[str]) -> bool:
    its = names(cell.source)
    return its is not None and bool(its.bound & wanted)


def flags(source: str, exercise: str) -> list[str]:
    """Return what an instructor should look at in the code of an exercise, in words."""
    found = _identifiers(source)
    notes = [
        f"uses {name}, which it was to write by hand"
        for name in sorted(BY_HAND.get(exercise, set()) & found)
    ]
    return notes + [f"mentions {name}" for name in sorted(SUSPICIOUS & found)]


def _identifiers(source: str) -> set[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {part for alias in node.names for part in alias.name.split(".")}
            found |= set((getattr(node, "module", "") or "").split("."))
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "getattr":
            found |= {a.value for a in node.args if isinstance(a, ast.Constant)} - {None}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= {node.value} & SUSPICIOUS
    return found
