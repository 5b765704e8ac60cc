"""The warm start: what is taught, what is saved, and when what is saved is used again."""

import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTTrainer  # pyright: ignore[reportPrivateImportUsage]

from trainers.tiny import task
from trainers.tiny.model import build_model
from trainers.tiny.task import fast_answer, held_out, problems, slow_answer
from trainers.tiny.tokenizer import build_tokenizer
from trainers.tiny.warm_start import FINGERPRINT, WarmStart, examples, warm_start

MADE = build_tokenizer()
SHORT = WarmStart(steps=3, batch_size=4)


class Interrupted(BaseException):
    """Not an Exception, as Ctrl-C is not one."""


class Steps(list):
    """Remembers what progress was reported, and can pull the plug."""

    def __init__(self, stop_at=None):
        self.stop_at = stop_at

    def __call__(self, step, total):
        self.append((step, total))
        if step == self.stop_at:
            raise Interrupted


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    return warm_start(tmp_path_factory.mktemp("taught") / "deep" / "inside", 0, settings=SHORT)


@pytest.fixture
def directory(taught, tmp_path):
    """A finished warm start that a test may spoil."""
    return shutil.copytree(taught, tmp_path / "warm")


def weights(directory):
    return AutoModelForCausalLM.from_pretrained(directory).state_dict()


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_the_model_is_small_and_made_by_its_seed():
    tokenizer = build_tokenizer()
    model, again, other = build_model(tokenizer, 1), build_model(tokenizer, 1), build_model(tokenizer, 2)
    assert sum(parameter.numel() for parameter in model.parameters()) < 500_000
    assert same(model.state_dict(), again.state_dict())
    assert not same(model.state_dict(), other.state_dict())


def test_making_a_model_leaves_the_random_state_of_its_caller():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    build_model(build_tokenizer(), 1)
    assert torch.equal(torch.rand(3), expected)


def test_what_is_saved_can_be_loaded_and_answers(taught):
    model: Any = AutoModelForCausalLM.from_pretrained(taught)
    tokenizer = AutoTokenizer.from_pretrained(taught)
    assert not same(model.state_dict(), build_model(tokenizer, 0).state_dict()), "it has learned nothing"
    assert all(torch.isfinite(tensor).all() for tensor in model.state_dict().values())
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id
    assert model.generation_config.pad_token_id == tokenizer.pad_token_id
    chats = [[{"role": "user", "content": prompt}] for prompt in ("7c=", "7cabdab=")]
    batch = tokenizer.apply_chat_template(
        chats, add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
    )
    assert model.generate(**batch, max_new_tokens=2, do_sample=False).shape[0] == 2


def test_a_second_call_uses_what_the_first_one_saved(directory):
    before = {file.name: file.stat().st_mtime_ns for file in directory.iterdir()}
    steps = Steps()
    assert warm_start(directory, 0, settings=SHORT, on_step=steps) == directory
    assert steps == [], "it has taught again"
    assert {file.name: file.stat().st_mtime_ns for file in directory.iterdir()} == before


@pytest.mark.parametrize(
    ("seed", "settings", "why"),
    [
        (1, SHORT, "another seed is another model"),
        (0, WarmStart(steps=2, batch_size=4), "so are other settings"),
    ],
)
def test_another_request_is_taught_anew(directory, seed, settings, why):
    before = weights(directory)
    steps = Steps()
    warm_start(directory, seed, settings=settings, on_step=steps)
    assert steps == [(step, settings.steps) for step in range(1, settings.steps + 1)]
    assert not same(weights(directory), before), why


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda mark: mark.unlink(), id="no fingerprint"),
        pytest.param(lambda mark: mark.write_text(""), id="an empty one"),
        pytest.param(lambda mark: mark.write_bytes(mark.read_bytes()[:20]), id="half of one"),
        pytest.param(lambda mark: mark.write_bytes(b"\xff\xfe"), id="something else"),
    ],
)
def test_what_is_not_known_to_be_finished_is_taught_anew(directory, spoil):
    spoil(directory / FINGERPRINT)
    steps = Steps()
    warm_start(directory, 0, settings=SHORT, on_step=steps)
    assert len(steps) == SHORT.steps
    assert warm_start(directory, 0, settings=SHORT, on_step=Steps(stop_at=1)) == directory


