"""`preference`: the verdict of a reward model, in this process or on a vLLM server."""

from __future__ import annotations

from collections.abc import Sequence

from mars.answers import EMPTY_ANSWER, NO_ANSWER, graded_text
from mars.grouping import split_groups
from mars.preferring import Exchange, PreferenceSettings, RewardModel, normalise, open_model
from mars.registry import reward
from mars.types import Sample, Score


@reward(
    "preference",
    kind="judge",
    of_correctness=False,
    deadline=600.0,
    settings=PreferenceSettings,
    example=Sample("<think>2 and 2</think>It is 4, and you are welcome to ask more.", "What is 2 + 2?", group="sum"),
    opens=lambda settings, engine: open_model(settings),
)
def preference(samples: Sequence[Sample], settings: PreferenceSettings, opened: RewardModel) -> list[Score]:
    """How much a reward model prefers the answer, brought into 0..1.

    The model sees the prompt and the text behind the thinking. A completion without an answer gets 0 and is not shown
    to it; what it cannot read whole has no verdict. See `mars.preferring.normalising` for the formulas. With
    `normalise: group` and `rank` the score says only how the answer stands among those to the same prompt.

    Args:
        samples: The batch.
        settings: Which model, and what becomes of its numbers.
        opened: The model.
    """
    answers = [graded_text(sample.completion, settings.open_tag, settings.close_tag) for sample in samples]
    silent = {
        index: Score(0.0, reason=NO_ANSWER if answer is None else EMPTY_ANSWER)
        for index, answer in enumerate(answers)
        if not answer
    }
    asked = [index for index in range(len(samples)) if index not in silent]
    raw = opened.rate([Exchange(_readable(samples[index].prompt), _readable(answers[index] or "")) for index in asked])
    groups = split_groups(samples).members
    scores = silent | normalise(dict(zip(asked, raw, strict=True)), groups, settings)
    return [scores[index] for index in range(len(samples))]


def _readable(text: str) -> str:
    # No tokenizer takes a lone surrogate.
    return text.encode("utf-8", "replace").decode()
