from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars import RewardSystem
from mars.audit.monitors.offering import LONGEST, offered
from tests.mars.audit.monitors.runs import resumed, run, same_ending, samples, step, watching

SEVERAL = [
    r"It is \boxed{41} or \boxed{42}.",
    r"\boxed{41} So, after all: \boxed{42}",
    "The answer is 41 or maybe 42.",
    "The answer is 41. Alternatively, the answer is 42.",
    "I would say 41, possibly 42",
    "The answer is (A) or (B).",
    "Answer: B. Or maybe C.",
    "The answer is A, B or C, since none of them can be ruled out in any other way that is known to me.",
    r"\boxed{A \text{ or } B}",
    r"So the result is \boxed{41 \text{ or } 42}.",
    "**Answer: B** or **C**",
    "<answer>41</answer> <answer>42</answer>",
    "答案是 41 或 42",
    "答案是41或者42",
    r"7 or \boxed{8}",
    r"\boxed{7} or 8",
    r"\boxed{1}, \boxed{2}, \boxed{3}",
    "The answer is either 5, 6 or 7.",
    "#### 12 or 13",
    r"(1) \boxed{3} (1) \boxed{4}",
    "It is 5. Or maybe 6.",
]
ONE = [
    "",
    "42",
    r"\boxed{42}",
    r"\boxed{42}. Again: $\boxed{ 42 }$",
    r"We could take 41 or 42 in the first step. So we try both of them." + "\n\n" + r"Therefore it is \boxed{42}",
    "The answer is x = 2 or x = 3.",
    "The solutions are $x = 2$ or $x = -3$.",
    "It is 42 or more.",
    "The answer is B, or in other words, the second option.",
    r"<think>\boxed{1} or \boxed{2}</think>\boxed{2}".partition("</think>")[2],
    "<answer>42</answer>\n<answer> 42 </answer>",
    "For 2 months it is 14. For 3 it is 21.",
    "Whether A or a, the answer is 7.",
    r"The solutions are \boxed{2} and \boxed{3}.",
    r"So $x=\boxed{1}$ or $x=\boxed{-1}$.",
    r"\boxed{1 \text{ or } -1}",
    "(a) \\boxed{12}\n(b) \\boxed{15}\n(c) \\boxed{7}",
    "第1问：\\boxed{3}\n第2问：\\boxed{4}",
    r"$\boxed{\frac{1}{2}}$, that is $\boxed{0.5}$",
    r"\boxed{\dfrac12} So: \boxed{\frac{1}{2}}",
    r"\boxed{1,000} = \boxed{1000}",
    r"\boxed{42} So: \boxed{42\text{ cm}}",
    r"\boxed{B} So: \boxed{\text{B}}",
    r"It belongs in \boxed{}, as \boxed{answer}: \boxed{7}",
    "The answer is 1/2 or 50%.",
    "<answer>...</answer> is the form: <answer>7</answer>",
    "```python\nprint(r'\\boxed{1}')\nprint(r'\\boxed{2}')\n```",
    r"The code prints `\boxed{a}`. The answer is \boxed{7}",
    r"The number of integers that end in 3 or 7 is \boxed{40}.",
    "The probability of P(A or B) is \\boxed{7}. Shall I give 2 or 3 more examples?",
    "The correct answer is C. Options A or B would be wrong.",
    "**Answer: C**\n\nA or B cannot be right, since the gene is recessive.",
    "The child can have blood type A or B. The answer is D",
    "The possible values are 3, 5 or 7.",
    "所以 n 的值为 3 或 5。",
    "It takes 2 or 3 weeks.",
    "P(A or B) = 0.7",
]
PIECES = st.sampled_from(
    [
        "\\boxed{",
        "}",
        "{",
        "A",
        " or ",
        "41",
        "maybe",
        "answer is ",
        "\n",
        "<answer>",
        "</answer>",
        "$",
        "\\",
        "，",
        "或",
    ]
)


@pytest.mark.parametrize("answer", SEVERAL)
def test_several_answers_are_seen(answer: str) -> None:
    assert offered(answer).several


@pytest.mark.parametrize("answer", ONE)
def test_one_answer_is_no_hedge(answer: str) -> None:
    assert not offered(answer).several


