"""`mars verify`: a verdict with its explanation, a file of them, and references against themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mars.errors import DataError, MarsError
from mars.verifying import Verifier, verify, verify_file
from tests.mars.verifying.conftest import Command, Write

KEYS = {"verdict", "status", "reason", "extracted", "stage", "rule", "reference_form", "answer_form", "seconds"}
ROWS = [
    {"id": "a", "gold": "1/2", "pred": "\\boxed{0.5}"},
    {"id": "b", "gold": "3", "pred": "So it is $\\boxed{4}$."},
    {"gold": "2", "pred": "<think>2"},
]


class TestOneAnswer:
    def test_a_right_answer_is_explained(self, command: Command) -> None:
        out = command("verify", "--gold", "14/2", "--answer", "A week: $\\boxed{7}$").stdout
        rows = {line.partition("  ")[0]: line for line in out.splitlines()}
        assert "right" in rows["verdict"]
        assert rows["extracted"].split() == ["extracted", "7"]
        assert {"reason", "time"} <= rows.keys()

    def test_json_is_one_object_with_all_that_explains_it(self, command: Command) -> None:
        found = json.loads(command("verify", "--gold", "3", "--answer", "\\boxed{4}", "--json").stdout)
        assert found.keys() >= KEYS | {"gold", "answer"}
        assert (found["verdict"], found["status"], found["gold"], found["extracted"]) == (False, "ok", "3", "4")
        assert found["seconds"] > 0

    def test_a_negative_answer_is_no_option(self, command: Command) -> None:
        assert json.loads(command("verify", "--gold", "-5", "--answer", "-5", "--json").stdout)["verdict"] is True

    def test_an_answer_cannot_steer_the_terminal_or_the_markup(self, command: Command) -> None:
        out = command("verify", "--gold", "a", "--source", "exact", "--answer", "\x1b[2J\ud800[bold]b").stdout
        assert "\x1b" not in out
        assert "\\x1b[2J\\ud800[bold]b" in out

    @pytest.mark.parametrize(("answer", "code"), [("2", 0), ("3", 1), ("shrug", 3)])
    def test_the_exit_code_tells_the_verdict_where_it_is_asked_to(
        self, answer: str, code: int, command: Command, moody: Path
    ) -> None:
        one = ["verify", "--gold", "2", "--answer", answer, "--source", "moody", "--import", moody]
        command(*one)
        command(*one, "--exit-code", code=code)

    def test_a_missing_verdict_is_null_with_its_status(self, command: Command, moody: Path) -> None:
        one = ["verify", "--gold", "2", "--source", "moody", "--import", moody, "--json"]
        found = {answer: json.loads(command(*one, "--answer", answer).stdout) for answer in ("shrug", "hang", "raise")}
        assert {answer: each["verdict"] for answer, each in found.items()} == dict.fromkeys(found)
        assert [each["status"] for each in found.values()] == ["undecided", "timeout", "error"]
        assert found["shrug"]["extracted"] == "shrug"
        assert "no answer within 0.5 s" in found["hang"]["reason"]

    def test_the_same_from_python(self) -> None:
        assert verify("0.5", "$\\frac{1}{2}$")["verdict"] is True
        assert verify("a", "<answer>b</answer>", source="exact")["verdict"] is False


class TestFile:
    def test_each_row_has_its_record_in_order(self, command: Command, write: Write, tmp_path: Path) -> None:
        write("in.jsonl", ROWS)
        out = command("verify", "in.jsonl", "--gold-field", "gold", "--answer-field", "pred", "-o", "out.jsonl").stdout
        found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        assert [(each["line"], each.get("id")) for each in found] == [(1, "a"), (2, "b"), (3, None)]
        assert [each["verdict"] for each in found] == [True, False, False]
        assert all(each.keys() >= KEYS for each in found)
        table = [line.split()[:3] for line in out.splitlines()]
        assert ["right", "1", "33.3%"] in table and ["wrong", "2", "66.7%"] in table

    def test_order_and_lines_hold_over_many_chunks(self, write: Write, tmp_path: Path) -> None:
        source = write("in.jsonl", ({"gold": str(n), "pred": str(n + n % 2)} for n in range(1500)))
        with Verifier("exact") as verifier:
            counts = verify_file(source, tmp_path / "out.jsonl", verifier)
        found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        assert [(each["line"], each["verdict"]) for each in found] == [(n + 1, n % 2 == 0) for n in range(1500)]
        assert (counts.rows, counts.verdicts[True], counts.verdicts[False]) == (1500, 750, 750)

    def test_one_that_hangs_costs_its_deadline_and_the_others_nothing(
        self, command: Command, write: Write, moody: Path, tmp_path: Path
    ) -> None:
        write("in.jsonl", [{"gold": "1", "pred": answer} for answer in ("1", "hang", "2", "1 ")])
        chosen = ["--source", "moody", "--import", moody, "--workers", "1", "--json"]
        summary = json.loads(command("verify", "in.jsonl", "-o", "out.jsonl", *chosen).stdout)
        found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        assert [each["verdict"] for each in found] == [True, None, False, True]
        assert (summary["rows"], summary["true"], summary["false"], summary["null"]) == (4, 2, 1, 1)
        assert summary["statuses"] == {"ok": 3, "timeout": 1}
        assert summary["stages"] == {"identical": 3}

    @pytest.mark.parametrize(
        ("last", "message"),
        [('{"gold": "1"}', "in.jsonl:601: the row has no 'pred'"), ("{oops", "in.jsonl:601: not JSON")],
        ids=["missing field", "not JSON"],
    )
    def test_an_output_that_is_cut_short_never_looks_finished(self, last: str, message: str, tmp_path: Path) -> None:
        source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
        source.write_text('{"gold": "1", "pred": "1"}\n' * 600 + last + "\n")
        target.write_text("what was there\n")
        with Verifier("exact") as verifier, pytest.raises(DataError, match=message):
            verify_file(source, target, verifier)
        assert target.read_text() == "what was there\n"
        assert sorted(each.name for each in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]

    def test_a_link_stays_a_link_and_a_device_a_device(self, write: Write, tmp_path: Path) -> None:
        source = write("in.jsonl", ROWS[:1])
        (tmp_path / "link.jsonl").symlink_to(tmp_path / "real.jsonl")
        with Verifier("exact") as verifier:
            verify_file(source, tmp_path / "link.jsonl", verifier)
            verify_file(source, Path(os.devnull), verifier)
        assert (tmp_path / "link.jsonl").is_symlink()
        assert len((tmp_path / "real.jsonl").read_text().splitlines()) == 1
        assert not Path(os.devnull).is_file()


class TestSelfCheck:
    def test_references_that_answer_themselves_pass(self, command: Command, write: Write) -> None:
        write("in.jsonl", [{"truth": "\\frac{3}{4}"}, {"truth": "12"}])
        assert "refused" not in command("verify", "--self-check", "in.jsonl", "--gold-field", "truth").output

    def test_one_that_does_not_is_listed_and_exits_with_1(self, command: Command, write: Write, moody: Path) -> None:
        write("in.jsonl", [{"gold": "1"}, {"id": "odd", "gold": "shrug"}])
        chosen = ["verify", "--self-check", "in.jsonl", "--source", "moody", "--import", moody]
        result = command(*chosen, code=1)
        assert "1 of 2 references" in result.output
        assert any({"2", "odd", "shrug"} <= set(line.split()) for line in result.stdout.splitlines())
        [refused] = json.loads(command(*chosen, "--json", code=1).stdout)["refused"]
        assert (refused["line"], refused["gold"], refused["reason"]) == (2, "shrug", "cannot tell")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--gold G --answer A, or FILE"),
        (["--gold", "1"], "--gold G --answer A, or FILE"),
        (["in.jsonl", "--gold", "1", "--answer", "1"], "--gold G --answer A, or FILE"),
        (["in.jsonl"], "--output OUT.jsonl"),
        (["in.jsonl", "-o", "in.jsonl"], "would overwrite the input"),
        (["in.jsonl", "-o", "o.jsonl", "--answer-field", "said"], "in.jsonl:1: the row has no 'said'"),
        (["in.jsonl", "-o", "no/o.jsonl"], "cannot write no/o.jsonl"),
        (["in.jsonl", "--self-check", "-o", "o.jsonl"], "--self-check needs no --output"),
        (["in.jsonl", "-o", "o.jsonl", "--exit-code"], "--exit-code is for one answer"),
        (["--gold", "1", "--answer", "1", "--self-check"], "--self-check needs a FILE"),
        (["--gold", "1", "--answer", "1", "--source", "maths"], "Did you mean 'math'?"),
        (["--gold", "1", "--answer", "1", "--setting", "precison=2"], "no setting 'precison'"),
        (["--gold", "1", "--answer", "1", "--source", "exact", "--profile", "aime"], "'exact' has no profiles"),
    ],
)
def test_mistakes_are_explained(arguments: list[str], message: str, command: Command, write: Write) -> None:
    write("in.jsonl", ROWS)
    failure = command("verify", *arguments, code=1).exception
    assert isinstance(failure, MarsError)
    assert message in str(failure)


def test_the_installed_command_exits_with_2_on_a_bad_row(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"gold": "1", "pred": "1"}\n{"gold": "1"\n')
    mars = Path(sys.executable).with_name("mars")
    done = subprocess.run(
        [mars, "verify", "in.jsonl", "--source", "exact", "-o", "out.jsonl"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "in.jsonl:2: not JSON" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out.jsonl").exists()
