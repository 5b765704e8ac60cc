"""`mars sandbox` as a user types it, with the real sandbox."""

from __future__ import annotations

import importlib.util
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mars.sandboxing.show import LAYERS, visible
from sandboxes import local
from tests.mars.sandboxing.conftest import MARS, Command

Write = Callable[[str, Any], Path]
SUM = "print(sum(map(int, input().split())))\n"
TESTS = [{"stdin": "1 2\n", "expected": "3\n"}, {"stdin": "4", "expected": "4"}]
pytestmark = pytest.mark.usefixtures("local_sandbox")


def test_a_program_that_passes_its_tests_is_accepted(mars: Command, write: Write) -> None:
    write("sum.py", SUM)
    write("t.json", TESTS)
    done = mars("run", "sum.py", "--tests", "t.json")
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[0] == ["test", "verdict", "CPU", "wall", "memory", "note"]
    assert [row[:2] for row in rows[1:3]] == [["1", "accepted"], ["2", "accepted"]]
    assert re.search(r" \d+ ms .* MiB", done.stdout)
    assert done.stdout.splitlines()[-1] == "accepted: 2 of 2 tests accepted; local (namespaces)"


def test_a_program_that_fails_gets_a_verdict_a_test_and_exit_code_1(mars: Command, write: Write) -> None:
    write("sum.py", SUM)
    write("t.json", [*TESTS, {"stdin": "x", "expected": ""}, {"stdin": "2", "expected": "3"}])
    out = mars("run", "sum.py", "--tests", "t.json", code=1).stdout
    assert "runtime error" in out and "invalid literal for int() with base 10: 'x'" in out
    assert "wrong answer" in out and "line 1: got '2', expected '3'" in out
    assert out.splitlines()[-1].startswith("runtime error: 2 of 4 tests accepted")


def test_json_has_the_codes_of_judges_and_nothing_else_is_printed(mars: Command, write: Write) -> None:
    write("sum.py", SUM)
    write("t.json", [{"stdin": "2", "expected": "3"}, *TESTS])
    found = json.loads(mars("run", "sum.py", "-t", "t.json", "--json", "--stop-early", code=1).stdout)
    assert (found["verdict"], found["passed"], found["fraction"]) == ("WA", False, 0.0)
    assert [case["verdict"] for case in found["cases"]] == ["WA", "SKIPPED", "SKIPPED"]
    assert (found["backend"], found["isolation"], found["tampering"]) == ("local", "namespaces", "out_of_process")


def test_the_command_line_is_heard_over_the_tests_and_those_over_the_recipe(mars: Command, write: Write) -> None:
    write("third.py", "print(1 / 3)\n")
    write("r.yaml", "sandbox: {checker: exact, limits: {cpu_s: 7, memory_mb: 300}, stop_early: true}")
    write("exact.json", [{"expected": "0.3333"}, {"expected": "0.3333"}])
    write("close.json", {"tests": [{"expected": "0.3333"}], "checker": "float:rtol=1e-3"})
    found = json.loads(mars("run", "third.py", "-t", "exact.json", "-r", "r.yaml", "--json", code=1).stdout)
    assert [case["verdict"] for case in found["cases"]] == ["WA", "SKIPPED"]
    assert "byte 7" in found["note"]
    mars("run", "third.py", "-t", "close.json", "-r", "r.yaml")
    mars("run", "third.py", "-t", "close.json", "-r", "r.yaml", "--checker", "lines", code=1)
    mars("run", "third.py", "-t", "exact.json", "-r", "r.yaml", "--checker", "float:rtol=1e-3")


def test_limits_are_kept(mars: Command, write: Write) -> None:
    write("loop.py", "while True: pass\n")
    write("t.json", {"limits": {"cpu_s": 30}, "tests": [{"expected": ""}]})
    out = mars("run", "loop.py", "-t", "t.json", "--limits", "cpu_s=0.2,memory_mb=64", code=1).stdout
    assert "time limit" in out and "more than 0.2 CPU seconds" in out


