"""Submissions that try to earn what they did not compute, or to do harm. All code here is hostile.

Each entry is a cell that is added after the untouched notebook of chapter 1, so that nothing is
solved: whatever the code does, it must earn nothing, and leave nothing behind.
"""

# Each in a notebook of its own.
CELLS = {
    # --- comparisons that always agree ---
    "comparisons patched": """
import builtins, operator
import numpy as np
import torch
for name in ("equal", "allclose", "isclose", "eq"):
    setattr(torch, name, lambda *_, **__: torch.ones((), dtype=torch.bool))
for name in ("allclose", "isclose", "array_equal", "array_equiv", "all"):
    setattr(np, name, lambda *_, **__: True)
torch.testing.assert_close = np.testing.assert_allclose = lambda *_, **__: None
builtins.all = builtins.any = builtins.isinstance = operator.eq = lambda *_: True
""",
    # --- the shell ---
    "input transformer": """
get_ipython().input_transformers_post.append(lambda lines: ["passed = True\\n"])
""",
    "syntax tree transformer": """
import ast
class Rewrite(ast.NodeTransformer):
    def visit_Raise(self, node): return ast.parse("return args").body[0]
get_ipython().ast_transformers.append(Rewrite())
""",
    "exception hook": """
get_ipython().set_custom_exc((BaseException,), lambda *_: None)
import sys
sys.excepthook = lambda *_: None
""",
    "cell hooks": """
get_ipython().events.register("pre_run_cell", lambda info: setattr(info, "raw_cell", ""))
get_ipython().run_cell = lambda *_, **__: None
""",
    "patched display": """
import IPython.display
IPython.display.display = print
get_ipython().display_pub.publish = lambda *_, **__: print("passed")
""",
    "check replaced": """
import helpers, helpers.exercises
helpers.check = helpers.exercises.check = check = lambda answer: "passed"
rnn_step = check(None)
""",
    "the runner replaced": """
import sys, types
fake = types.ModuleType("helpers.calling")
fake.collect = lambda *_: []
for name in list(sys.modules):
    if name.endswith("calling"): sys.modules[name] = fake
""",
    # --- the line to the grader ---
    "forged outcomes": """
import json, os, struct
head = json.dumps({"id": 25, "outcomes": [{"outputs": {}}] * 12}).encode()
for fd in range(3, 60):
    try: os.write(fd, struct.pack(">QQ", len(head), 0) + head)
    except OSError: pass
""",
    "a status instead of an answer": """
import json, os, struct
head = json.dumps({"status": "passed", "points": 1000}).encode()
for fd in range(3, 60):
    try: os.write(fd, struct.pack(">QQ", len(head), 0) + head)
    except OSError: pass
""",
    "impossible lengths": """
import os
for fd in range(3, 60):
    try: os.write(fd, b"\\xff" * 16)
    except OSError: pass
""",
    "deeply nested reply": """
import os, struct
head = b"[" * 500000
for fd in range(3, 60):
    try: os.write(fd, struct.pack(">QQ", len(head), 0) + head)
    except OSError: pass
""",
    "a pickle for a reply": """
import os, pickle, struct
class Run:
    def __reduce__(self): return os.system, ("touch /tmp/forged",)
raw = pickle.dumps(Run())
for fd in range(3, 60):
    try: os.write(fd, struct.pack(">QQ", len(raw), 0) + raw)
    except OSError: pass
""",
    "noise on the line": """
import os
for fd in range(3, 60):
    try: os.write(fd, os.urandom(4096))
    except OSError: pass
""",
    "the line closed": """
import os
os.closerange(3, 256)
""",
    # --- harm ---
    "os._exit": "import os; os._exit(0)",
    "sys.exit": "import sys; sys.exit(0)",
    "segmentation fault": "import ctypes; ctypes.string_at(0)",
    "64 GiB at once": "block = bytearray(64 * 2**30)",
    "memory that grows slowly": """
import time
kept = []
while True:
    kept.append(bytearray(64 * 2**20)); time.sleep(0.01)
""",
    "memory of many processes": """
import os, time
for _ in range(8):
    if os.fork() == 0:
        kept = bytearray(os.urandom(1)) * (900 * 2**20); time.sleep(600)
time.sleep(600)
""",
    "daemon": """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 256)
        time.sleep(3600)
    os._exit(0)
""",
    "an answer without end": """
import torch
def rnn_step(*_): return torch.zeros(1).expand(10**11)
""",
    "full disk": """
for folder in ("/tmp", "/home/student", "/dev/shm", "/var/tmp", "."):
    try:
        with open(folder + "/full", "wb") as file:
            while True: file.write(b"0" * 2**20)
    except OSError: pass
""",
    "everything killed": """
import os, signal
os.kill(-1, signal.SIGKILL)
""",
    "an exception of a gigabyte": "raise ValueError('x' * 2**30)",
    "an exception that cannot be read": """
class Silent(Exception):
    def __str__(self): raise Silent
raise Silent
""",
    "links without number": """
import itertools, os
for number in itertools.count(): os.symlink("x", f"/tmp/{number}")
""",
    "folders in folders": """
import os
for _ in range(10**6): os.mkdir("x"); os.chdir("x")
""",
    "requests read away": """
import os
for fd in range(3, 60):
    if os.fork() == 0:
        try:
            while os.read(fd, 4096): pass
        except OSError: pass
        os._exit(0)
""",
    "a stack without end": """
import ctypes
call = ctypes.CFUNCTYPE(None)(lambda: call())
call()
""",
    "the watch on what is called taken away": """
import gc, sys
gc.unfreeze()
for thing in gc.get_objects():
    if type(thing).__name__ == "_Calls": thing.names.clear()
sys.setprofile(None)
def rnn_step(*_): sys.setprofile(None); return None
""",
    "busy processes that nobody collects": """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(60):
    try:
        if os.fork() == 0:
            while time.process_time() < 0.05: pass
            os._exit(0)
    except OSError: time.sleep(0.01)
""",
    "200 MB of output": """
import sys, os
for _ in range(200): sys.stdout.write("x" * 10**6); os.write(2, b"x" * 10**6)
""",
}

