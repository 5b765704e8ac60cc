"""Whether answers in words say the same: the same words, or the one word that a sentence is about."""

from __future__ import annotations

from mars.symbolic.policy import Policy
from mars.symbolic.tree import Constant, Node, Product, Symbol, Text
from mars.symbolic.types import Finding

_LEAST_WORDS = 3
"""Words of a sentence; shorter phrases are answers by themselves, of which every word counts."""
_BEFORE = frozenset(("a", "an", "the", "any", "every", "all", "each", "only"))
_TURNING = frozenset(("not", "no", "nor", "neither", "never", "or", "than", "but", "except", "if", "unless"))


def wordings_agree(reference: Node, answer: Node, policy: Policy) -> Finding:
    """Compare two answers of which one at least is in words.

    Args:
        reference: The right one.
        answer: The one to judge.
        policy: Whether the subject of a reference that is a sentence stands for all of it.
    """
    right, given = spelled(reference), spelled(answer)
    if right is None or given is None:
        return Finding(False, "structure", "words on one side only")
    if right == given:
        return Finding(True, "structure", "the same words")
    if policy.words == "subject" and isinstance(reference, Text) and _is_subject(given, right.split()):
        return Finding(True, "structure", "what the reference says it of")
    return Finding(False, "structure", "other words")


def spelled(node: Node) -> str | None:
    """Return the letters of words, or of a product of letters that was a word without its marks."""
    match node:
        case Text(words):
            return words
        case Symbol(name):
            return name.casefold()
        case Product(factors) if all(isinstance(each, Symbol | Constant) for each in factors):
            return "".join(each.name for each in factors if isinstance(each, Symbol | Constant)).casefold()
    return None


def _is_subject(answer: str, sentence: list[str]) -> bool:
    """Whether an answer is the word that a plain sentence begins with: `stopped` for `a stopped clock is better`."""
    if len(sentence) < _LEAST_WORDS or _TURNING & set(sentence):
        return False
    first = next((word for word in sentence if word not in _BEFORE), "")
    return len(answer) > 1 and answer == first.strip(",.;:")
