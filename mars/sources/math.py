"""`math`: symbolic equality of mathematical answers, by `mars.symbolic` inside a killable worker."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import Field

from mars.registry import reward
from mars.symbolic import PROFILES, Policy, verify
from mars.symbolic.policy import VERSION
from mars.symbolic.tree import Node
from mars.thinking import CLOSE, OPEN, CloseTag, OpenTag
from mars.types import Sample, Score, Status

Profile = Literal["math", "gsm8k", "aime", "strict"]
Places = Annotated[int, Field(ge=0, le=100)] | Literal["never"] | None


def _algebra(reference: Node, answer: Node) -> bool | None:
    """The last stage: it may run long, and only a worker that can be killed may run it."""
    from mars.symbolic.computer_algebra import simplifies_to_zero

    return simplifies_to_zero(reference, answer)


def _warm_up() -> None:
    """Import the computer algebra, which takes longer than any answer."""
    import mpmath  # noqa: F401
    import sympy  # noqa: F401

    verify(r"\int_0^1 x\,dx", "0.5", symbolic=_algebra)


@reward(
    "math",
    kind="verifier",
    isolated=True,
    deadline=1.0,
    memory_mb=512,
    warm_up=_warm_up,
    version=VERSION,
    example=Sample("<think>a half and a quarter</think>The sum is $\\boxed{\\frac{3}{4}}$.", reference="0.75"),
)
def math(
    completion: str,
    reference: object,
    *,
    profile: Profile = "math",
    extraction: Literal["answer", "number"] | None = None,
    rounding: Literal["reference", "exact"] | None = None,
    decimals: Places = None,
    coarser: Places = None,
    tolerance: Annotated[float, Field(ge=0, lt=1)] | None = None,
    percent: Literal["either", "value"] | None = None,
    units: Literal["optional", "required"] | None = None,
    base: Literal["required", "optional"] | None = None,
    order: Literal["bare", "strict"] | None = None,
    multiset: bool | None = None,
    unevaluated: Literal["refused", "allowed"] | None = None,
    words: Literal["subject", "exact"] | None = None,
    relations: bool | None = None,
    form: Literal["value", "simplest", "factored", "expanded"] | None = None,
    open_tag: OpenTag = OPEN,
    close_tag: CloseTag = CLOSE,
) -> Score:
    r"""1 where the answer equals the reference mathematically, else 0.

    The answer is what the response commits to: its last box, or what it calls its answer. Thinking is never searched,
    and several answers are none. A reference that cannot be read, and what nothing can tell, leave the sample
    undecided.

    Args:
        completion: The model's text.
        reference: The right answer, in LaTeX or plain.
        profile: The policy: what counts as the same answer. The options below change it; unset, they are the profile's.
        extraction: `number`: an unmarked answer is the last number, as GSM8K is graded.
        rounding: `reference`: a reference in decimals may be a rounded value; `exact`: never.
        decimals: Places to which decimals stand for an exact reference that has no short decimal form, or `never`.
        coarser: Significant digits that an answer must keep when it rounds a decimal reference further, or `never`.
        tolerance: Relative difference that is forgiven between numbers that are not integers.
        percent: `either`: 10% stands for 0.1 and for 10; `value`: only for 0.1.
        units: `optional`: a missing unit is forgiven; `required`: it is not. A wrong unit is always wrong.
        base: `required`: a reference in another base is answered in that base.
        order: `bare`: only brackets make an order; `strict`: bare lists have one too.
        multiset: Whether multiplicity counts in bare lists.
        unevaluated: `refused`: an answer may not leave computed parts of the reference to be computed.
        words: `subject`: the first word of a reference that is a sentence stands for it; `exact`: all its words count.
        relations: Whether a relation may answer a reference that is a set.
        form: The shape that the answer must have besides its value.
        open_tag: The tag that opens thinking.
        close_tag: The tag that closes it.
    """
    if isinstance(reference, list | tuple | dict):
        return Score.failed(Status.UNDECIDED, f"the reference is a {type(reference).__name__}, not one answer")
    given = {
        **{"extraction": extraction, "rounding": rounding, "decimals": decimals, "coarser": coarser},
        **{"tolerance": None if tolerance is None else Fraction(str(tolerance)), "percent": percent, "units": units},
        **{"base": base, "order": order, "multiset": multiset, "relations": relations, "form": form},
        "unevaluated": unevaluated,
        "words": words,
    }
    verdict = verify(
        str(reference),
        completion,
        _policy(profile, given),
        symbolic=_algebra,
        open_tag=open_tag,
        close_tag=close_tag,
    )
    value = None if verdict.equal is None else float(verdict.equal)
    record = verdict.to_dict()
    # A score has these itself, and the time is no part of what it says.
    details = {name: record[name] for name in record.keys() - {"verdict", "status", "reason", "seconds"}}
    return Score(value, verdict.status, verdict.reason, dict(sorted(details.items())))


def _policy(profile: str, given: dict[str, Any]) -> Policy:
    """Return a profile with the options that were set."""
    changes = {name: None if value == "never" else value for name, value in given.items() if value is not None}
    policy = PROFILES[profile]
    return replace(policy, **changes) if changes else policy