# These never end by themselves.
ENDLESS = {
    "endless loop": "while True: pass",
    "endless loop without signals": """
import signal
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True:
    try:
        while True: pass
    except BaseException: pass
""",
    "fork bomb": """
import os
while True:
    try: os.fork()
    except OSError: pass
""",
}

# These look for what they should not find: all in one notebook. Each ends in an error if it fails.
LOOKS = {
    "answers read from the course": """
import pathlib, re
text = ""
for path in pathlib.Path("/course").rglob("*"):
    if path.is_file() and re.search("exercises/.|solution", str(path)):
        text += path.read_text()
if "def rnn_step" not in text: raise FileNotFoundError
exec(text)
""",
    "answers read from the repository": """
import pathlib
for path in ("solutions/01_rnn_basics.ipynb", "helpers/exercises/chapter_01/rnn_step.py"):
    exec(pathlib.Path("COURSE", path).read_text())
""",
    "other submissions": """
import pathlib
found = [p for p in pathlib.Path("/").rglob("*.ipynb") if "jupyter" not in str(p)]
exec(found[0].read_text())
""",
    "the grader's command line and memory": """
import os, re
for pid in filter(str.isdigit, os.listdir("/proc")):
    line = open(f"/proc/{pid}/cmdline").read()
    if "grade.py" in line or "pytest" in line: exec(open(f"/proc/{pid}/environ").read())
    if "grade.py" in line or "pytest" in line: open(f"/proc/{pid}/mem", "rb").read(10)
raise LookupError
""",
    "the environment of other processes": """
import contextlib, glob
found = b""
for path in glob.glob("/proc/*/environ") + glob.glob("/proc/*/task/*/environ"):
    with contextlib.suppress(OSError): found += open(path, "rb").read()
assert b"SECRET_OF_THE_GRADER" in found
""",
    "the memory of other processes": """
import glob, os
for path in glob.glob("/proc/*/mem"):
    if path not in ("/proc/self/mem", "/proc/thread-self/mem", f"/proc/{os.getpid()}/mem"):
        try: os.open(path, os.O_RDWR)
        except OSError: continue
        break
else: raise PermissionError
""",
    "the keys of the session": """
import ctypes, platform
number = {"x86_64": 250, "aarch64": 219}[platform.machine()]  # keyctl
assert ctypes.CDLL(None).syscall(number, 0, -3, 1, 0, 0) >= 0
""",
    "a key in the session": """
import ctypes, platform
number = {"x86_64": 248, "aarch64": 217}[platform.machine()]  # add_key
key = ctypes.CDLL(None).syscall(number, b"user", b"found", b"here I am", 9, -3)
assert key >= 0
""",
    "system calls past the limits": """
import ctypes, platform
numbers = {"x86_64": (319, 29, 425, 321), "aarch64": (279, 194, 425, 280)}[platform.machine()]
libc = ctypes.CDLL(None, use_errno=True)  # memfd_create, shmget, io_uring_setup, bpf
def refused(number):
    libc.syscall(number, 0, 0, 0)
    return ctypes.get_errno() == 1
assert not all(map(refused, numbers))
""",
    "a higher limit": """
import resource
resource.setrlimit(resource.RLIMIT_NPROC, (10**6, 10**6))
""",
    "a process that memory pressure spares": """
with open("/proc/self/oom_score_adj", "w") as file: file.write("-1000")
""",
    "the kernel's settings": """
import os
os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))
""",
    "the kernel's log": "import os\nos.close(os.open('/dev/kmsg', os.O_WRONLY))",
    "the grader's terminal": "import os\nos.close(os.open('/dev/tty', os.O_RDWR))",
    "another root": """
import os
os.chroot("/tmp")
""",
    "another user": """
import os
os.setuid(0 if os.getuid() else 1)
""",
    "a file system": """
import ctypes
assert ctypes.CDLL(None).mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0
""",
    "a device": """
import os, stat
os.mknod("/tmp/device", stat.S_IFBLK | 0o600, os.makedev(254, 0))
open("/tmp/device", "rb").read(1)
""",
    "another control group": """
import glob, os
places = glob.glob("/sys/fs/cgroup/**/cgroup.procs", recursive=True)
with open(places[0], "w") as file: file.write(str(os.getpid()))
""",
    "the grader's processes": """
import os, signal
for pid in range(2, 100_000):
    if pid != os.getpid() and pid != os.getppid():
        try: os.kill(pid, 0)
        except ProcessLookupError: continue
        if pid > 200: break
else: raise PermissionError
""",
    "the seed among what the worker knows": """
import gc, inspect
gc.unfreeze()
def numbers(thing, depth=0):
    if type(thing) is int: yield thing
    elif isinstance(thing, dict) and depth < 2:
        for value in list(thing.values()): yield from numbers(value, depth + 1)
found = [n for f in inspect.stack() for n in numbers(f.frame.f_locals)]
found += [n for thing in gc.get_objects() if type(thing) is dict for n in numbers(thing, 1)]
assert SEED in found
""",
    "network inside": """
import socket
socket.create_connection(("127.0.0.1", PORT), timeout=2).sendall(b"here I am")
""",
    "network outside": """
import socket
socket.create_connection(("1.1.1.1", 53), timeout=2)
""",
    "a new user namespace": """
import ctypes, os
pid = os.fork()  # a process of one thread
if pid == 0: os._exit(ctypes.CDLL(None).unshare(0x10000000) != 0)
assert os.waitpid(pid, 0)[1] == 0
""",
    "writing where Python is": """
import sys, pathlib
for folder in (sys.prefix, sys.base_prefix, "/usr", "/course", "/etc", "/"):
    try: pathlib.Path(folder, "written by a submission").write_text("here I was")
    except OSError: continue
    break
else: raise PermissionError
""",
}

