"""The code in a model's completion, found by SandboxFusion's rules, in time linear in the completion's length.

Whole fenced blocks come before blocks that no fence closes, and those before code that is recognised by its looks. Of
equals the first in the wanted language is taken, else the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

ExtractedType = Literal["fenced", "incomplete_fenced", "heuristic", "empty"]

_FENCE = "```"
_CLOSING = re.compile(r"\n[ \t]*```")
_PYTHON_STARTS = re.compile(r"import \w|from \S+ import |(async )?def \w+\(|class \w+[(:]|@\w|#!")
_PYTHON_CONTINUES = re.compile(
    r"[ \t)\]}#@]|(import|from|def|class|async|if|elif|else|for|while|try|except|finally|with|print|assert|raise|del)\b"
    r"|[A-Za-z_][\w.]*( ?[-+*/|&]?=|[(\[])"
)
_NAMES = {
    "python": ("python", "py", "python3"),
    "cpp": ("cpp", "c++"),
    "nodejs": ("nodejs", "javascript", "js", "node"),
    "go": ("go", "golang"),
    "java": ("java",),
    "rust": ("rust", "rs"),
    "bash": ("bash", "sh", "shell"),
    "c": ("c",),
}
_LANGUAGES = {"javascript": "nodejs", "pytest": "python"} | {
    name: language for language, names in _NAMES.items() for name in names
}


class Extracted(NamedTuple):
    """Code and how it was found."""

    code: str
    kind: ExtractedType


class _Block(NamedTuple):
    language: str
    code: str
    closed: bool


def extract(completion: str, language: str) -> Extracted:
    """Return the code in a completion.

    Args:
        completion: A model's answer.
        language: SandboxFusion's name of the language that is wanted.
    """
    blocks = list(_blocks(completion))
    wanted = _LANGUAGES.get(language, language)
    if whole := [block for block in blocks if block.closed]:
        return Extracted(_preferred(whole, wanted), "fenced")
    if blocks:
        return Extracted(_preferred(blocks, wanted), "incomplete_fenced")
    code = _by_looks(completion, language)
    return Extracted(code, "heuristic" if code else "empty")


def _preferred(blocks: list[_Block], language: str) -> str:
    return next((block.code for block in blocks if block.language == language), blocks[0].code)


def _blocks(text: str) -> Iterator[_Block]:
    """The fenced blocks that hold anything; at most the last of them is not closed."""
    start = text.find(_FENCE)
    while start >= 0:
        line_end = text.find("\n", start)
        if line_end < 0:
            return
        closing = _CLOSING.search(text, line_end)
        code = text[line_end + 1 : closing.start() if closing else len(text)]
        if code.strip():
            yield _Block(_language(text[start + len(_FENCE) : line_end]), code, closing is not None)
        if closing is None:
            return
        start = text.find(_FENCE, closing.end())


def _language(info: str) -> str:
    words = info.split()
    name = words[0].lower() if words else ""
    return _LANGUAGES.get(name, name)


def _by_looks(text: str, language: str) -> str:
    if language == "bash":
        return text if text.strip() else ""
    return _python_lines(text) if _LANGUAGES.get(language) == "python" else ""


def _python_lines(text: str) -> str:
    """The lines from the first that starts a program to the last before prose goes on."""
    lines = text.splitlines()
    first = next((index for index, line in enumerate(lines) if _PYTHON_STARTS.match(line)), len(lines))
    last = first
    while last < len(lines) and (not lines[last].strip() or _PYTHON_CONTINUES.match(lines[last])):
        last += 1
    return "\n".join(lines[first:last]).strip("\n")
