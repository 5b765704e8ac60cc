"""The system call filter that every program runs under: a list of what is denied, and the BPF that enforces it.

The list is the kernel surface that honest programs of any supported language do without. Calls newer than this file
answer ENOSYS, as an older kernel would; another architecture's calls (i386, x32) end the program.
"""

from __future__ import annotations

import errno
import struct

from . import kernel

# name: (x86-64, AArch64); None where the architecture lacks it. Grouped by what they would open.
DENIED: dict[str, tuple[int | None, int | None]] = {
    # namespaces and mounts
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    # other processes' memory and descriptors
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    # ways around the filter, and favourites of exploits
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "userfaultfd": (323, 282),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "seccomp": (317, 277),
    "modify_ldt": (154, None),
    "uselib": (134, None),
    "personality": (135, 92),
    "vmsplice": (278, 75),
    "lookup_dcookie": (212, 18),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "create_module": (174, None),
    "get_kernel_syms": (177, None),
    "query_module": (178, None),
    "nfsservctl": (180, 42),
    # state that outlives a process or crosses sandboxes
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmdt": (67, 197),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "semtimedop": (220, 192),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "inotify_add_watch": (254, 27),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    # the machine
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "syslog": (103, 116),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "vhangup": (153, 58),
    "ioperm": (173, None),
    "iopl": (172, None),
    "mknod": (133, None),
    # scheduling and placement of memory
    "ioprio_set": (251, 30),
    "set_mempolicy": (238, 237),
    "mbind": (237, 235),
    "set_mempolicy_home_node": (450, 450),
    "mlockall": (151, 230),
}
_LAST_KNOWN = 462
_CLONE3 = 435
_MEMFD_SECRET = 447

# Calls whose arguments decide: (x86-64, AArch64).
_CLONE = (56, 220)
_SOCKET = (41, 198)
_SOCKETPAIR = (53, 199)
_IOCTL = (16, 29)
_MEMFD = (319, 279)
_MKNODAT = (259, 33)
# Calls that may name another process by their first argument; 0 is oneself.
_ON_ONESELF = {
    "prlimit64": (302, 261),
    "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
}
_SETPRIORITY = (141, 140)

NEW_NAMESPACES = 0x7E020000  # every CLONE_NEW* flag that clone knows
_AF_UNIX = 1
_TIOCSTI = 0x5412
_TIOCLINUX = 0x541C
_FILE_TYPE, _CHARACTER_DEVICE, _BLOCK_DEVICE = 0xF000, 0x2000, 0x6000

_LD_NUMBER, _LD_ARCHITECTURE = 0, 4
_LD_ARGUMENT = 16  # low half of the first argument; arguments are 8 bytes apart
_LOAD, _JEQ, _JGE, _JSET, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_ERROR = 0x00050000
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000

Instruction = tuple[int, int, int, int]


def _op(code: int, value: int, yes: int = 0, no: int = 0) -> Instruction:
    return (code, yes, no, value)


def _refuse(number: int) -> Instruction:
    return _op(_RETURN, _ERROR | number)


_PERMIT = _op(_RETURN, _ALLOW)


