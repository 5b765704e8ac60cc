from __future__ import annotations

import asyncio
import functools
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from mars import ConfigError, RegistryError, Sample, Settings, Status, reward
from mars.execution.call import run_batch, run_each
from mars.registry import get
from mars.signature import MissingInputError, identity, read
from mars.types import Score

SAMPLE = Sample("c", prompt="p", reference="r", task="t", group="g", meta={"level": 3, "limit": 9, "completions": "x"})


def _extract(function: Any, batch: bool | None = None) -> tuple[Any, ...]:
    return read(function, None, batch).extractor()(SAMPLE)


def _one(completion: str) -> float: ...  # type: ignore[empty-body]
def _swapped(reference: str, completion: str) -> float: ...  # type: ignore[empty-body]
def _column(level: int) -> float: ...  # type: ignore[empty-body]
def _absent(colour: str = "red") -> float: ...  # type: ignore[empty-body]
def _whole(sample: Sample) -> float: ...  # type: ignore[empty-body]
def _everything(completion: str, prompt: str, reference: str, task: str, group: str, meta: dict) -> float: ...  # type: ignore[empty-body]
def _rest(completion: str, **others: Any) -> float: ...  # type: ignore[empty-body]
def _plural(completions: list, references: list, level: list) -> list: ...  # type: ignore[empty-body]
def _nothing() -> float: ...  # type: ignore[empty-body]


@pytest.mark.parametrize(
    ("function", "expected", "batch"),
    [
        (_one, ("c",), False),
        (_swapped, ("r", "c"), False),
        (_column, (3,), False),
        (_absent, ("red",), False),
        (_whole, (SAMPLE,), False),
        (_everything, ("c", "p", "r", "t", "g", SAMPLE.meta), False),
        (_rest, ("c", {"level": 3, "limit": 9, "completions": "x"}), False),
        (_plural, ("c", "r", 3), True),
        (_nothing, (), False),
    ],
)
def test_arguments_are_filled_by_name(function: Any, expected: tuple[Any, ...], batch: bool) -> None:
    assert _extract(function) == expected
    assert read(function, None, None).batch is batch


def test_batch_can_be_said_where_the_names_do_not_show_it() -> None:
    assert read(_column, None, True).batch


def _options(completion: str, *, limit: int = 100, name: str = "x") -> float: ...  # type: ignore[empty-body]


def test_keyword_only_arguments_are_settings_and_never_data() -> None:
    signature = read(_options, None, None)
    assert signature.options == ("limit", "name")
    assert signature.extractor()(SAMPLE) == ("c",)


def _star(*completions: str) -> float: ...  # type: ignore[empty-body]
def _slash(completion: str, /) -> float: ...  # type: ignore[empty-body]
def _asks(completion: str, settings: Settings) -> float: ...  # type: ignore[empty-body]


class _Model(Settings):
    limit: int = 1


class _Callable:
    def __call__(self, completion: str) -> float: ...  # type: ignore[empty-body]


@pytest.mark.parametrize(
    ("function", "settings", "message"),
    [
        (_star, None, r"arguments are filled by name; \*args and '/' cannot be"),
        (_slash, None, r"\*args and '/' cannot be"),
        (_options, _Model, "use settings=... or keyword-only options, not both"),
        (_one, _Model, "declares settings=_Model but has no argument named 'settings'"),
        (_asks, None, "asks for 'settings'; declare them"),
        (_asks, dict, "settings must be a pydantic model class"),
        (functools.partial(_one), None, "is no function; call it from a function"),
        (_Callable(), None, "is no function"),
    ],
)
def test_a_function_that_cannot_be_called_by_name_is_refused_at_registration(
    function: Any, settings: Any, message: str
) -> None:
    with pytest.raises(RegistryError, match=message):
        read(function, settings, None)


def test_a_missing_input_says_what_to_do() -> None:
    bare = Sample("c", meta={"n": 1})
    with pytest.raises(MissingInputError, match=r"map a column to it \(columns: \{reference: ...\}\)"):
        read(_swapped, None, None).extractor()(bare)
    with pytest.raises(MissingInputError, match=r"no column 'level' \(other columns: n\)"):
        read(_column, None, None).extractor()(bare)


