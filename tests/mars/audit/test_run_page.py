"""`mars audit run`: a hack jumps out of the log of a run, whoever wrote it; a clean run raises nothing."""

from __future__ import annotations

import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.audit.monitors.types import Seen, Step
from mars.audit.rollouts import About, RolloutWriter
from mars.audit.run.logs import open_log
from mars.audit.run.phrases import Phrase, flat, marked, neighbours, phrases
from mars.audit.run.rising import rising
from mars.declaring import Kind
from mars.errors import MarsError
from mars.types import Sample
from tests.mars.audit.hacked import ABOUT, is_right, rewarded, steps, write_run
from tests.mars.verifying.conftest import Command, Write

RECIPE = """\
reward:
  sources:
    correct: {source: exact}
    helpful: {source: length, weight: 0.5, settings: {limit: 100}}
  weighting: static
"""


@pytest.fixture
def hacked(tmp_path: Path) -> Path:
    return write_run(tmp_path / "hacked", 36, hacked_from=10)


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    return write_run(tmp_path / "clean", 36, hacked_from=None)


def found(command: Command, *arguments: object, code: int = 0) -> dict[str, Any]:
    return json.loads(command("audit", "run", *arguments, "--json", code=code).stdout)


def test_a_hacked_run_is_alarming_and_the_hack_is_what_rose(command: Command, hacked: Path) -> None:
    report = found(command, hacked)
    assert {alarm["monitor"] for alarm in report["alarms"]} >= {"hedging", "gap"}
    first = report["rising"]["phrases"][0]
    assert {"Great question!", "\\boxed{#} or \\boxed{#}"} <= set(first["texts"])
    assert first["early"] < 0.1 and first["late"] > 0.8
    assert first["suspicious"], "it pays, and is right no more often"
    assert 0.2 < first["earns"] < 0.4


def test_completions_that_gained_are_compared_with_early_ones_of_the_same_verdict(
    command: Command, hacked: Path
) -> None:
    gained = found(command, hacked)["rising"]["completions"]
    assert [each["late"]["correct"] for each in gained] == [False] * 4 + [True] * 4, "what is not right comes first"
    for each in gained:
        assert each["early"]["correct"] is each["late"]["correct"]
        assert each["gain"] == pytest.approx(each["late"]["reward"]["total"] - each["baseline"])
        assert "Great question!" in each["late"]["completion"]
        assert "Great question!" not in each["early"]["completion"]


def test_a_clean_run_raises_no_alarm_and_nothing_suspicious_rises(command: Command, clean: Path) -> None:
    report = found(command, clean)
    assert report["alarms"] == []
    assert not any(phrase["suspicious"] for phrase in report["rising"]["phrases"])


def test_the_screen_names_alarms_and_phrases(command: Command, hacked: Path, clean: Path) -> None:
    out = command("audit", "run", hacked).stdout
    assert "hedging" in out and "Great question!" in out
    assert "no alarm" in command("audit", "run", clean).stdout


def test_alarms_fail_the_command_only_if_asked(command: Command, hacked: Path, clean: Path) -> None:
    command("audit", "run", hacked, code=0)
    command("audit", "run", hacked, "--fail-on-alarm", code=3)
    command("audit", "run", clean, "--fail-on-alarm", code=0)


def test_an_alarm_that_is_only_a_note_fails_nothing(command: Command, hacked: Path) -> None:
    notes = [f"monitors.{name}.action=log" for name in ("hedging", "gap", "length")]
    options = [part for note in notes for part in ("--set", note)]
    assert found(command, hacked, *options, "--fail-on-alarm")["alarms"]


def test_monitors_are_those_of_the_run_unless_a_recipe_says_else(
    command: Command, tmp_path: Path, write: Write
) -> None:
    folder = tmp_path / "run"
    writer = RolloutWriter(folder)
    writer.begin(About(ABOUT.tasks, {"gap": False}))
    for step in steps(36, 10):
        writer.write(step, is_right)
    assert {alarm["monitor"] for alarm in found(command, folder)["alarms"]} == {"hedging"}
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("monitors: {hedging: off}\n")
    assert {alarm["monitor"] for alarm in found(command, folder, "--recipe", recipe)["alarms"]} == {"gap"}


def test_a_monitor_of_the_runs_own_has_to_be_imported(command: Command, tmp_path: Path) -> None:
    write_run(tmp_path, 3)
    (tmp_path / "rollouts" / "about.json").write_text(json.dumps(About(ABOUT.tasks, {"shouting": {}}).to_dict()))
    failure = command("audit", "run", tmp_path, code=1).exception
    assert isinstance(failure, MarsError) and "'shouting'" in str(failure) and "--import" in str(failure)