def test_another_version_of_the_task_is_taught_anew(directory, tmp_path, monkeypatch):
    code = shutil.copytree(Path(task.__file__).parent, tmp_path / "code")
    monkeypatch.setattr("trainers.tiny.warm_start.__file__", str(code / "warm_start.py"))
    steps = Steps()
    warm_start(directory, 0, settings=SHORT, on_step=steps)
    assert steps == [], "the same code in another place is the same version"
    (code / "task.py").write_text(Path(task.__file__).read_text().replace("5208691473", "0123456789"))
    warm_start(directory, 0, settings=SHORT, on_step=steps)
    assert len(steps) == SHORT.steps


def test_an_interrupted_one_does_not_pass_for_the_one_before_it(directory, taught):
    with pytest.raises(Interrupted):
        warm_start(directory, 1, settings=SHORT, on_step=Steps(stop_at=2))
    assert not (directory / FINGERPRINT).exists()
    steps = Steps()
    warm_start(directory, 0, settings=SHORT, on_step=steps)
    assert len(steps) == SHORT.steps
    assert same(weights(directory), weights(taught)), "the same seed and settings make the same model"


def test_it_says_nothing_by_itself(tmp_path, capfd, recwarn):
    warm_start(tmp_path, 0, settings=SHORT)
    assert capfd.readouterr() == ("", "")
    assert [str(warning.message) for warning in recwarn] == []


def test_every_example_is_a_right_answer_to_a_problem_that_is_not_held_out():
    for row in examples(WarmStart(), seed=0):
        (question,), (answer,) = row["prompt"], row["completion"]
        assert question["content"] not in held_out()
        assert answer["content"] in (fast_answer(question["content"]), slow_answer(question["content"]))


def test_the_first_lesson_is_to_think_and_the_second_when_not_to():
    settings = WarmStart(steps=100, batch_size=64, first_lesson=0.5, slow_at_first=0.9, slow_at_last=0.25)
    slow = ["<think></think>" not in row["completion"][0]["content"] for row in examples(settings, seed=0)]
    assert len(slow) == 6400
    assert sum(slow[:3200]) / 3200 == pytest.approx(0.9, abs=0.03)
    assert sum(slow[3200:]) / 3200 == pytest.approx(0.25, abs=0.03)


def test_the_lessons_are_given_in_their_order(tmp_path, monkeypatch):
    given = []

    class Listening(SFTTrainer):
        def compute_loss(self, model, inputs, *args, **kwargs):
            given.extend(MADE.batch_decode(inputs["input_ids"]))
            return super().compute_loss(model, inputs, *args, **kwargs)

    monkeypatch.setattr("trainers.tiny.warm_start.SFTTrainer", Listening)
    warm_start(tmp_path, 0, settings=SHORT)
    asked = [row["prompt"][0]["content"] for row in examples(SHORT, seed=0)]
    assert len(given) == SHORT.steps * SHORT.batch_size
    assert all(f"user\n{prompt}<|im_end|>" in text for prompt, text in zip(asked, given, strict=True))


def test_other_examples_may_be_shown_and_make_another_model(directory):
    shown = [{**row, "completion": [{"role": "assistant", "content": "4"}]} for row in examples(SHORT, seed=0)]
    before = weights(directory)
    steps = Steps()
    warm_start(directory, 0, settings=SHORT, shown=shown, on_step=steps)
    warm_start(directory, 0, settings=SHORT, shown=shown, on_step=steps)
    assert len(steps) == SHORT.steps, "the second call is shown the same"
    assert not same(weights(directory), before)


def test_how_it_answers_says_nothing_about_the_problem():
    # Were thinking rarer for easy problems already, there would be nothing left for rewards to teach.
    last = WarmStart(steps=200, batch_size=64, first_lesson=0.0)
    shares = []
    for steps in (1, 3, 6):
        answers = [
            "<think></think>" not in row["completion"][0]["content"]
            for row in examples(last, seed=0)
            if len(row["prompt"][0]["content"]) == steps + 2
        ]
        shares.append(sum(answers) / len(answers))
    assert all(abs(one - other) < 0.04 for one, other in pairwise(sorted(shares))), shares


def test_it_leaves_other_problems_to_reinforcement_learning():
    seen = {row["prompt"][0]["content"] for row in examples(WarmStart(), seed=0)}
    longest = [row["prompt"] for row in problems("train", seed=0) if row["steps"] == 6]
    assert sum(prompt in seen for prompt in longest) / len(longest) < 0.3