def test_options_become_typed_settings() -> None:
    @reward("typed")
    def typed(completion: str, *, limit: Annotated[int, Field(gt=0)], name: str = "x") -> float:
        return 1.0

    model = get("typed").settings
    assert model.model_fields["limit"].is_required()
    assert model.model_fields["name"].default == "x"


def test_an_option_whose_default_does_not_fit_is_found_when_it_is_bound() -> None:
    @reward("misfit")
    def misfit(completion: str, *, limit: int = "many") -> float:  # type: ignore[assignment]
        return 1.0

    with pytest.raises(ConfigError, match=r"limit: .*valid integer"):
        get("misfit").configure()


def test_an_annotation_that_does_not_exist_is_refused() -> None:
    with pytest.raises(RegistryError, match="its options cannot be made settings"):

        @reward("phantom")
        def phantom(completion: str, *, limit: NoSuchType = 1) -> float:  # type: ignore[name-defined]  # noqa: F821
            return 1.0


# How functions are called: (function of this shape) -> what it sees.


def test_columns_that_are_named_like_options_or_arguments_do_not_collide() -> None:
    seen: list[Any] = []

    @reward("collects")
    def collects(completion: str, *, limit: int = 1, **others: Any) -> float:
        seen.append((completion, limit, others))
        return 1.0

    @reward("collects_batches")
    def collects_batches(completions: list[str], **others: Any) -> list[float]:
        seen.append((completions, others))
        return [1.0] * len(completions)

    one, many = get("collects").configure({"limit": 5}), get("collects_batches").configure()
    assert run_each(one, one.source.signature.extractor()(SAMPLE)).value == 1.0
    assert run_batch(many, [many.source.signature.extractor()(SAMPLE)])[0].value == 1.0
    assert seen == [("c", 5, {"level": 3, "completions": "x"}), (["c"], {"level": [3], "limit": [9]})]


def test_a_batch_gets_none_where_a_row_lacks_a_collected_column() -> None:
    seen: list[Any] = []

    @reward("ragged")
    def ragged(completions: list[str], **others: Any) -> list[float]:
        seen.append(others)
        return [1.0] * len(completions)

    bound = get("ragged").configure()
    extract = bound.source.signature.extractor()
    run_batch(bound, [extract(Sample("a", meta={"x": 1})), extract(Sample("b", meta={"y": 2}))])
    assert seen == [{"x": [1, None], "y": [None, 2]}]


def test_a_coroutine_function_is_known_and_can_be_run_without_a_loop() -> None:
    @reward("later")
    async def later(completion: str) -> float:
        await asyncio.sleep(0)
        return 0.5

    bound = get("later").configure()
    assert bound.source.signature.asynchronous
    assert run_each(bound, ("c",)) == Score(0.5, Status.OK)


# Identity: what may be answered from another sample's score.

plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (1, True, "equal in Python, different to a verifier that prints it"),
        (1, 1.0, "equal in Python, different in digits"),
        (0, False, "equal in Python"),
        (0.0, -0.0, "equal in Python, different in sign"),
        ("1", 1, "text and number"),
        ("1", b"1", "text and bytes"),
        ([1], (1,), "list and tuple"),
        ([1], [True], "also inside"),
        ({"a": 1}, {"a": 1.0}, "also inside a table"),
        (None, "None", "nothing and its name"),
    ],
)
def test_inputs_that_only_look_alike_are_not_identical(one: object, other: object, why: str) -> None:
    assert identity((one,)) != identity((other,))


@given(plain_values)
def test_identity_is_reflexive_and_hashable_for_whatever_can_be_an_input(value: Any) -> None:
    assert hash(identity((value,))) == hash(identity((value,)))
    assert identity((value,)) == identity((value,))


def test_what_cannot_be_compared_is_identical_to_itself_alone() -> None:
    one, other = (lambda: 1), (lambda: 1)
    assert identity((one,)) == identity((one,))
    assert identity((one,)) != identity((other,))