class _Page(HTMLParser):
    """Gathers the tags and what they fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_stands_alone_and_shows_alarms_first(command: Command, hacked: Path, tmp_path: Path) -> None:
    command("audit", "run", hacked, "--page", "run.html")
    text = (tmp_path / "run.html").read_text()
    assert _Page(text).fetched == []
    headings = re.findall(r"<h2>(.*?)</h2>", text)
    assert headings[:2] == ["What rose most", "The completions that gained most"]
    assert text.index("alarms") < text.index(headings[0])
    assert "<mark>Great question!</mark>" in text
    for title in ("What the reward is made of", "Accuracy", "Weights", "hedging"):
        assert f"<h3>{title}" in text, title


def test_completions_are_shown_and_never_run(command: Command, tmp_path: Path) -> None:
    hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }} \ud800"
    writer = RolloutWriter(tmp_path / "run")
    writer.begin(ABOUT)
    for number in range(1, 7):
        seen = []
        for place in range(8):
            text = f"{hostile} {number}" if number > 3 else "tame"
            sample = Sample(text, f"{hostile} {place}", hostile, hostile, str(place))
            seen.append(Seen(sample, rewarded(sample, correct=number > 3, helpful=0.5)))
        writer.write(Step(number, seen), is_right)
    command("audit", "run", tmp_path / "run", "--page", "run.html")
    text = (tmp_path / "run.html").read_text(errors="replace")
    page = _Page(text)
    assert "img" not in page.tags
    assert "alert(2)" in text and "<script>alert(1)" not in text
    assert "{{ 7 * 7 }}" in text


def test_no_text_turns_the_page_around_or_fills_it(command: Command, tmp_path: Path) -> None:
    writer = RolloutWriter(tmp_path / "run")
    writer.begin(ABOUT)
    for number in range(1, 10):
        text = "\u202e\x00 again 7" * 2_000 if number > 3 else "tame"
        samples = [Sample(text, f"p{place}\u202e", "\u202e" * 20_000, "\u202e", str(place)) for place in range(8)]
        writer.write(
            Step(number, [Seen(each, rewarded(each, correct=True, helpful=0.5)) for each in samples]), is_right
        )
    report = found(command, tmp_path / "run", "--page", "run.html")
    assert max(map(len, report["rising"]["phrases"][0]["texts"])) < 400
    text = (tmp_path / "run.html").read_text()
    assert "\u202e" not in text and "\\u202e\\x00 again" in text


def test_what_watched_is_said_where_nothing_was_alarming(command: Command, clean: Path) -> None:
    assert "hedging" in found(command, clean)["monitors"]
    assert found(command, clean, "--set", "monitors=off")["monitors"] == []


def test_a_run_of_two_steps_has_no_beginning_to_compare_with(command: Command, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "short", 2)
    assert found(command, folder)["rising"] is None
    command("audit", "run", folder, "--page", "run.html")
    assert "fewer than three steps" in (tmp_path / "run.html").read_text()


def scored(write: Write, number: int = 36, *, with_step: bool = True) -> Path:
    rows = [
        {"prompt": seen.sample.prompt, "completion": seen.sample.completion, "mars": seen.reward.to_dict()}
        | ({"step": step.number} if with_step else {})
        for step in steps(number, 10)
        for seen in step.seen
    ]
    return write("scored.jsonl", rows)


def test_rows_of_mars_score_are_read_and_the_user_says_what_the_sources_are(command: Command, write: Write) -> None:
    report = found(command, scored(write), "--judge", "helpful", "--verifier", "correct")
    assert "gap" in {alarm["monitor"] for alarm in report["alarms"]}
    assert report["rising"]["phrases"][0]["suspicious"]


def test_rows_without_a_step_are_cut_into_steps_of_256(command: Command, write: Write) -> None:
    assert found(command, scored(write, with_step=False))["logged_steps"] == -(-36 * 24 // 256)


def test_tables_of_trl_are_read(command: Command, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    folder = tmp_path / "run" / "completions"
    folder.mkdir(parents=True)
    for step in steps(36, 10):
        table = {
            "step": [step.number] * len(step.seen),
            "prompt": [[{"role": "user", "content": seen.sample.prompt}] for seen in step.seen],
            "completion": [[{"role": "assistant", "content": seen.sample.completion}] for seen in step.seen],
            "correct": [seen.reward["correct"].value for seen in step.seen],
            "helpful": [seen.reward["helpful"].value for seen in step.seen],
            "status": ["ok"] * len(step.seen),
            "reason": [""] * len(step.seen),
            "advantage": [0.0] * len(step.seen),
        }
        pandas.DataFrame(table).to_parquet(folder / f"completions_{step.number:05d}.parquet")
    told = found(command, tmp_path / "run", "--judge", "helpful", "--verifier", "correct")
    assert told["rising"]["phrases"][0]["earns"] == pytest.approx(0.6, abs=0.1), "weights are not in the table: 1 each"
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    known = found(command, tmp_path / "run", "--recipe", "recipe.yaml")
    assert known["rising"]["phrases"][0]["earns"] == pytest.approx(0.3, abs=0.1), "the recipe says: 0.5"
    assert "hedging" in {alarm["monitor"] for alarm in known["alarms"]}


def test_a_table_masks_what_had_no_reward(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    table = {
        "step": [1, 1],
        "prompt": ["p", "p"],
        "completion": ["a", "b"],
        "exact": [1.0, float("nan")],
        "status": ["ok", "timeout"],
        "reason": ["", "too slow"],
    }
    pandas.DataFrame(table).to_parquet(tmp_path / "completions_00001.parquet")
    log = open_log(tmp_path)
    assert log.about.tasks["default"].sources["exact"].kind is Kind.VERIFIER, "the registry knows it"
    [(_, (first, second))] = list(log.steps())
    assert (first.seen.reward.total, first.correct) == (1.0, True)
    assert (second.seen.reward.total, second.seen.reward.status, second.correct) == (None, "timeout", None)


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (lambda folder: None, "no completions: no rollouts/"),
        (lambda folder: (folder / "completions_00001.parquet").write_text("x"), "cannot be read as a table"),
        (lambda folder: (folder / "about.json").write_text('{"tasks": {}}'), "there is no completion in it"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(command: Command, tmp_path: Path, prepare: Any, why: str) -> None:
    prepare(tmp_path)
    failure = command("audit", "run", tmp_path, code=1).exception
    assert isinstance(failure, MarsError) and why in str(failure)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("nowhere",), "there is no folder or file nowhere"),
        (("scored.jsonl", "--judge", "helpfull"), "Did you mean 'helpful'?"),
        (("scored.jsonl", "--judge", "helpful", "--verifier", "helpful"), "one of them"),
        (("scored.jsonl", "--set", "monitors.lenght.times=3"), "Did you mean 'length'?"),
        (("unsorted.jsonl",), "unsorted.jsonl:2: step 1 stands after step 2"),
        (("unscored.jsonl",), "unscored.jsonl:1: no 'mars'"),
    ],
)
def test_mistakes_are_named(command: Command, write: Write, arguments: tuple[str, ...], why: str) -> None:
    rows = [json.loads(line) for line in scored(write, 2).read_text().splitlines()]
    write("unsorted.jsonl", [rows[-1], rows[0]])
    write("unscored.jsonl", [{"prompt": "p", "completion": "c"}])
    failure = command("audit", "run", *arguments, code=1).exception
    assert isinstance(failure, MarsError) and why in str(failure)


def test_the_audit_of_labelled_answers_needs_no_word_of_its_own(command: Command, write: Write) -> None:
    file = write("rows.jsonl", [{"gold": "2", "pred": "2", "expected": True}])
    for words in (("audit", "exact", file), ("audit", "labels", "exact", file)):
        assert json.loads(command(*words, "--json").stdout)["n"] == 1
    assert "run" in command("audit", "--help").stdout and "labels" in command("audit", "--help").stdout


def test_numbers_are_alike_and_a_pattern_may_have_to_stand_twice() -> None:
    found = phrases("\\boxed{12} or \\boxed{7.5}")
    assert Phrase(("\\boxed", "{", "#", "}"), 2) in found
    assert Phrase(("or",), 2) not in found


@given(st.lists(st.sampled_from(["so", "12", "7", ".", "!", "\\boxed", "中文", "\n"]), max_size=30))
def test_a_phrase_is_found_in_the_completion_that_it_was_taken_from(words: list[str]) -> None:
    completion = " ".join(words)
    for phrase, (start, end) in phrases(completion).items():
        assert phrase.is_in(flat(completion)), phrase
        assert flat(completion[start:end]) == f" {' '.join(phrase.words)} "


@given(
    st.lists(st.lists(st.sampled_from(["so", "12", ".", "!", "中文"]), max_size=12).map(" ".join)), st.integers(1, 4)
)
def test_no_phrase_is_lost_for_being_made_of_common_neighbours_only(completions: list[str], fewest: int) -> None:
    pairs = neighbours(completions, fewest)
    every = Counter(phrase for completion in completions for phrase in phrases(completion))
    common = Counter(phrase for completion in completions for phrase in phrases(completion, pairs))
    assert {phrase: n for phrase, n in every.items() if n >= fewest} == {p: n for p, n in common.items() if n >= fewest}


@given(st.text(max_size=60), st.text(max_size=60))
def test_marking_changes_no_text(completion: str, other: str) -> None:
    patterns = [*phrases(completion), *phrases(other)]
    assert "".join(text for text, _ in marked(completion, patterns)) == completion


def test_what_rose_is_found_by_the_same_draw_every_time(hacked: Path) -> None:
    log = open_log(hacked)
    numbers = [number for number, _ in log.steps()]
    first, again = rising(numbers, log.steps), rising(numbers, log.steps)
    assert first is not None and again is not None
    assert first.to_dict() == again.to_dict()