def test_tests_in_the_programs_own_process_are_said_to_be_weaker(mars: Command, write: Write) -> None:
    write("f.py", "def f(x): return x + 1\n")
    suite = "import unittest\nclass T(unittest.TestCase):\n    def test_f(self):\n        self.assertEqual(f(1), 2)\n"
    write("t.json", [{"function": "f", "args": [1], "expected": 2}, {"assert": "assert f(2) == 3"}])
    write("suite.json", [{"unittest": suite}])
    assert "tamper" not in mars("run", "f.py", "-t", "t.json").stdout
    assert "where it could tamper with them" in mars("run", "f.py", "-t", "suite.json").stdout


def test_a_special_judge_that_fails_is_no_verdict_and_exit_code_3(mars: Command, write: Write) -> None:
    write("a.py", "print(1)\n")
    write("t.json", [{"expected": "1"}])
    write("judge.py", "import sys\nprint('close enough', file=sys.stderr)\n")
    write("broken.py", "1 / 0\n")
    assert "close enough" in mars("run", "a.py", "-t", "t.json", "--checker", "special:judge.py").stdout
    out = mars("run", "a.py", "-t", "t.json", "--checker", "special:broken.py", code=3).stdout
    assert "internal error" in out and "no verdict on the program" in out


@pytest.mark.skipif(not shutil.which("gcc"), reason="no C compiler here")
def test_what_the_compiler_said_is_shown(mars: Command, write: Write) -> None:
    write("a.c", "int main(void) { return x; }\n")
    write("t.json", [{"expected": ""}])
    out = mars("run", "a.c", "-t", "t.json", code=1).stdout
    assert "compile error" in out and "undeclared" in out
    assert "did not compile" in mars("run", "a.c", code=1).stderr


def test_without_tests_a_program_is_run_once_and_its_output_passed_on(mars: Command, write: Write) -> None:
    write("sum.py", SUM)
    write("in.txt", "5 6\n")
    done = mars("run", "sum.py", "--stdin", "-", stdin="3 4\n")
    assert done.stdout == "7\n"
    assert re.fullmatch(r"ended well: .* CPU, .* wall, .* memory; local \(namespaces\)\n", done.stderr)
    assert mars("run", "sum.py", "--stdin", "in.txt").stdout == "11\n"
    failed = mars("run", "sum.py", code=1)
    assert failed.stdout == "" and "EOFError" in failed.stderr and "runtime error (exit code 1" in failed.stderr


def test_a_run_as_json_has_the_facts(mars: Command, write: Write) -> None:
    write("a.py", "import sys; print(*sys.argv[1:]); sys.exit(4)\n")
    found = json.loads(mars("run", "a.py", "--json", "--", "-x", "two words", code=1).stdout)
    assert (found["outcome"]["exit_code"], found["outcome"]["stdout"]) == (4, "-x two words\n")


def test_a_program_cannot_steer_the_terminal_by_what_it_writes(mars: Command, write: Write, tmp_path: Path) -> None:
    write("a.py", "import sys; print('\\x1b[2J[red]'); sys.exit('\\x1b]0;owned\\x07[bold]')\n")
    write("t.json", [{"expected": "1"}])
    out = mars("run", "a.py", "-t", "t.json", code=1).stdout
    assert "\\x1b]0;owned\\x07[bold]" in out and "\x1b" not in out
    assert visible("a\x1b[2J\u202eb\n\tc") == "a\\x1b[2J\\u202eb\n\tc"
    ours, theirs = pty.openpty()
    subprocess.run(
        [MARS, "sandbox", "run", "a.py"], cwd=tmp_path, stdout=theirs, stderr=subprocess.DEVNULL, check=False
    )
    assert os.read(ours, 100) == b"\\x1b[2J[red]\r\n"
    assert mars("run", "a.py", code=1).stdout == "\x1b[2J[red]\n", "what is no terminal gets every byte"


