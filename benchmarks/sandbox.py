"""What a sandboxed run costs, beside the ways in which others run a program.

    python -m benchmarks.sandbox             # prints the tables that are kept in benchmarks/RESULTS.md

Every way runs the same program (two numbers in, their sum out) and has its answer checked. Latency is of one caller;
throughput of as many threads as workers. Rounds of all ways take turns, so that a busy moment hits all; the figures are
medians of the rounds. Ways that this machine cannot run are left out, saying why.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sandboxes import CallCase, Limits, Program, Sandbox, StdioCase, Verdict, open_sandbox
from sandboxes.checkers import Checker, checker
from sandboxes.errors import SandboxError

SOURCE = "a, b = map(int, input().split())\nprint(a + b)\n"
INPUT, ANSWER = "1 2\n", "3\n"
LIMITS = Limits(cpu_s=5)
Way = Callable[[], object]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser("python -m benchmarks.sandbox", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--workers", type=int, default=2, help="workers, and threads that call them")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=200, help="runs of a fast way in a round; slow ways do fewer")
    parser.add_argument("--without", default="", help="backends to leave out: docker, say")
    options = parser.parse_args()
    console = Console()
    with contextlib.ExitStack() as stack:
        ways = dict(_ways(stack, options.workers, set(options.without.split(",")), console))
        console.print(_runs(ways, options))
        console.print(_judging(options.rounds))


def _ways(
    stack: contextlib.ExitStack, workers: int, without: set[str], console: Console
) -> Iterator[tuple[str, tuple[Way, float]]]:
    """Each way to run the program once, and the share of the runs that it gets."""
    local = stack.enter_context(open_sandbox("local", workers=workers))
    yield "local", (lambda: _judge(local), 1.0)
    yield "local, a function call", (lambda: _call(local), 1.0)
    yield "local, fresh interpreter", (lambda: _judge(local, fresh=True), 0.3)
    unsafe = stack.enter_context(open_sandbox("unsafe-subprocess", workers=workers))
    yield "unsafe-subprocess (no walls)", (lambda: _judge(unsafe), 1.0)
    script = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "program.py"
    script.write_text(SOURCE)
    yield "`python -I` a program (no walls)", (lambda: _subprocess([sys.executable, "-I", str(script)]), 0.3)
    yield "`Manager()` + `Process` (no walls)", (_manager, 0.15)
    if "docker" in without:
        return
    try:
        docker = stack.enter_context(open_sandbox("docker", workers=workers))
        _judge(docker)
    except SandboxError as error:
        console.print(f"without docker: {error}", style="yellow")
        return
    yield "docker", (lambda: _judge(docker), 1.0)
    yield from _docker_commands(stack, script)


def _docker_commands(stack: contextlib.ExitStack, script: Path) -> Iterator[tuple[str, tuple[Way, float]]]:
    """What a library does that starts a container command for each program."""
    import docker

    from sandboxes.docker.image import IMAGE

    client = docker.from_env()
    options = {"network_mode": "none", "cap_drop": ["ALL"], "mem_limit": "256m", "pids_limit": 64}
    container = client.containers.run(IMAGE, ["sleep", "3600"], detach=True, **options)
    stack.callback(container.remove, force=True)
    program = ["python3", "-I", "-c", SOURCE.replace("input()", repr(INPUT))]

    def execute() -> None:
        _expect(container.exec_run(program).output)  # type: ignore[arg-type]

    def run() -> None:
        _expect(client.containers.run(IMAGE, program, remove=True, **options))  # type: ignore[arg-type]

    yield "`docker exec` a program", (execute, 0.1)
    yield "`docker run` a program", (run, 0.02)


def _judge(sandbox: Sandbox, fresh: bool = False) -> None:
    found = sandbox.judge(Program(SOURCE), [StdioCase(INPUT, ANSWER)], LIMITS, fresh=fresh)
    if found.verdict is not Verdict.ACCEPTED:
        raise RuntimeError(f"{found.verdict}: {found.note}")


def _call(sandbox: Sandbox) -> None:
    found = sandbox.judge(Program("def add(a, b):\n    return a + b\n"), [CallCase("add", (1, 2), 3)], LIMITS)
    if found.verdict is not Verdict.ACCEPTED:
        raise RuntimeError(f"{found.verdict}: {found.note}")


def _subprocess(command: list[str]) -> None:
    _expect(subprocess.run(command, input=INPUT.encode(), capture_output=True, check=True, timeout=10).stdout)


def _expect(output: bytes) -> None:
    if output.decode() != ANSWER:
        raise RuntimeError(f"wrong output {output!r}")


def _manager() -> None:
    """How the usual harnesses do it: a manager for the result, a process to be able to kill it."""
    context = multiprocessing.get_context("fork")
    with context.Manager() as manager:
        result = manager.list()
        process = context.Process(target=_in_process, args=(result,))
        process.start()
        process.join(10)
        _expect(result[0].encode())


def _in_process(result: list[str]) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as output:
        sys.stdin = io.StringIO(INPUT)
        exec(SOURCE, {})
    result.append(output.getvalue())


def _runs(ways: dict[str, tuple[Way, float]], options: argparse.Namespace) -> Table:
    """Latency and throughput of each way, medians over rounds that take turns."""
    medians: dict[str, list[float]] = {name: [] for name in ways}
    tails: dict[str, list[float]] = {name: [] for name in ways}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for way, share in ways.values():
        for _ in range(max(2, int(20 * share))):
            way()
    for _ in range(options.rounds):
        for name, (way, share) in ways.items():
            runs = max(3, int(options.runs * share))
            times = sorted(_timed(way) for _ in range(runs))
            medians[name].append(statistics.median(times))
            tails[name].append(times[min(runs - 1, int(runs * 0.99))])
            rates[name].append(_rate(way, options.workers, runs * 2))
    table = Table(title=f"One program, {options.workers} workers, {options.rounds} rounds")
    for column in ("way", "median ms", "p99 ms", "programs/s", "beside local"):
        table.add_column(column, justify="left" if column == "way" else "right")
    base = statistics.median(rates["local"])
    for name in ways:
        rate = statistics.median(rates[name])
        median, tail = statistics.median(medians[name]) * 1e3, statistics.median(tails[name]) * 1e3
        table.add_row(name, f"{median:.1f}", f"{tail:.1f}", f"{rate:.0f}", f"{rate / base:.2f}x")
    return table


def _timed(way: Way) -> float:
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


def _rate(way: Way, threads: int, runs: int) -> float:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(runs // threads):
                way()
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failures:
        raise failures[0]
    return runs // threads * threads / (time.perf_counter() - start)


def _judging(rounds: int) -> Table:
    """Comparing 1 MB of output, in the trusted process."""
    numbers = random.Random(0)
    expected = b"".join(b"%d\n" % numbers.randrange(10**6) for _ in range(150_000))[: 1 << 20]
    cases = {
        "right": expected,
        "right, other line ends": expected.replace(b"\n", b" \r\n"),
        "wrong in the last line": expected[:-3] + b"x\n",
    }
    table = Table(title="Judging 1 MB of output, ms")
    table.add_column("checker")
    for case in cases:
        table.add_column(case, justify="right")
    for name in ("exact", "lines", "tokens", "float", "unordered", "lcb"):
        compare = checker(name)
        row = [_compare_ms(compare, output, expected, rounds) for output in cases.values()]
        table.add_row(name, *(f"{each:.1f}" for each in row))
    return table


def _compare_ms(compare: Checker, output: bytes, expected: bytes, rounds: int) -> float:
    return statistics.median(_timed(lambda: compare.compare_output(b"", output, expected)) for _ in range(rounds)) * 1e3


if __name__ == "__main__":
    main()
