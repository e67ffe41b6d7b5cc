"""Measures the figures that this course claims, and prints them as tables.

    python tests/benchmarks                    every benchmark
    python tests/benchmarks feedback chapter_cost

Each benchmark is a module in this folder with a function `main()`.
"""

import importlib
import os
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path[0] = str(FOLDER.parents[1])  # the repository, in the place of this folder

known = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
wanted = sys.argv[1:] or known
if unknown := set(wanted) - set(known):
    sys.exit(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(known)}")
for name in wanted:
    module = importlib.import_module(f"tests.benchmarks.{name}")
    print(f"\n## {name}\n\n{module.__doc__.strip()}\n", flush=True)
    module.main()
