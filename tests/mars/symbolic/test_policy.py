"""Every profile goes by its name, and what a verdict says of its rules is whole and plain data."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields

import pytest

from mars.symbolic.policy import MATH, PROFILES, VERSION, Policy


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_goes_by_its_name(name: str) -> None:
    assert PROFILES[name].name == name


def test_the_default_is_the_profile_for_mathematics() -> None:
    assert Policy() == MATH == PROFILES["math"]


def test_profiles_differ_in_more_than_their_names() -> None:
    stamps = [{key: value for key, value in each.stamp.items() if key != "name"} for each in PROFILES.values()]
    assert all(one != other for place, one in enumerate(stamps) for other in stamps[:place])


@pytest.mark.parametrize("policy", PROFILES.values(), ids=PROFILES)
def test_the_stamp_names_the_version_and_every_rule(policy: Policy) -> None:
    assert policy.stamp["version"] == VERSION
    assert set(policy.stamp) == {"version", *(field.name for field in fields(Policy))}
    assert json.loads(json.dumps(policy.stamp)) == policy.stamp


def test_no_one_changes_a_policy_behind_the_verdicts_made_by_it() -> None:
    with pytest.raises(FrozenInstanceError):
        MATH.decimals = 2  # type: ignore[misc]


def test_the_strict_profile_forgives_nothing() -> None:
    strict = PROFILES["strict"]
    assert (strict.rounding, strict.decimals, strict.coarser, strict.tolerance) == ("exact", None, None, 0)
    assert (strict.units, strict.order, strict.words, strict.relations) == ("required", "strict", "exact", False)
