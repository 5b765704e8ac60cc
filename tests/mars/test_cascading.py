"""Cascades: who is asked when, whose verdict counts, and what is written down of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars import ConfigError, RegistryError, Reward, RewardSystem, Sample, Score, Status, reward
from mars.recipe import Recipe
from mars.registry import Kind
from mars.types import Usage

ASKED: Counter[str] = Counter()


def _say(stage: str, completion: str, place: int) -> Any:
    """A completion says what each stage says of it: `right`, `wrong`, `lost` ..."""
    ASKED[stage] += 1
    word = completion.split()[place]
    match word:
        case "right" | "wrong":
            return Score(
                float(word == "right"), reason=f"{stage} says so", details={"stage": "own"}, usage=_cost(stage)
            )
        case "lost":
            return Score.failed(Status.UNDECIDED, "lost the thread")
        case "late":
            return Score.failed(Status.TIMEOUT, "too late")
        case "raise":
            raise ValueError("oh dear")
    return None


def _cost(stage: str) -> Usage | None:
    return Usage(calls=1, prompt_tokens=10, completion_tokens=1, money=0.25) if stage != "rule" else None


@pytest.fixture(autouse=True)
def three_stages() -> None:
    ASKED.clear()

    @reward("rule", kind="verifier", deadline=None)
    def rule(completion: str) -> Any:
        return _say("rule", completion, 0)

    @reward("small", kind="judge", deadline=None)
    def small(completion: str, *, level: int = 1) -> Any:
        return _say("small", completion, 1)

    @reward("large", kind="judge", deadline=30.0)
    async def large(completion: str) -> Any:
        await asyncio.sleep(0)
        return _say("large", completion, 2)

    @reward("style", deadline=None)
    def style(completion: str) -> float:
        return 0.5

    @reward("scale", kind="judge", range=(0, 10), deadline=None)
    def scale(completion: str) -> float:
        return 5.0


def score(cascade: dict[str, Any], *texts: str, **more: Any) -> list[Reward]:
    settings = {"sources": {"correct": cascade, **more.pop("sources", {})}, **more}
    with RewardSystem(settings) as system:
        return system.score([Sample(text) for text in texts])


ALL = ["undecided", "timeout", "error", "skipped"]
ORDER = [
    ("right wrong wrong", {}, "rule", 1.0, "the first verdict counts"),
    ("wrong right right", {}, "rule", 0.0, "also where it is that the answer is wrong"),
    ("lost right wrong", {}, "rule small", 1.0, "who cannot tell passes it on"),
    ("lost wrong right", {}, "rule small", 0.0, "and the next one's verdict counts"),
    ("lost lost right", {}, "rule small large", 1.0, "to the last"),
    ("lost lost lost", {}, "rule small large", "undecided", "until nobody is left"),
    ("late right right", {}, "rule", "timeout", "what fails otherwise is not passed on"),
    ("raise right right", {}, "rule", "error", "nor is what raises"),
    ("skip right right", {}, "rule", "skipped", "nor what is not its to judge"),
    (
        "late lost right",
        {"ask_on": ["timeout"]},
        "rule small",
        "undecided",
        "unless the recipe says which failures are",
    ),
    *(
        (f"{word} right x", {"ask_on": ALL}, "rule small", 1.0, f"all of them: {word}")
        for word in ("late", "raise", "skip")
    ),
]


@pytest.mark.parametrize("later", [False, True], ids=["now", "async"])
@pytest.mark.parametrize(("text", "options", "asked", "expected", "why"), ORDER, ids=[row[-1] for row in ORDER])
def test_who_is_asked_and_whose_verdict_counts(
    text: str, options: dict[str, Any], asked: str, expected: float | str, why: str, later: bool
) -> None:
    settings = {"sources": {"correct": {"cascade": ["rule", "small", "large"], **options}}}
    with RewardSystem(settings) as system:
        samples = [Sample(text)]
        [found] = asyncio.run(system.score_async(samples)) if later else system.score(samples)
    assert (found.status.value if found.total is None else found.total) == expected
    assert list(ASKED) == asked.split()
    details = found["correct"].score.details
    assert [stage["name"] for stage in details["stages"]] == asked.split()
    assert details["stage"] == asked.split()[-1]
    assert Reward.from_dict(found.to_dict()) == found


@pytest.mark.parametrize(("text", "status"), [("lost skip x", "undecided"), ("skip skip x", "skipped")])
def test_a_stage_that_does_not_judge_a_sample_leaves_it_undecided(text: str, status: str) -> None:
    """Left out, its term would be missing from a total that looks whole: a reward as if the answer were wrong."""
    [found] = score({"cascade": ["rule", "small"], "ask_on": ALL}, text, sources={"style": 1.0})
    assert found["correct"].score.status.value == status
    assert found.total == (None if status == "undecided" else 0.5)
    details = found["correct"].score.details
    assert "second_opinion" not in details
    assert [stage["status"] for stage in details["stages"]] == [status, "skipped"]


@pytest.mark.parametrize("asked_as", ["stage", "fallback"])
def test_a_source_of_groups_sees_the_whole_group_wherever_it_is_asked(asked_as: str) -> None:
    """The rule cannot tell of three answers, two of which agree; five others, which it can tell, outvote them."""
    texts = ["lost 1", "lost 1", "lost 2", *["right 2"] * 5]
    samples = [Sample(f"{text.split()[0]} \\boxed{{{text.split()[1]}}}", prompt="p") for text in texts]
    cascade: dict[str, Any] = {"correct": {"cascade": ["rule", "majority"]}}
    fallback: dict[str, Any] = {"correct": {"source": "rule", "fallback": "majority"}, "majority": {}}
    with RewardSystem({"sources": cascade if asked_as == "stage" else fallback}) as system:
        other = Sample("lost \\boxed{1}", prompt="p", task="other")
        found = system.score([*samples, other])
    assert [one.total for one in found] == [0.0, 0.0, 1.0, *[1.0] * 5, None]
    if asked_as == "stage":
        assert [len(one["correct"].score.details["stages"]) for one in found] == [2] * 3 + [1] * 5 + [2]


def test_each_stage_is_asked_about_what_is_left_only() -> None:
    texts = ["right x x", "lost wrong x", "lost lost right", "wrong x x", "lost right x"]
    assert [found.total for found in score({"cascade": ["rule", "small", "large"]}, *texts)] == [1, 0, 1, 0, 1]
    assert ASKED == {"rule": 5, "small": 3, "large": 1}


def test_the_score_says_who_decided_and_what_all_said_and_cost() -> None:
    [found] = score({"cascade": ["rule", "small"]}, "lost right x")
    component = found["correct"].score
    assert component.reason == "small: small says so"
    assert component.usage == Usage(calls=1, prompt_tokens=10, completion_tokens=1, money=0.25)
    rule, small = component.details["stages"]
    assert (rule["name"], rule["status"], rule["value"], rule["reason"]) == (
        *("rule", "undecided", None, "lost the thread"),
    )
    assert (small["name"], small["value"], small["details"], small["negative"]) == (
        "small",
        1.0,
        {"stage": "own"},
        False,
    )
    assert "usage" not in rule
    assert small["usage"]["prompt_tokens"] == 10
    assert component.seconds == pytest.approx(rule["seconds"] + small["seconds"], abs=1e-5)
    assert found.reason == "correct 1 (small: small says so)"


# Second opinions on negatives.

SECOND = [
    ("wrong right x", 1.0, "measure", 0.0, True, "measured: the rule's verdict stands"),
    ("wrong wrong x", 1.0, "measure", 0.0, False, "and may be confirmed"),
    ("wrong right x", 1.0, "replace", 1.0, True, "replaced: the second verdict counts"),
    ("wrong lost x", 1.0, "replace", 0.0, None, "where there is one"),
    ("wrong raise x", 1.0, "measure", 0.0, None, "a second opinion that fails is none"),
    ("wrong lost right", 1.0, "replace", 1.0, True, "and who cannot tell passes it on"),
    ("right wrong x", 1.0, "replace", 1.0, ..., "what is called right is not asked about"),
    ("wrong right x", 0.0, "replace", 0.0, ..., "nor is anything at a share of 0"),
    ("lost wrong right", 1.0, "replace", 1.0, True, "the first verdict may be a later stage's"),
    ("wrong wrong right", 1.0, "replace", 0.0, False, "one opinion is enough"),
    ("lost lost wrong", 1.0, "replace", 0.0, ..., "of the last stage's verdict nobody is asked"),
]


@pytest.mark.parametrize(
    ("text", "share", "then", "expected", "overturned", "why"), SECOND, ids=[row[-1] for row in SECOND]
)
def test_second_opinions(text: str, share: float, then: str, expected: float, overturned: Any, why: str) -> None:
    negatives = {"share": share, "then": then}
    [found] = score({"cascade": ["rule", "small", "large"], "negatives": negatives}, text)
    assert found.total == expected
    details = found["correct"].score.details
    assert details.get("second_opinion", {}).get("overturned", ...) is overturned
    if overturned is not ...:
        assert details["second_opinion"]["by"] == details["stages"][-1]["name"]
        assert details["second_opinion"]["stage"] != details["second_opinion"]["by"]


def _sampled(share: float, prompt: str = "") -> set[int]:
    settings = {"sources": {"correct": {"cascade": ["rule", "small"], "negatives": share}}}
    with RewardSystem(settings) as system:
        found = system.score([Sample(f"wrong right {n}", prompt=prompt) for n in range(1000)])
    return {n for n, one in enumerate(found) if "second_opinion" in one["correct"].score.details}


def test_which_are_sampled_depends_on_their_text_alone() -> None:
    few, many = _sampled(0.1), _sampled(0.3)
    assert 60 < len(few) < 140
    assert 250 < len(many) < 350
    assert few < many, "a larger share adds to the smaller one"
    assert _sampled(0.1) == few, "again the same"
    assert _sampled(0.1, "another question") != few
    assert len(_sampled(1)) == 1000


# What a recipe may say.


def test_stages_are_entries_of_the_recipe_registered_sources_or_tables() -> None:
    sources = {
        "correct": {"cascade": ["checker", {"source": "small", "name": "strict", "settings": {"level": 3}}, "large"]},
        "checker": {"source": "rule", "weight": 7.0},
    }
    with RewardSystem({"sources": sources}) as system:
        assert list(system.sources) == ["correct/strict", "correct/large", "checker"]
        assert system.sources["correct/strict"].options() == {"level": 3}
        assert system.sources["checker"].source.name == "rule"
        # An entry that is only a stage is not scored by itself.
        assert system.weights() == {"*": {"correct": 1.0}}
        [found] = system.score([Sample("lost lost right")])
    assert [stage["name"] for stage in found["correct"].score.details["stages"]] == ["checker", "strict", "large"]


def test_a_cascade_may_be_called_like_its_first_stage() -> None:
    with RewardSystem({"sources": {"rule": {"cascade": ["rule", "small"]}}}) as system:
        assert list(system.sources) == ["rule/rule", "rule/small"]
        assert [one.total for one in system.score([Sample("lost right x")])] == [1.0]


def test_a_stage_with_settings_of_its_own_is_not_the_entry_of_that_name() -> None:
    sources = {"correct": {"cascade": ["rule", {"source": "small", "settings": {"level": 2}}]}, "small": 0.5}
    with RewardSystem({"sources": sources, "weighting": "static"}) as system:
        assert system.sources["correct/small"].options() == {"level": 2}
        assert system.weights() == {"*": {"correct": 1.0, "small": 0.5}}


def test_a_stage_that_is_scored_by_itself_too_is_asked_once() -> None:
    sources = {"correct": {"cascade": ["rule", "small"]}, "small": {"weight": 0.5}}
    with RewardSystem({"sources": sources, "tasks": {"*": ["correct", "small"]}, "weighting": "static"}) as system:
        found = system.score([Sample("lost right x"), Sample("right wrong x")])
    assert [one.total for one in found] == [1.5, 1.0]
    assert ASKED["small"] == 2
    # What another asked for is not this cascade's opinion.
    assert len(found[1]["correct"].score.details["stages"]) == 1


def test_the_deadline_of_a_stage_is_its_own() -> None:
    with RewardSystem({"sources": {"correct": {"cascade": ["rule", {"source": "large", "deadline": 3}]}}}) as system:
        assert system.sources["correct/large"].source.deadline == 3.0


KINDS = [
    (["rule", "small"], Kind.VERIFIER, "the first stage's"),
    (["small", "rule"], Kind.JUDGE, "the first stage's"),
    (["style", "small"], Kind.JUDGE, "the first that gives verdicts, where the first is only a measure"),
]


@pytest.mark.parametrize(("stages", "kind", "why"), KINDS)
def test_the_kind_of_a_cascade(stages: list[str], kind: Kind, why: str) -> None:
    with RewardSystem({"sources": {"correct": {"cascade": stages}}}) as system:
        assert system.kind("correct") is kind
        assert system.range("correct") == (0.0, 1.0)


def test_a_cascade_is_required_gates_and_says_what_is_correct() -> None:
    settings = {"sources": {"style": 1.0, "correct": {"cascade": ["rule", "small"]}}, "gate": "correct"}
    with RewardSystem(settings) as system:
        found = system.score([Sample("right x x"), Sample("lost wrong x"), Sample("lost lost x")])
        assert [one.total for one in found] == [1.5, 0.0, None]
        assert [system.is_correct(one) for one in found] == [True, False, None]
    [optional] = score({"cascade": ["rule", "small"], "required": False}, "lost lost x", sources={"style": 1.0})
    assert optional.total == 0.5


def test_a_cascade_that_fails_has_its_fallback() -> None:
    sources = {"last": {"source": "style"}}
    found = score(
        {"cascade": ["rule", "small"], "fallback": "last"}, "lost lost x", "late x x", "wrong x x", sources=sources
    )
    assert [one.total for one in found] == [0.5, 0.5, 0.0]
    assert found[0]["correct"].note == "last stood in: "
    assert found[0]["correct"].score.status is Status.UNDECIDED


def test_a_cascade_may_be_a_fallback() -> None:
    sources = {"first": {"source": "rule", "fallback": "second"}, "second": {"cascade": ["small", "large"]}}
    with RewardSystem({"sources": sources}) as system:
        [found] = system.score([Sample("lost lost right")])
    assert found.total == 1.0
    assert found["first"].note == "second stood in: large: large says so"


def test_stages_are_opened_with_the_rest() -> None:
    opened = []

    @reward("needs_server", kind="judge", opens=lambda settings, engine: opened.append("yes") or "server")
    def needs_server(completion: str, opened: str) -> bool:
        return opened == "server"

    with RewardSystem({"sources": {"correct": {"cascade": ["rule", "needs_server"]}}}) as system:
        system.open()
        assert opened == ["yes"]
        assert system.score([Sample("lost")])[0].total == 1.0


def _fingerprint(**changes: Any) -> str:
    return RewardSystem({"sources": {"correct": {"cascade": ["rule", "small"], **changes}}}).fingerprint()


def test_what_a_fingerprint_depends_on() -> None:
    other_settings = {"cascade": ["rule", {"source": "small", "settings": {"level": 2}}]}
    changes = [{}, {"negatives": 0.1}, {"ask_on": ALL}, {"cascade": ["small", "rule"]}, other_settings]
    assert len({_fingerprint(**change) for change in changes}) == len(changes)
    assert _fingerprint() == _fingerprint(cascade=[{"source": "rule"}, {"source": "small"}])


MISTAKES = [
    ("{cascade: [rule]}", "reward.sources.correct.cascade: List should have at least 2 items"),
    ("{cascade: rule}", "reward.sources.correct.cascade: a list belongs here"),
    ("{cascade: [rule, 3]}", "reward.sources.correct.cascade.1: a table of keys belongs here (got 3)"),
    ("{cascade: [rule, smal]}", "reward.sources.correct.cascade.1: no reward source 'smal'. Did you mean 'small'?"),
    ("{cascade: [rule, {name: x}]}", "reward.sources.correct.cascade.1.source: this key is required"),
    ("{cascade: [rule, {source: small, level: 2}]}", "reward.sources.correct.cascade.1.level: no such key."),
    (
        "{cascade: [rule, {source: small, settings: {lvel: 2}}]}",
        "reward.sources.correct.cascade.1.settings.lvel: source 'small' has no setting 'lvel'.",
    ),
    ("{cascade: [rule, rule]}", "reward.sources.correct.cascade.1: the name 'rule' is taken; give the stage another"),
    (
        "{cascade: [rule, scale]}",
        "reward.sources.correct.cascade: the stages of a cascade share one range, and these do not: "
        "rule 0 to 1, scale 0 to 10",
    ),
    ("{cascade: [rule, other]}", "reward.sources.correct.cascade.1: 'other' is a cascade itself; write its stages"),
    ("{cascade: [rule, fell]}", "reward.sources.correct.cascade.1: 'fell' has a fallback, which no cascade asks"),
    ("{cascade: [rule, small], source: rule}", "reward.sources.correct.source: a cascade's stages have this key"),
    ("{cascade: [rule, small], deadline: 3}", "reward.sources.correct.deadline: a cascade's stages have this key"),
    ("{source: rule, negatives: 0.1}", "reward.sources.correct.negatives: only a cascade has this key"),
    (
        "{cascade: [rule, small], negatives: 2}",
        "reward.sources.correct.negatives: Input should be less than or equal to 1 (got 2)",
    ),
    ("{cascade: [rule, small], negatives: true}", "reward.sources.correct.negatives: a table of keys belongs here"),
    ("{cascade: [rule, small], negatives: {then: forget}}", "reward.sources.correct.negatives.then: "),
    ("{cascade: [rule, small], ask_on: [ok]}", "reward.sources.correct.ask_on.0: "),
]


@pytest.mark.parametrize(("written", "message"), MISTAKES)
def test_a_wrong_cascade_is_refused_with_its_line(written: str, message: str) -> None:
    text = (
        f"reward:\n  sources:\n    correct: {written}\n"
        "    other: {cascade: [rule, small]}\n    fell: {source: small, fallback: style}\n    style: {}\n"
    )
    with pytest.raises((ConfigError, RegistryError)) as caught:
        RewardSystem.from_recipe(Recipe.parse(text, "r.yaml"))
    where, _, said = str(caught.value).partition(": ")
    assert (where in ("r.yaml:3", "r.yaml"), said.startswith(message)) == (True, True), str(caught.value)


def test_the_sandbox_section_reaches_stages_that_have_such_a_setting() -> None:
    @reward("runs", kind="verifier", deadline=None)
    def runs(completion: str, *, sandbox: dict[str, Any] | None = None) -> bool:
        return sandbox is not None

    text = (
        "sandbox: {backend: local}\nreward:\n  sources:\n    correct: {cascade: [rule, runs]}\n"
        "    runs_too: {source: runs, settings: {sandbox: {backend: docker}}}\n    alone: {source: runs}\n"
        "    style: 1\n"
    )
    with RewardSystem.from_recipe(Recipe.parse(text)) as system:
        given = {name: bound.settings.model_dump().get("sandbox") for name, bound in system.sources.items()}
    local = {"backend": "local"}
    expected = {"correct/runs": local, "runs_too": {"backend": "docker"}, "alone": local, "style": None}
    assert given == {"correct/rule": None} | expected


def test_a_misspelt_source_is_told_with_its_line_also_beside_a_sandbox() -> None:
    text = "sandbox: {}\nreward:\n  sources:\n    stile: 1\n"
    with pytest.raises(RegistryError, match=r"r\.yaml:4: reward\.sources\.stile: no reward source 'stile'"):
        RewardSystem.from_recipe(Recipe.parse(text, "r.yaml"))


# The rewards of a cascade are those of its stages, asked by hand.

words = st.sampled_from(["right", "wrong", "lost", "late", "skip"])


@given(st.lists(st.tuples(words, words, words), max_size=8), st.sets(st.sampled_from(ALL), min_size=1))
def test_a_cascade_says_what_its_first_able_stage_says(texts: list[tuple[str, ...]], ask_on: set[str]) -> None:
    statuses = {"right": "ok", "wrong": "ok", "lost": "undecided", "late": "timeout", "skip": "skipped"}
    settings = {"cascade": ["rule", "small", "large"], "ask_on": sorted(ask_on)}
    found = score(settings, *map(" ".join, texts))
    for said, one in zip(texts, found, strict=True):
        last = next((place for place, word in enumerate(said) if statuses[word] not in ask_on), 2)
        asked = said[: last + 1]
        failed = [word for word in asked if statuses[word] in ("undecided", "timeout")]
        ruling = failed[-1] if failed and statuses[asked[-1]] != "ok" else asked[-1]
        assert one["correct"].score.status.value == statuses[ruling]
        if statuses[ruling] == "ok":
            assert one.total == float(ruling == "right")


# Verdicts on file.


def test_a_recipe_says_where_verdicts_are_kept(tmp_path: Path) -> None:
    settings = {"sources": {"correct": {"cascade": ["rule", "large"]}}}
    caches: list[Any] = [None, str(tmp_path / "a.db"), {"path": str(tmp_path / "b.db"), "max_mb": 2}]
    fingerprints, costs = set(), []
    for cache in caches:
        for _ in range(2):
            with RewardSystem(settings | {"cache": cache}) as system:
                fingerprints.add(system.fingerprint())
                [found] = system.score([Sample("lost x right")])
                costs.append((found.total, found["correct"].score.usage))
    assert ASKED["large"] == 2 + 1 + 1
    fresh, kept = (1.0, _cost("large")), (1.0, Usage(cached=1))
    assert costs == [fresh, fresh, fresh, kept, fresh, kept]
    assert len(fingerprints) == 1, "where verdicts are kept changes none"


@pytest.mark.parametrize(
    ("cache", "message"),
    [
        ("''", "r.yaml:3: reward.cache: "),
        ("{max_mb: 3}", "r.yaml:3: reward.cache.path: this key is required"),
        ("{path: x, max_mb: 0}", "r.yaml:3: reward.cache.max_mb: "),
        ("/proc", "r.yaml:3: reward.cache: the cache /proc is a folder; name another file, or delete this one"),
    ],
)
def test_a_wrong_cache_is_refused_with_its_line(cache: str, message: str) -> None:
    text = f"reward:\n  sources: {{style: 1}}\n  cache: {cache}\n"
    with pytest.raises(ConfigError) as caught:
        RewardSystem.from_recipe(Recipe.parse(text, "r.yaml"))
    assert str(caught.value).startswith(message)


def test_the_command_line_may_name_the_cache(tmp_path: Path) -> None:
    recipe = Recipe.parse("reward: {sources: {large: 1.0}}", overrides=[f"reward.cache={tmp_path / 'v.db'}"])
    for _ in range(2):
        with RewardSystem.from_recipe(recipe) as system:
            system.score([Sample("x x right")])
    assert ASKED == {"large": 1}