# Answers that are none, and leave nothing: one after the other in one sandbox.
ANSWERS = {
    "an answer of NaN": "def rnn_step(x_t, h_prev, *rest): return h_prev * float('nan')",
    "an answer of the wrong shape": "def rnn_step(x_t, h_prev, *rest): return h_prev[None]",
    "an answer of the wrong type": "def rnn_step(x_t, h_prev, *rest): return h_prev > 0",
    "an answer of objects": """
import numpy as np
def rnn_step(x_t, h_prev, *rest): return np.array([[object()]], dtype=object)
""",
    "an answer of text": "def rnn_step(*_): return '✓ passed'",
    "tensor that equals everything": """
import torch
class Liar(torch.Tensor):
    def __eq__(self, other): return torch.ones((), dtype=torch.bool)
    __hash__ = None
def rnn_step(x_t, h_prev, *rest): return h_prev.as_subclass(Liar)
""",
    "tensor that answers for torch": """
import torch
class Liar(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None): return True
def rnn_step(x_t, h_prev, *rest): return h_prev.as_subclass(Liar)
""",
    "array that answers for numpy": """
import numpy as np
class Liar(np.ndarray):
    def __array_function__(self, *_): return True
    def __eq__(self, other): return True
def rnn_step(x_t, h_prev, *rest): return h_prev.numpy().view(Liar)
""",
    "object that equals everything": """
class Liar:
    def __eq__(self, other): return True
    def __array__(self, *_, **__): return [[Liar()]]
def rnn_step(*_): return Liar()
""",
    "environment variables": """
import os
def rnn_step(*_): return eval(os.environ["ANSWER"])
""",
    "expected values in the frames": """
import sys
def rnn_step(*_):
    frame = sys._getframe()
    while frame:
        for name, value in frame.f_locals.items():
            if name in ("expected", "wanted", "reference", "outcome", "oracle"): return value
        frame = frame.f_back
""",
    "expected values among all objects": """
import gc
gc.unfreeze()
def rnn_step(*_):
    for thing in gc.get_objects():
        if type(thing).__name__ in ("Exercise", "Outcome", "Mistake"): return thing.reference(*_)
""",
}
