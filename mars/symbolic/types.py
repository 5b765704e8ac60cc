"""The data of the math verifier: what was extracted, and the verdict with everything that explains it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mars.symbolic.policy import Policy
from mars.types import Status


@dataclass(frozen=True, slots=True)
class Extraction:
    """The one answer that a response commits to.

    Attributes:
        text: The answer, without the marks around it; `None` when there is none.
        anchor: What marked it: `box`, `phrase` ("the answer is"), `tag`, `math`, `number`, `bare`; empty when none.
        violation: Why a response that has an answer may not be graded by it (`several answers` ...); empty when it may.
        truncated: Whether the response ends inside its thinking or inside its box.
        start: Where the answer begins in the response, in characters.
        end: Where it ends.
    """

    text: str | None
    anchor: str = ""
    violation: str = ""
    truncated: bool = False
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the verifier says of one answer.

    Attributes:
        equal: Whether the answer is right; `None` exactly when `status` is not `ok`.
        status: Whether there is a verdict.
        reason: Why, in a line a person can read.
        stage: Which stage decided: `extract`, `identical`, `parse`, `exact`, `structure`, `numeric`, `symbolic`,
            `limits`.
        rule: Which rule of the stage.
        extracted: The span that was graded.
        reference_form: The reference as it was understood.
        answer_form: The answer as it was understood.
        policy: The rules it was made by.
        seconds: Wall time. Not part of equality.
    """

    equal: bool | None
    status: Status
    reason: str
    stage: str
    rule: str = ""
    extracted: str | None = None
    reference_form: str = ""
    answer_form: str = ""
    policy: Policy = field(default_factory=Policy)
    seconds: float = field(default=0.0, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form: one record of `mars verify`."""
        return {
            "verdict": self.equal,
            "status": self.status.value,
            "reason": self.reason,
            "extracted": self.extracted,
            "stage": self.stage,
            "rule": self.rule,
            "reference_form": self.reference_form,
            "answer_form": self.answer_form,
            "policy": self.policy.name,
            "version": self.policy.stamp["version"],
            "seconds": round(self.seconds, 6),
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """What a comparison of two trees found.

    Attributes:
        equal: Whether they are the same answer; `None` when the rules so far cannot tell.
        stage: The stage that decided, as in `Verdict`.
        rule: Which rule of the stage.
    """

    equal: bool | None
    stage: str
    rule: str