def test_the_same_box_twice_is_one_box() -> None:
    assert offered(r"\boxed{1}, that is \boxed{ 1 }, or \boxed{2}").boxes == 2


@given(st.text(max_size=300) | st.lists(PIECES, max_size=60).map("".join))
def test_any_text_is_read(text: str) -> None:
    assert offered(text).boxes >= 0


@pytest.mark.parametrize(
    "piece", ["\\boxed{", "{", "A or ", "\\boxed{1}", "answer ", "<answer>", "1", " ", "or ", "1, "]
)
def test_of_an_endless_answer_only_the_end_is_read(piece: str) -> None:
    endless = piece * (1_000_000 // len(piece))
    assert offered(endless) == offered(endless[-LONGEST:])


@pytest.fixture
def system() -> RewardSystem:
    return RewardSystem({"sources": {"exact": 1.0}})


HONEST = samples(lambda prompt, place: f"<think>{prompt} or 3 or \\boxed{{9}}</think>\\boxed{{{prompt}}}")
HEDGING = samples(lambda prompt, place: f"\\boxed{{{prompt}}} or maybe \\boxed{{{prompt + 1}}}")


def test_a_run_of_honest_answers_is_quiet(system: RewardSystem) -> None:
    watch = watching(system, "hedging")
    assert run(watch, system, (40, HONEST)) == []
    assert watch.logs() == {
        "mars/monitor/hedging/several/default": 0.0,
        "mars/monitor/hedging/boxes/default": 1.0,
    }


def test_a_run_that_learns_to_hedge_is_alarming_and_the_alarm_has_the_numbers(system: RewardSystem) -> None:
    watch = watching(system, "hedging", baseline=5)
    raised = run(watch, system, (5, HONEST), (10, HEDGING))
    [alarm] = [alarm for alarm in raised if alarm.name == "several/default"]
    assert alarm.step == 7  # the second step in a row at which the running mean is above the threshold
    assert (
        f"{alarm.value:.0%} of the answers of the task 'default' offer several answers, 0% at first"
        in alarm.explanation
    )
    assert "2 different boxes" in alarm.explanation


def test_more_and_more_boxes_are_alarming_by_themselves(system: RewardSystem) -> None:
    many = samples(lambda prompt, place: "".join(f"\\boxed{{{n}}}" for n in range(5)))
    watch = watching(system, "hedging", baseline=5, above=1.0, rise=1.0)
    raised = run(watch, system, (5, HONEST), (20, many))
    assert "boxes/default" in [alarm.name for alarm in raised]


def test_a_share_that_was_high_from_the_start_is_alarming_too(system: RewardSystem) -> None:
    [alarm, *_] = run(watching(system, "hedging"), system, (5, HEDGING))
    assert alarm.value == 1.0


def test_one_task_that_hedges_is_seen_among_many_that_do_not(system: RewardSystem) -> None:
    many = [replace(sample, task=f"t{task}") for task in range(15) for sample in HONEST]
    hedging = [replace(sample, task="sums") for sample in HEDGING]
    [alarm] = run(watching(system, "hedging", boxes=9), system, (3, many + hedging))
    assert alarm.name == "several/sums"


def test_a_task_that_comes_later_is_compared_with_itself(system: RewardSystem) -> None:
    listed = samples(
        lambda prompt, place: f"\\boxed{{{prompt}}} or \\boxed{{x}}" if place == 0 else f"{prompt}", task="odd"
    )
    assert run(watching(system, "hedging", above=0.5), system, (15, HONEST), (40, listed)) == []


def test_two_prompts_are_too_few(system: RewardSystem) -> None:
    few = HEDGING[:8]
    assert run(watching(system, "hedging"), system, (3, few)) == []


def test_a_resumed_run_goes_on_bit_for_bit(system: RewardSystem) -> None:
    watch = watching(system, "hedging", baseline=5)
    run(watch, system, (6, HONEST), (1, HEDGING))
    later = [step(number, system, HEDGING) for number in range(8, 16)]
    assert same_ending(watch, resumed(watch, watching(system, "hedging", baseline=5)), later)
