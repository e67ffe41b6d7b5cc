"""Which cells of a submission have to run before its answers can be called.

A chapter's demonstrations train networks for a minute. If they are as they were handed out, they
need not run again. What does run: every cell with an answer, every cell that was changed or added,
and whatever these depend on, directly or through others.
"""

import ast
import functools
import re
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from solutions.grading.arrivals.reading import Cell

TIMED = re.compile(r"%%(time|timeit|capture|prun)\b.*")  # the rest of the cell is Python
MOST_PARSED = 200_000  # characters, again and again, of one cell with magics
MOST_CHANGES = 300_000  # names that are looked at to know what the cells of a notebook change
# A line that is IPython's: a magic or a command, its result perhaps given a name; a question.
MAGIC = re.compile(r"(\s*(?:\w[\w., ]*= *)?)[%!].*")
QUESTION = re.compile(r"(\s*)(?:\?.*|[\w.*%]+\?{1,2}\s*)")

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


def tree_of(source: str) -> ast.Module | None:
    """Return a cell's syntax tree, without its magics, or None if it cannot be parsed."""
    parsed = _parsed(source)
    return parsed[0] if parsed else None


@functools.lru_cache(maxsize=10_000)
def _parsed(source: str) -> tuple[ast.Module, str] | None:
    """Return a cell's syntax tree and the Python it is of, or None.

    A line that Python cannot read and IPython could is taken out. IPython itself would turn it into
    a call with strings, which says as little, and takes minutes for cells that are made for that.
    """
    first, _, rest = source.lstrip().partition("\n")
    if first.startswith("%%"):
        source = rest if TIMED.fullmatch(first.rstrip()) else ""
    lines = source.split("\n")
    for _ in range(2 + MOST_PARSED // (len(source) + 1)):
        text = "\n".join(lines)
        try:
            return ast.parse(text), text
        except SyntaxError as error:
            if not _taken_out(lines, (error.lineno or 0) - 1):
                return None
        except (ValueError, RecursionError, MemoryError):
            return None
    return None


def _taken_out(lines: list[str], n: int) -> bool:
    """Make line n, if it is IPython's, one that does nothing; return whether it was."""
    found = 0 <= n < len(lines) and (MAGIC.fullmatch(lines[n]) or QUESTION.fullmatch(lines[n]))
    if not found:
        return False
    while lines[n].endswith("\\") and n + 1 < len(lines):  # it goes on in the next line
        lines[n : n + 2] = [lines[n + 1]]
    lines[n] = f"{found[1]}None"
    return True


@functools.lru_cache(maxsize=10_000)
def names(source: str) -> Names | None:
    """Return what a cell does with names, or None if that cannot be found out."""
    parsed = _parsed(source)
    if parsed is None:
        return None
    tree, text = parsed
    try:
        return _names(tree, symtable.symtable(text, "cell", "exec"))
    except (SyntaxError, ValueError, RecursionError, MemoryError, TypeError):
        return None


def forget() -> None:
    """Give back the memory of what was read: the next submission's cells are others."""
    names.cache_clear()
    _parsed.cache_clear()


def _names(tree: ast.Module, table: symtable.SymbolTable) -> Names:
    symbols = table.get_symbols()
    bound = {n.get_name() for n in symbols if n.is_assigned() or n.is_imported()}
    imported = {n.get_name() for n in symbols if n.is_imported()}
    reads: dict[str, frozenset[str]] = {}
    for child in table.get_children():
        reads[child.get_name()] = reads.get(child.get_name(), frozenset()) | _globals(child)
    used = {n.get_name() for n in symbols if n.is_referenced()}.union(*reads.values())
    touches: dict[str, frozenset[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            body = _touched(ast.walk(node)) & reads.get(node.name, frozenset())
            touches[node.name] = touches.get(node.name, frozenset()) | body
    return Names(
        frozenset(bound | set(reads) & {n.get_name() for n in symbols}),
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
    used = {n.get_name() for n in table.get_symbols() if n.is_global() and n.is_referenced()}
    return frozenset(used.union(*map(_globals, table.get_children())))


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
    """Return the name that an expression such as `name[0].part.method` begins with, if any."""
    while isinstance(node, ast.Subscript | ast.Attribute | ast.Call | ast.Starred):
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def to_run(submitted: list[Cell], wanted: set[str], unchanged: Iterable[Cell]) -> list[int]:
    """Return the indices, in order, of the code cells that have to run.

    submitted   the submission's code cells
    wanted      the names of the exercises
    unchanged   cells that only run where they are needed, also as copies: the student copy's
    """
    known, sources = [names(cell.source) for cell in submitted], {c.source for c in unchanged}
    touches: dict[str, frozenset[str]] = {}
    bound: set[str] = set()  # all other names are Python's
    fixed: set[str] = set()  # modules, functions and classes are not changed by being used
    for cell in (names_of for names_of in known if names_of):
        bound |= cell.bound
        fixed |= cell.imported | set(cell.reads)
        for name, touched in cell.touches.items():
            touches[name] = touches.get(name, frozenset()) | touched
    left = [MOST_CHANGES]
    changes = [_changes(cell, touches, left) if cell else None for cell in known]
    perhaps = [None if found is None else found & bound - fixed for found in changes]
    chosen: set[int] = set()
    at_last = set(wanted)  # needed when all has run, as the names in a function's body are
    while True:
        needed = set(at_last)  # and what the cells that follow read as they run
        for index in reversed(range(len(submitted))):
            used = known[index]
            if (
                submitted[index].source not in sources
                or used is None
                or (may_change := perhaps[index]) is None
                or used.bound & needed
                or may_change & needed
            ):
                chosen.add(index)
            if index in chosen and used:
                needed |= used.used
        late = {name for k in chosen if (used := known[k]) for name in _late(used)}
        if late <= at_last:
            return sorted(chosen)
        at_last |= late


def _late(cell: Names) -> frozenset[str]:
    """Return the names that the functions and classes of a cell look up when they are called."""
    return frozenset().union(*cell.reads.values())


def _changes(cell: Names, touches: dict[str, frozenset[str]], left: list[int]) -> set[str] | None:
    """Return the names that a cell perhaps changes in place, also through functions it calls.

    left: how many names may still be looked at; None is returned when there are none left
    """
    changed, waiting = set(), list(cell.touched)
    while waiting:
        name = waiting.pop()
        if name not in changed:
            changed.add(name)
            more = touches.get(name, ())
            left[0] -= len(more) + 1
            if left[0] < 0:
                return None
            waiting += more
    return changed


CHECK = re.compile(r"\s*(\w+) = check\(\1\)\s*")


def checked_in(source: str) -> str:
    """Return the name of the exercise that a cell checks, if it does nothing else, or ""."""
    found = CHECK.fullmatch(source)
    return found[1] if found else ""