def _special(column: int, unix_sockets: bool, memory_files: bool) -> dict[int, list[Instruction]]:
    """What decides the calls that are allowed for some arguments only."""
    unix_only = [
        _op(_LOAD, _LD_ARGUMENT),
        _op(_JEQ, _AF_UNIX, 0, 1),
        _PERMIT,
        _refuse(errno.EACCES),
    ]
    rules: dict[int, list[Instruction]] = {
        _CLONE[column]: [
            _op(_LOAD, _LD_ARGUMENT),
            _op(_JSET, NEW_NAMESPACES, 0, 1),
            _refuse(errno.EPERM),
            _PERMIT,
        ],
        # Its flags lie in memory, out of a filter's sight; libc falls back to clone.
        _CLONE3: [_refuse(errno.ENOSYS)],
        _SOCKET[column]: unix_only if unix_sockets else [_refuse(errno.EACCES)],
        _SOCKETPAIR[column]: unix_only,
        _IOCTL[column]: [
            _op(_LOAD, _LD_ARGUMENT + 8),
            _op(_JEQ, _TIOCSTI, 1, 0),
            _op(_JEQ, _TIOCLINUX, 0, 1),
            _refuse(errno.EPERM),
            _PERMIT,
        ],
        _MKNODAT[column]: [
            _op(_LOAD, _LD_ARGUMENT + 16),
            _op(_AND, _FILE_TYPE),
            _op(_JEQ, _CHARACTER_DEVICE, 1, 0),
            _op(_JEQ, _BLOCK_DEVICE, 0, 1),
            _refuse(errno.EPERM),
            _PERMIT,
        ],
        _SETPRIORITY[column]: [
            _op(_LOAD, _LD_ARGUMENT),
            _op(_JEQ, 0, 0, 3),
            _op(_LOAD, _LD_ARGUMENT + 8),
            _op(_JEQ, 0, 0, 1),
            _PERMIT,
            _refuse(errno.EPERM),
        ],
    }
    oneself = [_op(_LOAD, _LD_ARGUMENT), _op(_JEQ, 0, 0, 1), _PERMIT, _refuse(errno.EPERM)]
    rules.update({numbers[column]: oneself for numbers in _ON_ONESELF.values()})
    if not memory_files:
        rules[_MEMFD[column]] = [_refuse(errno.ENOSYS)]
    return rules


def _tree(blocks: list[tuple[int, list[Instruction]]]) -> list[Instruction]:
    """A binary search over blocks that start at ascending numbers, so that a call costs a few comparisons."""
    if len(blocks) == 1:
        return blocks[0][1]
    middle = len(blocks) // 2
    low, high = _tree(blocks[:middle]), _tree(blocks[middle:])
    # A conditional jump reaches 255 instructions; the unconditional one reaches all.
    jump_always = 0x05
    return [_op(_JGE, blocks[middle][0], 0, 1), _op(jump_always, len(low)), *low, *high]


def build(unix_sockets: bool = True, memory_files: bool = True) -> bytes:
    """Assemble the filter for this machine.

    Args:
        unix_sockets: Allow AF_UNIX sockets; safe only in a network namespace of one's own.
        memory_files: Allow memfd_create; its pages are seen only by a memory cgroup.

    Returns:
        The BPF instructions.

    Raises:
        KernelError: This machine's architecture is not known here.
    """
    if kernel.MACHINE not in _ARCHITECTURES:
        raise kernel.KernelError(errno.ENOSYS, f"no system call filter for {kernel.MACHINE}")
    column = 0 if kernel.MACHINE == "x86_64" else 1
    rules: dict[int, list[Instruction]] = {}
    for numbers in DENIED.values():
        number = numbers[column]
        if number is not None:
            rules[number] = [_refuse(errno.EPERM)]
    rules[_MEMFD_SECRET] = [_refuse(errno.ENOSYS)]
    rules.update(_special(column, unix_sockets, memory_files))
    starts: dict[int, list[Instruction]] = {0: [_PERMIT], _LAST_KNOWN + 1: [_refuse(errno.ENOSYS)]}
    for number in sorted(rules):
        starts[number] = rules[number]
        starts.setdefault(number + 1, [_PERMIT])
    starts.update(rules)
    blocks = _merged(sorted(starts.items()))
    instructions = [
        _op(_LOAD, _LD_ARCHITECTURE),
        _op(_JEQ, _ARCHITECTURES[kernel.MACHINE], 1, 0),
        _op(_RETURN, _KILL),
        _op(_LOAD, _LD_NUMBER),
    ]
    if column == 0:
        instructions += [_op(_JGE, _X32_BIT, 0, 1), _op(_RETURN, _KILL)]
    instructions += _tree(blocks)
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)


def _merged(blocks: list[tuple[int, list[Instruction]]]) -> list[tuple[int, list[Instruction]]]:
    """Join neighbours that do the same."""
    kept = blocks[:1]
    for start, body in blocks[1:]:
        if body != kept[-1][1]:
            kept.append((start, body))
    return kept
