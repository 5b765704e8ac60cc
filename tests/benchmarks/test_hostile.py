"""The corpus tool believes nothing: it reports wrong verdicts, broken checks, and whatever it does not know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.hostile.__main__ import main
from benchmarks.hostile.checks import CHECKS
from benchmarks.hostile.corpus import EverySecond, load
from sandboxes.checkers import checker
from sandboxes.types import AssertCase, CallCase, Limits, StdioCase

pytestmark = pytest.mark.usefixtures("folder")

SUM = "a, b = map(int, input().split())\nprint(a + b)\n"
TASKS: dict[str, Any] = {
    "sum": {
        "type": "stdio",
        "tests": [{"stdin": "1 2\n", "expected_stdout": "3\n"}, {"stdin": "5 -7\n", "expected_stdout": "-2\n"}],
        "time_s": 2,
        "memory_mb": 256,
        "output_kb": 64,
        "processes": 16,
    },
    "add": {"type": "call", "fn_name": "add", "tests": [{"args": [1, 2], "expected": 3}], "time_s": 2},
    "pair": {
        "type": "call",
        "fn_name": "solve",
        "tests": [{"args": [[2, 1]], "expected": [1, 2]}],
        "accept_tuple_as_list": True,
    },
    "asserted": {
        "type": "assert",
        "entry_point": "add",
        "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n",
        "equivalent_call_tests": [],
    },
    "mean": {
        "type": "stdio",
        "checker": {"kind": "float", "rtol": 1e-6, "atol": 1e-9},
        "tests": [{"stdin": "1 2\n", "expected_stdout": "1.5\n"}],
    },
    "big": {
        "type": "stdio",
        "generated": "stdin = ' '.join(str(i*7%11) for i in range(6)); expected = every second token, one a line",
    },
}


def program(name: str, **fields: Any) -> dict[str, Any]:
    """An entry of a manifest, with what the test does not care about filled in."""
    usual: dict[str, Any] = {
        "task": "sum",
        "category": "verdict",
        "verdict_in": ["AC"],
        "never": ["IE"],
        "checks": [],
        "limits": {},
        "max_wall_s": 12,
        "source_json": SUM,
    }
    return {"id": name} | usual | fields


def write(folder: Path, *programs: Mapping[str, Any], tasks: Mapping[str, Any] = TASKS) -> Path:
    (folder / "manifest.json").write_text(json.dumps({"tasks": tasks, "programs": programs}))
    return folder


class TestManifest:
    def test_limits_of_a_program_override_those_of_its_task(self, tmp_path: Path) -> None:
        [found] = load(write(tmp_path, program("x", limits={"time_s": 5, "fetch_files": ["out.txt"]}))).entries
        assert found.limits == Limits(cpu_s=5, memory_mb=256, output_kb=64, processes=16)
        assert found.fetch == ("out.txt",)

    def test_a_task_becomes_tests_of_its_protocol(self, tmp_path: Path) -> None:
        names = ("sum", "add", "asserted")
        corpus = load(write(tmp_path, *(program(name, task=name) for name in names)))
        assert [each.task.tests[0] for each in corpus.entries] == [
            StdioCase("1 2\n", "3\n"),
            CallCase("add", (1, 2), 3),
            AssertCase(TASKS["asserted"]["test"], "add"),
        ]

    def test_checkers_are_those_that_the_task_asks_for(self, tmp_path: Path) -> None:
        corpus = load(write(tmp_path, *(program(name, task=name) for name in ("mean", "pair", "sum"))))
        mean, pair, plain = (checker(each.task.checker) for each in corpus.entries)
        assert mean.compare_output(b"", b"1.50000001", b"1.5").accepted
        assert not plain.compare_output(b"", b"1.50000001", b"1.5").accepted
        assert pair.compare_values((1, 2), [1, 2]).accepted
        assert not plain.compare_values((1, 2), [1, 2]).accepted

    def test_generated_tests_are_made_as_the_words_say_from_either_token_on(self, tmp_path: Path) -> None:
        [found] = load(write(tmp_path, program("x", task="big"))).entries
        [test] = found.task.tests
        assert isinstance(test, StdioCase)
        assert (test.stdin, test.expected) == ("0 7 3 10 6 2", "0\n3\n6\n")
        compare = found.task.checker
        assert compare is not None
        answers = {
            text: compare.compare_output(b"0 7 3 10 6 2", text, b"0\n3\n6\n").accepted
            for text in (b"0\n3\n6\n", b"7\n10\n2\n", b"0\n7\n3\n10\n6\n2\n", b"")
        }
        assert list(answers.values()) == [True, True, False, False]

    def test_bytes_of_a_file_reach_the_program_unchanged(self, tmp_path: Path) -> None:
        data = b"\xef\xbb\xbfprint(1)\r\n\0 \xff"
        (tmp_path / "x.py").write_bytes(data)
        [found] = load(write(tmp_path, program("x", file="x.py", source_json=None))).entries
        assert found.program.source.encode("utf-8", "surrogateescape") == data

    def test_source_given_as_json_may_hold_what_no_file_can(self, tmp_path: Path) -> None:
        [found] = load(write(tmp_path, program("x", file=None, source_json="x = '\ud800'"))).entries
        assert found.program.source == "x = '\ud800'"

    @pytest.mark.parametrize(
        ("changes", "named"),
        [
            ({"task": "nowhere"}, "nowhere"),
            ({"task": "strange"}, "telepathy"),
            ({"task": "made_up"}, "something else"),
            ({"task": "compared"}, "vibes"),
            ({"task": "extended"}, "judge_by"),
            ({"limits": {"patience_s": 1}}, "patience_s"),
        ],
    )
    def test_what_the_tool_does_not_know_is_named(self, tmp_path: Path, changes: dict, named: str) -> None:
        strange = {
            "strange": {"type": "telepathy"},
            "made_up": {"type": "stdio", "generated": "something else"},
            "compared": TASKS["sum"] | {"checker": {"kind": "vibes"}},
            "extended": TASKS["sum"] | {"judge_by": "eye"},
        }
        corpus = load(write(tmp_path, program("x", **changes), program("y"), tasks=TASKS | strange))
        assert [each.id for each in corpus.entries] == ["y"]
        assert named in corpus.unsupported["x"]

    def test_the_honest_program_is_the_corpus_own_or_one_of_this_tool(self, tmp_path: Path) -> None:
        own = load(write(tmp_path, program("b01_plain", category="benign", source_json="print(3)"))).plain
        ours = load(write(tmp_path, program("x"))).plain
        assert (own.program.source, ours.program.source) == ("print(3)", SUM)

    def test_a_part_keeps_the_honest_program_and_what_is_unknown_in_it(self, tmp_path: Path) -> None:
        corpus = load(write(tmp_path, program("b01_plain"), program("x"), program("y", task="nowhere")))
        part = corpus.only(lambda name, category: name in ("x", "y"))
        assert [each.id for each in part.entries] == ["x"]
        assert list(part.unsupported) == ["y"]
        assert part.plain.id == "b01_plain"

    @given(tokens=st.lists(st.integers(0, 99).map(str), min_size=2), first=st.booleans())
    def test_every_second_token_is_accepted_from_the_first_or_the_second(self, tokens: list[str], first: bool) -> None:
        compare = EverySecond(checker(None))
        expected = "\n".join(tokens[::2]).encode()
        output = "\n".join(tokens[0 if first else 1 :: 2]).encode()
        assert compare.compare_output(" ".join(tokens).encode(), output, expected).accepted

    def test_every_check_of_the_shared_corpus_is_known(self, shared_data: Path) -> None:
        folder = shared_data / "hostile"
        corpus = load(folder)
        described = json.loads((folder / "manifest.json").read_text())["checks"]
        assert not corpus.unsupported
        assert {check.partition(":")[0] for check in described} <= set(CHECKS)
        assert {check.partition(":")[0] for each in corpus.entries for check in each.checks} <= set(CHECKS)


class TestCommand:
    def test_the_unprotected_backend_is_refused(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as refused:
            main(["--corpus", str(write(tmp_path, program("x"))), "--backend", "unsafe-subprocess"])
        assert refused.value.code == 2
        assert "protects nothing" in capsys.readouterr().err

    def test_a_folder_without_a_corpus_is_said_to_be_none(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["--corpus", str(tmp_path)]) == 2
        assert "manifest.json" in capsys.readouterr().err

    def test_a_corpus_that_is_survived_exits_with_0(
        self, local_backend: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cheat = "import os\nprint('{\"passed\": true}', flush=True)\nos._exit(0)\n"
        spy = (
            "import os\n"
            f"os.symlink('{folder}/secret.txt', 'out.txt')\n"
            f"try: print(open('{folder}/secret.txt').read())\n"
            "except OSError: pass\n" + SUM
        )
        daemon = (
            SUM
            + "import os, time, ctypes\nif os.fork() == 0:\n    os.setsid()\n"
            + ("    ctypes.CDLL(None).prctl(15, b'MARSSURV', 0, 0, 0)\n    time.sleep(60)\n")
        )
        never = {"verdict_in": ["WA", "RE"], "never": ["AC", "IE"]}
        report = examine(
            tmp_path,
            program("b01_plain", category="benign"),
            program("b02_call", category="benign", task="add", source_json="def add(a, b): return a + b"),
            program("b03_pair", category="benign", task="pair", source_json="def solve(xs): return tuple(sorted(xs))"),
            program("b04_assert", category="benign", task="asserted", source_json="def add(a, b): return a + b"),
            program("b05_big", category="benign", task="big", source_json="print(*input().split()[::2], sep='\\n')"),
            program("v1_exit", **never, source_json=cheat, checks=["next_run_ok", "next_run_no_pwned"]),
            program("v2_exit", **never, task="asserted", source_json="import os\nos._exit(0)"),
            program("f1_spy", source_json=spy, limits={"fetch_files": ["out.txt"]}, checks=["secret_absent"]),
            program("l1_daemon", source_json=daemon, checks=["no_survivors", "no_leftovers", "host_alive"]),
            program("k1_two", checks=["run_two_in_parallel", "logs_escaped", "host_inotify_ok", "canary_intact"]),
        )
        capsys.readouterr()
        assert {name: answer["problems"] for name, answer in report["answers"].items()} == {
            name: [] for name in report["answers"]
        }
        assert not report["after_closing"]
        assert report["code"] == 0
        assert len(report["answers"]["v1_exit"]["runs"]["parallel"]["verdicts"]) == 3
        assert set(report["answers"]["k1_two"]["runs"]) == {"alone", "parallel", "between", "two"}

    def test_what_does_not_hold_is_reported_and_exits_with_1(
        self, local_backend: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        report = examine(
            tmp_path,
            program("b1_wrong", category="benign", source_json="print(0)"),
            program("v1_honest", verdict_in=["WA"], never=["AC"]),
            program(
                "v2_claims", source_json=SUM + "import sys\nsys.stderr.write('PWNED:v2:x\\n')", checks=["no_pwned"]
            ),
            program("v3_unknown", checks=["no_magic"]),
            program("v4_unknown", task="nowhere"),
        )
        shown = capsys.readouterr().out
        counted = {name: report[name] for name in ("programs", "wrong", "broken_checks", "benign_rejected", "code")}
        assert counted == {"programs": 5, "wrong": 2, "broken_checks": 3, "benign_rejected": 1, "code": 1}
        checks = {name: {each["check"] for each in answer["problems"]} for name, answer in report["answers"].items()}
        assert checks["v2_claims"] == {"no_pwned"}
        assert checks["v3_unknown"] == {"no_magic"}
        assert "nowhere" in report["answers"]["v4_unknown"]["problems"][0]["text"]
        assert "no_magic" in shown


def examine(folder: Path, *programs: Mapping[str, Any]) -> dict[str, Any]:
    """Run the command over a corpus and return its report, with the exit code."""
    out = folder / "report.json"
    code = main(["--corpus", str(write(folder, *programs)), "--parallel", "3", "--json", str(out)])
    return json.loads(out.read_text()) | {"code": code}
