"""Ten thousand runs of all kinds on one sandbox, and what is left of them.

    python -m benchmarks.soak [--runs 10000] [--workers 2]

Counts the processes, mounts, control groups, descriptors and files of this process and its workers before and after;
prints both beside each other, and ends with 1 where there are more after than before, or where a verdict is wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sandboxes import AssertCase, CallCase, Limits, Program, Sandbox, StdioCase, TestCase, Verdict, open_sandbox
from sandboxes.inside.cgroup import PREFIX, owner_tag

LIMITS = Limits(cpu_s=0.3, wall_s=5, memory_mb=128, output_kb=64, processes=24, disk_mb=32)
ADD = [StdioCase("1 2\n", "3\n")]
ANSWER = "print(sum(map(int, input().split())), flush=True)\n"


@dataclass(frozen=True)
class Kind:
    """A kind of run: what happens in it, and what must be said of it."""

    name: str
    source: str
    verdict: Verdict = Verdict.ACCEPTED
    tests: tuple[TestCase, ...] = tuple(ADD)
    fresh: bool = False


KINDS = [
    Kind("writes files", "for n in range(20): open(f'/tmp/{n}', 'w').write('x' * 9999)\n" + ANSWER),
    Kind(
        "odd files", "import os\nos.mkdir('d'); os.mkfifo('d/f'); os.symlink('/', 'd/l'); os.chmod('d', 0)\n" + ANSWER
    ),
    Kind(
        "daemons",
        ANSWER + "import os, time\nfor _ in range(4):\n    if not os.fork(): os.setsid(); time.sleep(60); os._exit(0)",
    ),
    Kind("threads", "import threading\nfor _ in range(4): threading.Thread(target=sum, args=([],)).start()\n" + ANSWER),
    Kind("crashes", "raise SystemExit(3)", Verdict.RUNTIME_ERROR),
    Kind("killed", "import os\nos.kill(os.getpid(), 9)", Verdict.RUNTIME_ERROR),
    Kind("no Python", "print(", Verdict.COMPILE_ERROR),
    Kind("wrong", "print(4)", Verdict.WRONG_ANSWER),
    Kind("floods", "while True: print('x' * 999)", Verdict.OUTPUT_LIMIT),
    Kind("too much memory", "x = b'x' * (300 << 20)", Verdict.MEMORY_LIMIT),
    Kind("is called", "def f(x): return x + 1", tests=(CallCase("f", (1,), 2),)),
    Kind("is examined", "def f(x): return x + 1", tests=(AssertCase("assert f(1) == 2"),)),
    Kind("ends examined", "def f(x): __import__('os')._exit(0)", Verdict.RUNTIME_ERROR, (AssertCase("assert f(1)"),)),
]
RARE_KINDS = [
    Kind("loops", "while True: pass", Verdict.TIME_LIMIT),
    Kind("new interpreter", ANSWER, fresh=True),
    Kind("fork bomb", "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", Verdict.TIME_LIMIT),
]
PLAIN = Kind("plain", ANSWER)


@dataclass(frozen=True)
class Census:
    """What belongs to this process and its workers, counted.

    Attributes:
        processes: Descendants, dead ones that nobody has reaped among them.
        mounts: Mounts of sandboxes that this process sees, and all that its descendants see in views of their own.
        cgroups: Control groups made in this process's name.
        descriptors: Open descriptors, as far as they may be seen.
        files: Temporary files and folders of sandboxes.
    """

    processes: int
    mounts: int
    cgroups: int
    descriptors: int
    files: int


def census() -> Census:
    """Count everything now. No run may be going on."""
    family = [os.getpid(), *descendants(os.getpid())]
    folders = [Path(tempfile.gettempdir()), Path("/dev/shm")]
    return Census(
        processes=len(family) - 1,
        mounts=_mounts(family),
        cgroups=len(groups_of(os.getpid())),
        descriptors=sum(map(_descriptors, family)),
        files=sum(1 for folder in folders if folder.is_dir() for _ in folder.glob("mars-sandbox*")),
    )


def descendants(pid: int) -> list[int]:
    """The descendants of a process, zombies too."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            number, _, fields = stat.read_text().rpartition(")")
            parents[int(number.split()[0])] = int(fields.split()[1])
    found, todo = [], [pid]
    while todo:
        parent = todo.pop()
        children = [child for child, its in parents.items() if its == parent]
        found += children
        todo += children
    return found


