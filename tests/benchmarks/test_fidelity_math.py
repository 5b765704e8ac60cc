"""The replay of labelled mathematics: each row's options honoured, both verifiers beside what is asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.fidelity import math
from benchmarks.fidelity.__main__ import main
from benchmarks.fidelity.options import Options
from mars.audit import peers  # noqa: F401  (registers math-verify for the whole session)
from mars.symbolic.policy import Policy

SUITE = {"match_types": ["latex", "expr"], "precision": 6, "strict": True, "allow_set_relation_comp": False}
FILES: dict[str, list[dict[str, Any]]] = {
    "verifiers/hardverify": [
        {"gold": "$\\frac{1}{2}$", "pred": "0.5", "expected": True},
        {"gold": "$x=2$", "pred": "x = 3", "expected": False},
    ],
    "verifiers/math_verify_suite": [
        {"gold": "$\\frac{1}{3}$", "pred": "$0.3333$", "expected": True, **SUITE, "precision": 4},
        {"gold": "$4$", "pred": "$5$", "expected": False, **SUITE},
        {"gold": "$4$", "pred": "$5$", "expected": True, **SUITE, "suspect_label": "no test of this"},
    ],
    "verifiers/tricky_math": [
        {"gold": "8", "pred": "\\boxed{8}", "expected": True, "tags": ["number"]},
        {"gold": "8", "pred": "\\boxed{8.0}", "expected": False, "tags": ["number", "policy"]},
    ],
    "graded/math_verifier_pairs": [
        {"id": "p", "gold": "7", "response": "$7$", "expected": True, "extra": {"precision": 6}},
        {"id": "wrong label", "gold": "7", "response": "$7$", "expected": False, "extra": {}},
    ],
    "graded/math500_rho1": [
        {"id": f"m{n}", "gold": str(n), "response": f"So it is $\\boxed{{{n}}}$.", "adjudicated": True}
        for n in range(5)
    ]
    + [{"id": "unclear", "gold": "1", "response": "$\\boxed{1}$", "adjudicated": "ambiguous"}],
    "graded/gsm8k_openai_solutions": [
        {"id": "g", "gold": "18", "response": "She makes 9 * 2 = <<9*2=18>>18\nA: 18", "official_correct": True},
    ],
}


def write(folder: Path, files: Mapping[str, Iterable[Mapping[str, Any]]]) -> str:
    for name, rows in files.items():
        file = folder / f"{name}.jsonl"
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(folder)


@pytest.mark.parametrize(
    ("row", "settings", "why"),
    [
        ({}, {}, "a row without options is judged by its profile"),
        ({"precision": 4}, {"decimals": 4}, "digits behind the point"),
        ({"allow_set_relation_comp": True}, {"relations": True}, "a relation may stand for a set"),
        ({"allow_set_relation_comp": False}, {"relations": False}, "or may not"),
        (SUITE, {"decimals": 6, "relations": False}, "strict and match_types speak of Math-Verify's own parts"),
    ],
)
def test_options_become_a_policy(row: dict[str, Any], settings: dict[str, Any], why: str) -> None:
    assert math.options_policy(row) == settings, why
    assert set(settings) <= set(Policy.__dataclass_fields__)


def test_options_reach_the_peer_as_they_are() -> None:
    assert math.peer_options({**SUITE, "gold": "1"}) == SUITE


@pytest.mark.parametrize(
    ("measures", "target", "met", "why"),
    [
        ({"recall": 0.8, "false_positive_rate": 0.004}, {"recall": 0.8, "false_positive_rate": 0.004}, True, "just"),
        ({"recall": 0.9, "false_positive_rate": 0.01}, {"recall": 0.8, "false_positive_rate": 0.004}, False, "loose"),
        ({"recall": 0.7, "false_positive_rate": 0.0}, {"recall": 0.8, "false_positive_rate": 0.004}, False, "timid"),
        ({"p99_ms": 60.0}, {"p99_ms": 50}, False, "times are to be small"),
        ({"recall": None}, {"recall": 0.8}, False, "what was not measured is not met"),
        ({}, {"recall": 0.8}, False, "nor what is missing"),
    ],
)
def test_a_target_is_met_by_all_its_measures(
    measures: dict[str, Any], target: dict[str, float], met: bool, why: str
) -> None:
    assert math.meets(measures, target) is met, why


def test_the_report_has_both_verifiers_on_every_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--data", write(tmp_path, FILES), "--only", "math", "--json"])
    report = json.loads(capsys.readouterr().out)["math"]
    assert code == 1
    assert [name for name, found in report.items() if found.get("absent")] == ["gsm8k_rho1", "math_qwen25_n8"]
    assert {name: found["mars"]["n"] for name, found in report.items() if "left_out" in found} == {
        "hardverify": 2,
        "math_verify_suite": 2,
        "tricky_math": 1,
        "math_verifier_pairs": 2,
        "math500_rho1": 5,
        "gsm8k_openai_solutions": 1,
    }
    assert report["math_verify_suite"]["left_out"] == {"the label is suspect": 1}
    assert report["tricky_math"]["left_out"] == {"tagged policy": 1}
    assert report["math500_rho1"]["left_out"] == {"the label is not true or false": 1}
    for who in ("mars", "math-verify"):
        found = {name: each[who]["accuracy"] for name, each in report.items() if "left_out" in each}
        assert found == dict.fromkeys(found, 1.0) | {"math_verifier_pairs": 0.5}
    [listed] = [each for found in report.values() for each in found["disagreements"]]
    assert (listed["id"], listed["kind"]) == ("wrong label", "wrong accepted")
    assert (listed["expected"], listed["got"]) == ("wrong", "right")
    assert report["hardverify"]["met"] and not report["math_verifier_pairs"]["met"]


def test_the_pace_is_of_both_in_a_process_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, {"graded/math500_rho1": FILES["graded/math500_rho1"]})
    found = math.replay(tmp_path, Options(limit=4))
    assert (found["throughput"]["records"], found["throughput"]["judged_by_both"]) == (4, 4)
    ratio = found["throughput"]["mars"]["per_second"] / found["throughput"]["math-verify"]["per_second"]
    assert found["throughput"]["ratio"] == pytest.approx(ratio, rel=0.05)
    assert (found["time"]["records"], found["math500_rho1"]["records"]) == (4, 4)


def test_an_answer_that_freezes_a_verifier_does_not_freeze_the_timing() -> None:
    bomb = "\\boxed{9^{9^{9^9}}}"
    found = math.pace([("1", "$\\boxed{1}$"), ("2", "$\\boxed{2}$"), ("4", bomb)], guard_s=5)
    assert found["math-verify"]["n"] == 2
    assert found["mars"]["n"] == 3
    assert found["judged_by_both"] == 2


def test_the_screen_shows_what_is_asked_beside_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write(tmp_path, {"verifiers/hardverify": FILES["verifiers/hardverify"]})
    assert main(["--data", data]) == 0
    shown = capsys.readouterr()
    rows = [line.split() for line in shown.out.splitlines()]
    assert ["hardverify", "2", "recall", "≥", "0.8", "1.0000", "1.0000", "yes"] in rows
    assert ["false", "positives", "≤", "0.004", "0.0000", "0.0000", "yes"] in rows
    assert ["gsm8k_rho1", "absent"] in rows
    assert "lcb_v5_problems.jsonl" in shown.err


def test_missing_data_is_said_to_be_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path), "--only", "math"]) == 2
    assert "hardverify.jsonl" in capsys.readouterr().err
