"""The system calls that are refused inside the sandbox: no answer has a use for them.

What the sandbox gives to a submission it takes away by other means (walls.py). These calls would
reach past them: keys of whoever grades, memory that the watch does not see, other processes, and
parts of the kernel that few programs use and that have had many faults. Flatpak and Docker refuse
them, too. `unshare` and `clone` are not here: bubblewrap itself forbids new user namespaces.
"""

import errno
import platform
import struct
from pathlib import Path

FILTER = "forbidden.bpf"
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # the kernel's AUDIT_ARCH numbers
NUMBERS = {  # name -> its number on x86_64 and on aarch64, from the kernel's unistd.h
    # keys and tokens of the session
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # memory and messages that outlive a process, or are not counted as its own
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    # files by other ways than their path, and what is mounted
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    # the kernel's inside
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "syslog": (103, 116),
    "lookup_dcookie": (212, 18),
    # where memory lies on a large machine
    "mbind": (237, 235),
    "set_mempolicy": (238, 237),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
}


def available() -> bool:
    """Return whether the filter knows this machine's processor."""
    return platform.machine() in ARCHITECTURES


def refused() -> dict[str, int]:
    """Return name -> number of each refused call on this machine."""
    place = list(ARCHITECTURES).index(platform.machine())
    return {name: numbers[place] for name, numbers in NUMBERS.items()}


def write_filter(folder: Path) -> None:
    """Write the filter that refuses them, as Linux's seccomp takes it.

    Classic BPF: an instruction is a code, how far to jump if true and if false, and a constant. A
    call from an architecture other than the machine's is refused, too: its numbers mean others.
    """
    architecture, numbers = ARCHITECTURES[platform.machine()], list(refused().values())
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06
    program = [(load, 0, 0, 4), (equal, 0, len(numbers) + 3, architecture)]
    program += [(load, 0, 0, 0), (at_least, len(numbers) + 1, 0, 0x4000_0000)]
    program += [(equal, len(numbers) - k, 0, number) for k, number in enumerate(numbers)]
    program += [(answer, 0, 0, 0x7FFF_0000), (answer, 0, 0, 0x0005_0000 | errno.EPERM)]
    raw = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    (folder / FILTER).write_bytes(raw)