def groups_of(pid: int) -> list[Path]:
    """The control groups that sandboxes of a process, dead or alive, have made."""
    tag = owner_tag(pid) if Path(f"/proc/{pid}").exists() else f"{pid}-"
    found = []
    for at, folders, _ in os.walk("/sys/fs/cgroup"):
        found += [Path(at, name) for name in folders if name.startswith(f"{PREFIX}{tag}")]
    return found


def _mounts(family: list[int]) -> int:
    seen: dict[str, int] = {}
    for pid in family:
        with contextlib.suppress(OSError):
            at = Path(f"/proc/{pid}")
            lines = (at / "mountinfo").read_text().splitlines()
            # In this process's own view others come and go.
            ours = pid != os.getpid() and (at / "ns/mnt").readlink() != Path("/proc/self/ns/mnt").readlink()
            seen[str((at / "ns/mnt").readlink())] = sum(ours or "/sandbox" in line for line in lines)
    return sum(seen.values())


def _descriptors(pid: int) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir())) - (pid == os.getpid())
    except OSError:
        return 0


def kinds(runs: int) -> Iterator[Kind]:
    """What to run: every other run is a plain one, one in 200 is of a kind that takes long."""
    usual, rare = cycle(KINDS), cycle(RARE_KINDS)
    for number in range(runs):
        yield next(rare) if number % 200 == 100 else next(usual) if number % 2 else PLAIN


def soak(sandbox: Sandbox, runs: int) -> Counter[str]:
    """Run so many programs, from as many threads as there are workers; returns the verdicts that are wrong."""
    todo, wrong, lock = kinds(runs), Counter[str](), threading.Lock()

    def work() -> None:
        while True:
            with lock:
                kind = next(todo, None)
            if kind is None:
                return
            verdict = sandbox.judge(Program(kind.source), kind.tests, LIMITS, fresh=kind.fresh).verdict
            if verdict is not kind.verdict:
                with lock:
                    wrong[f"{kind.name}: {verdict}, not {kind.verdict}"] += 1

    threads = [threading.Thread(target=work) for _ in range(sandbox.backend.workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


def warm_up(sandbox: Sandbox) -> None:
    """Have every worker started, those of examiners too: as many examined programs at once as there are places."""
    program = Program("import time\ndef f(): time.sleep(0.5)")
    threads = [
        threading.Thread(target=sandbox.judge, args=(program, [AssertCase("f()")]))
        for _ in range(sandbox.backend.workers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> int:
    """Soak, and tell what is left."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=None, help="default: the usable cores")
    options = parser.parse_args()
    unopened = census()
    with open_sandbox("local", workers=options.workers) as sandbox:
        warm_up(sandbox)
        before, start = census(), time.monotonic()
        wrong = soak(sandbox, options.runs)
        seconds, after = time.monotonic() - start, census()
    closed = census()
    _show(unopened, before, after, closed)
    print(f"{options.runs} runs in {seconds:.0f} s, wrong verdicts: {dict(wrong) or 'none'}")
    leaked = [*_more(before, after), *_more(unopened, closed)]
    print(f"leaked: {', '.join(leaked) or 'nothing'}")
    return 1 if leaked or wrong else 0


def _more(before: Census, after: Census) -> list[str]:
    return [name for name, count in asdict(after).items() if count > asdict(before)[name]]


def _show(*counts: Census) -> None:
    table = Table("", "before opening", "before the runs", "after the runs", "after closing")
    for name in asdict(counts[0]):
        table.add_row(name, *(str(asdict(count)[name]) for count in counts))
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
