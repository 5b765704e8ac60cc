"""Finding the one answer that a response commits to. Linear in the length of the text."""

from __future__ import annotations

import re

from mars.thinking import split_thinking

_BOX_OR_BRACE = re.compile(r"\\(?:boxed|fbox)\s*\{|\\.|[{}]", re.DOTALL)


def last_boxed(text: str) -> str | None:
    r"""Return the content of the last complete `\boxed{...}`, or `None` when there is none.

    A box that is never closed is the end of a response that was cut off, and is no answer.

    Args:
        text: LaTeX or plain text.
    """
    open_braces: list[int | None] = []
    found: tuple[int, int] | None = None
    for match in _BOX_OR_BRACE.finditer(text):
        token = match.group()
        if token == "}":
            start = open_braces.pop() if open_braces else None
            if start is not None:
                found = start, match.start()
        elif token == "{":
            open_braces.append(None)
        elif token.endswith("{") and len(token) > 2:
            open_braces.append(match.end())
    return text[slice(*found)] if found else None


def graded_text(completion: str, open_tag: str, close_tag: str) -> str | None:
    """Return the part of a completion that may be graded, or `None` when its thinking never ends.

    Args:
        completion: The text that the model wrote.
        open_tag: The tag that opens thinking.
        close_tag: The tag that closes it.
    """
    split = split_thinking(completion, open_tag, close_tag)
    return split.answer.strip() if split.finished else None


NO_ANSWER = "no answer: the thinking never ends"
"""The reason of every source that finds a completion cut off inside its thinking."""
EMPTY_ANSWER = "no answer: nothing follows the thinking"