MISTAKES = [
    (["run", "a.py", "--tests", "none.json"], "cannot read the tests none.json"),
    (["run", "a.py", "-t", "empty.json"], "empty.json: there are no tests in it"),
    (["run", "a.py", "--checker", "lines"], "--checker needs --tests"),
    (["run", "a.py", "--stdin", "none"], "--stdin none: cannot read it: No such file or directory"),
    (["run", "a.py", "-t", "t.json", "--stdin", "-"], "--stdin has no place beside --tests"),
    (["run", "a.py", "-t", "t.json", "--checker", "flaot"], "--checker: no checker 'flaot'. Did you mean 'float'?"),
    (["run", "a.py", "-t", "t.json", "--checker", "special:none.py"], "cannot read the program none.py"),
    (["run", "a.py", "--limits", "cpu_s=1e6"], "limits: cpu_s must be above 0 and at most 100000, not 1000000.0"),
    (
        ["run", "a.py", "--limits", "open_files=3"],
        "limits: open_files must be a whole number, at least 16 and at most 1048576, not 3",
    ),
    (["run", "a.py", "-t", "call.json", "--fresh"], "test 1 is a CallCase; fresh is for tests by standard input"),
    (["run", "a.py", "--limits", "cpu=1"], "--limits: limits.cpu: no such key. Did you mean 'cpu_s'?"),
    (["run", "a.py", "--language", "pyton"], "--language pyton: no such language. Did you mean 'python'?"),
    (["run", "a.py", "--backend", "lokal"], "--backend lokal: no such backend. Did you mean 'local'?"),
    (["run", "a.py", "--recipe", "r.yaml"], "r.yaml:1: sandbox.limits.cpu: no such key. Did you mean 'cpu_s'?"),
    (["run", "a.py", "--set", "sandbox.worker=1"], "--set sandbox.worker: sandbox.worker: no such key. Did you mean"),
    (["run", "a.sh", "-t", "call.json"], "test 1 is a CallCase, which takes a Python program, not bash"),
    (["run", "a.py", "-b", "remote"], "the command line: sandbox.url: the remote backend needs this key"),
    (["serve", "--host", "0.0.0.0", "--no-token"], "whoever reaches 0.0.0.0 could run programs without a token"),
    (["serve", "--set", "sandbox.limits.cpu_s=9999"], "sandbox.limits: the limit cpu_s is 9999"),
    (["build-image", "--include", "a.py"], "--include needs --from-host"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=[message for _, message in MISTAKES])
def test_a_mistake_is_one_line_and_exit_code_2(mars: Command, write: Write, arguments: list[str], message: str) -> None:
    write("a.py", "print(1)\n")
    write("a.sh", "echo 1\n")
    write("t.json", TESTS)
    write("empty.json", [])
    write("call.json", [{"function": "f", "expected": 1}])
    write("r.yaml", "sandbox: {limits: {cpu: 1}}\n")
    err = mars(*arguments, code=2).stderr
    assert message in err and "Traceback" not in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("sabotage", ["raise KeyError('odd')", "raise RuntimeError", "raise EOFError", "1 / 0"])
def test_a_surprise_is_no_verdict(tmp_path: Path, write: Write, sabotage: str) -> None:
    write("a.py", "print(1)\n")
    code = f"""
import sandboxes, sys
from mars.cli import main
def broken(*_, **__): {sabotage}
sandboxes.Sandbox.run = broken
sys.argv = ["mars", "sandbox", "run", "a.py"]
main()
"""
    command = [str(Path(MARS).with_name("python")), "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 3 and "no verdict: " in done.stderr


def test_every_layer_says_what_it_stops_and_how_to_have_it() -> None:
    assert tuple(LAYERS) == local.LAYERS
    assert all(all(words) for words in LAYERS.values())


def test_the_probe_shows_every_layer_and_runs_a_program(mars: Command) -> None:
    out = mars("probe").stdout
    assert all(any(line.split()[:1] == [name] for line in out.splitlines()) for name in LAYERS)
    assert out.splitlines()[-1].startswith("safe: ")
    found = json.loads(mars("probe", "--json").stdout)
    assert found["safe"] and found["isolation"] == "namespaces" and list(found["layers"])[: len(LAYERS)] == list(LAYERS)


def test_where_the_walls_are_missing_the_probe_says_which_and_what_to_do(tmp_path: Path) -> None:
    # In a user namespace that may make no further ones, as on a machine that forbids them.
    script = f"echo 0 > /proc/sys/user/max_user_namespaces && exec {MARS} sandbox probe"
    try:
        done = subprocess.run(["unshare", "-Ur", "sh", "-c", script], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no unshare command here")
    if done.returncode != 1 or "not safe" not in done.stdout:
        pytest.skip(f"cannot forbid user namespaces here: {done.stderr[-200:]}")
    assert re.search(r"users .*unshare", done.stdout) and "not reached" in done.stdout
    assert "the layer 'users' is missing" in done.stderr and "sysctl" in done.stderr


def test_a_backend_without_walls_is_never_called_safe(mars: Command, write: Write) -> None:
    done = mars("probe", "--backend", "unsafe-subprocess", code=1)
    assert "not safe" in done.stdout and "no walls" in done.stderr
    write("a.py", "print(1)\n")
    ran = mars("run", "a.py", "-b", "unsafe-subprocess")
    assert ran.stdout == "1\n" and "has no walls" in ran.stderr


@contextmanager
def served(folder: Path, *arguments: str) -> Iterator[str]:
    """A server in another process, on a free port; gives its address."""
    environment = {name: value for name, value in os.environ.items() if name != "MARS_SANDBOX_TOKEN"}
    command = [MARS, "sandbox", "serve", "--port", "0", "--workers", "1", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder, env=environment) as process:
        try:
            assert process.stderr is not None
            assert select.select([process.stderr], [], [], 60)[0], "the server does not start"
            line = process.stderr.readline()
            address = re.search(r"http://\S+", line)
            assert address, line + process.stderr.read()
            yield address[0]
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130


@pytest.mark.skipif(not importlib.util.find_spec("fastapi"), reason="needs mars-rewards[serve]")
def test_what_is_served_judges_for_whoever_has_the_token(
    mars: Command, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("sum.py", SUM)
    write("t.json", TESTS)
    monkeypatch.setenv("HERE", "a secret")
    with served(tmp_path, "--token", "a secret") as address:
        there = ["--backend", "remote", "--set", f"sandbox.url={address}"]
        known = [*there, "--set", "sandbox.token_env=HERE"]
        out = mars("run", "sum.py", "-t", "t.json", *known).stdout
        assert "accepted: 2 of 2 tests accepted; remote (remote)" in out
        assert "on a server" in mars("probe", *known).stdout
        assert "wants another token" in mars("run", "sum.py", "-t", "t.json", *there, code=2).stderr
        assert "wants another token" in mars("probe", *there, code=1).stderr


def test_without_an_extra_its_package_and_the_remedy_are_named(mars: Command, write: Write, tmp_path: Path) -> None:
    for package in ("fastapi", "uvicorn"):
        write(f"{package}.py", f"raise ModuleNotFoundError('no {package}', name='{package}')\n")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [MARS, "sandbox", "serve", "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2
    assert re.fullmatch(r"error: the server needs the package \w+: pip install 'mars-rewards\[serve\]'\n", done.stderr)


def test_without_an_engine_docker_is_said_to_be_missing(mars: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/docker.sock")
    assert "no container engine answers" in mars("build-image", code=2).stderr
    assert "no container engine answers" in mars("probe", "--backend", "docker", code=1).stderr
    assert mars("build-image", "--print").stdout.startswith("FROM ")


def test_an_image_of_this_machines_python_judges(mars: Command, write: Write) -> None:
    docker = pytest.importorskip("docker")
    try:
        images = docker.from_env().images
        images.client.ping()
    except docker.errors.DockerException as error:
        pytest.skip(f"no container engine answers: {error}")
    name = "mars-sandbox-test:command-line"
    write("sum.py", SUM)
    write("t.json", TESTS)
    write("r.yaml", f"sandbox: {{backend: docker, workers: 1, image: '{name}'}}")
    assert "Make it: mars sandbox build-image" in mars("run", "sum.py", "-t", "t.json", "-r", "r.yaml", code=2).stderr
    try:
        assert mars("build-image", "--from-host", "--tag", name).stdout.startswith(f"{name} sha256:")
        assert "docker (container)" in mars("run", "sum.py", "-t", "t.json", "-r", "r.yaml").stdout
        assert "in containers" in mars("probe", "-r", "r.yaml").stdout
    finally:
        images.remove(name, force=True)


def test_joining_the_command_line_costs_no_sandbox(tmp_path: Path) -> None:
    code = "import sys, mars.sandboxing.cli; print({'sandboxes.sandbox', 'sandboxes.checkers'} & sys.modules.keys())"
    seen = subprocess.run([Path(MARS).with_name("python"), "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "set()"
