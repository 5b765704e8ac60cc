"""`signal`: the merit of a source is how far it tells the completions of a prompt apart."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.weighting import Batch, NoSettings, Task
from mars.weighting.signal import Signal
from tests.mars.weighting.made_rewards import Said, made_task, step

PLAIN = made_task({"right": 1.0, "neat": 0.5, "points": 1.0, "long": 1.0})
GATED = made_task({"right": 1.0, "neat": 0.5, "long": 1.0}, gate="right")


def merits(task: Task, *prompts: Sequence[Said]) -> dict[str, float]:
    return Signal(task, NoSettings()).merits(Batch(task, step(task, *prompts)))


def test_sources_of_any_range_are_compared_in_units_of_it() -> None:
    prompt = [{"right": x, "neat": x, "points": 10 * x, "long": -x} for x in (0.0, 1.0, 1.0, 0.25)]
    found = merits(PLAIN, prompt)
    assert found == pytest.approx(dict.fromkeys(PLAIN.sources, found["right"]))


def test_what_all_completions_of_a_prompt_have_alike_deserves_nothing() -> None:
    prompts = [[{"right": 1.0, "neat": 0.0}, {"right": 0.0, "neat": 0.0}], [{"right": 1.0, "neat": 1.0}] * 2]
    found = merits(PLAIN, *prompts)
    assert found["right"] > 0
    assert found["neat"] == 0


def test_a_source_that_spoke_of_one_prompt_deserves_what_it_told_there() -> None:
    told: list[Said] = [{"right": 1.0, "neat": 1.0}, {"right": 0.0, "neat": 0.0}]
    untold: list[Said] = [{"right": 1.0}, {"right": 0.0}]
    found = merits(PLAIN, told, untold, untold)
    assert found["neat"] == pytest.approx(found["right"])


def test_a_source_that_was_observed_in_no_two_completions_of_a_prompt_keeps_its_weight() -> None:
    found = merits(PLAIN, [{"right": 1.0, "neat": 1.0}, {"right": 0.0}], [{"right": 0.0, "neat": 0.0}, {"right": 0.0}])
    assert set(found) == {"right"}


def test_behind_a_gate_shaping_is_compared_among_right_answers_and_the_gate_is_left_alone() -> None:
    # Among right answers all are neat; the variance between them and the wrong ones is the gate's.
    prompt: list[Said] = [
        {"right": 1.0, "neat": 1.0, "long": 0.0},
        {"right": 1.0, "neat": 1.0, "long": -1.0},
        {"right": 0.0, "neat": 0.0, "long": 0.0},
    ]
    assert merits(GATED, prompt) == {"neat": 0.0, "long": 0.5}


def test_where_the_gate_opened_once_a_prompt_nothing_is_learned_of_shaping() -> None:
    assert merits(GATED, [{"right": 1.0, "neat": 1.0}, {"right": 0.0, "neat": 0.0}]) == {}


@given(st.lists(st.lists(st.fixed_dictionaries({"right": st.sampled_from([0.0, 1.0]), "neat": st.floats(0, 1)}))))
def test_merits_are_between_nothing_and_the_most_that_two_values_can_vary(prompts: list[list[Said]]) -> None:
    assert all(0 <= merit <= 0.5 + 1e-12 for merit in merits(PLAIN, *prompts).values())
