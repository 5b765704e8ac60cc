r"""LaTeX and plain mathematics as tokens. One pass, no backtracking, bounded in length."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mars.symbolic.vocabulary import FUNCTIONS, GREEK, NAMES, RELATIONS, SEPARATORS, SHORT_WORDS, SKIPPED, UPRIGHT

MOST_TOKENS = 4000
"""Longer texts are no answers; what reads them stays quadratic at worst, and 4,000 tokens take milliseconds."""
MOST_DIGITS = 4000
"""Digits of one number: Python's own limit on reading integers is 4,300, because reading is quadratic."""

MOST_TEXTS = 8
"""Braces within one `\\text{...}`."""


class Unreadable(Exception):
    """The text is no mathematics that MARS reads."""


class TooLong(Unreadable):
    """The text is beyond the limits on size or depth."""


@dataclass(frozen=True, slots=True)
class Token:
    r"""A token.

    Attributes:
        kind: `number`, `letter` (a variable), `name` (a constant), `function`, `command` (structural LaTeX), `word`,
            `relation`, `separator`, or a punctuation mark, which is its own kind.
        text: What it says, canonical: `<=` for `\leq`.
        spaced: Whether space stands before it.
        upright: Whether it was set as text, `\text{m}`.
    """

    kind: str
    text: str
    spaced: bool = False
    upright: bool = False


_TOKEN = re.compile(
    r"""
    (?P<space>(?:\s|\\[ ,;:>!\n]|~|\\(?:q?quad|hspace\{[^{}]{0,20}\}|hfill|enspace|thinspace)(?![A-Za-z]))+)
    | (?P<scientific>(?:\d+(?:\.\d*)?|\.\d+)[eE][+-]?\d{1,4}(?![\dA-Za-z]))
    | (?P<number>\d{1,3}(?:(?:,(?:\\!)?\ ?|\{,\}|\\,|\\!|\ |~|\\;)\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)
    | (?P<upright>\\(?:text|mbox|textbf|textit|textrm|textnormal|mathrm|operatorname\*?|emph|textsf|hbox|rm|bf)
        (?![A-Za-z])\s*\{)
    | (?P<command>\\[A-Za-z]+\*?)
    | (?P<word>[A-Za-z]+|[^\x00-\x7f]+)
    | (?P<relation><=|>=|!=|=<|=>|->|:=|==|~=|=|<|>)
    | (?P<mark>\*\*|\\\\|\\[{}|$%&\#_]|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_GROUPED = re.compile(r"[,\s~]|\\[!,;]|\{,\}")
_COMMA = re.compile(r"(?<!\\), ?(?=\d)")
_OPENING, _CLOSING = frozenset(("(", "[", "\\{")), frozenset((")", "]", "\\}"))
_SPACES = re.compile(r"~|\\[,;:! ]")
_TEXT_END = re.compile(r"[{}]")
_PIECES = re.compile(r"\$|\d+(?:[.,]\d+)*(?:st|nd|rd|th)?\b|[^\W\d_]+(?:[-'][^\W\d_]+)*|[^\s\w]", re.UNICODE)


def tokenize(text: str) -> list[Token]:
    """Read a text as tokens.

    Args:
        text: A text that `normalize` returned.

    Raises:
        TooLong: The text has too many tokens or too long a number.
    """
    tokens: list[Token] = []
    spaced = False
    position = depth = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise Unreadable(f"cannot read {text[position : position + 20]!r}")
        position = match.end()
        kind, piece = match.lastgroup, match.group()
        if kind == "space":
            spaced = True
            continue
        if kind == "scientific":
            _scientific(tokens, piece, spaced)
            spaced = False
            continue
        if kind == "number" and not piece.isdigit():
            piece, position = _number(match, text, depth > 0)
        elif kind == "mark":
            depth += (piece in _OPENING) - (piece in _CLOSING)
        if kind == "upright":
            position = _upright(tokens, text, position, spaced)
        elif kind == "word":
            _word(tokens, piece, spaced, text[position : position + 1] == "^")
        else:
            _add(tokens, str(kind), piece, spaced)
        spaced = False
        if len(tokens) > MOST_TOKENS:
            raise TooLong(f"more than {MOST_TOKENS} tokens")
    return tokens


def _scientific(tokens: list[Token], piece: str, spaced: bool) -> None:
    """Read `1.5e-3` as 1.5 times a power of ten."""
    digits, _, power = piece.lower().partition("e")
    _add(tokens, "number", digits.rstrip("."), spaced)
    tokens.append(Token("command", "times"))
    tokens.append(Token("number", "10"))
    tokens.append(Token("^", "^"))
    if power[0] == "-":
        tokens.append(Token("-", "-"))
    _add(tokens, "number", power.lstrip("+-"), False)


def _number(match: re.Match[str], text: str, bracketed: bool) -> tuple[str, int]:
    """Tell thousands from lists: `1,234` is one number; `32, 349` and, within brackets, `(1,234)` are lists."""
    piece = match.group()
    if piece == text and piece[:2] == "0," and piece[2:].isdigit():
        return piece.replace(",", "."), match.end()
    comma = _COMMA.search(piece)
    listed = comma is not None and (bracketed or piece[0] == "0" or comma[0] == ", ")
    if comma is not None and listed and "\\!" not in piece:
        return _GROUPED.sub("", piece[: comma.start()]), match.start() + comma.start()
    return _GROUPED.sub("", piece), match.end()


def _add(tokens: list[Token], kind: str, piece: str, spaced: bool) -> None:
    if kind == "number":
        if len(piece) > MOST_DIGITS:
            raise TooLong(f"a number of {len(piece)} digits")
        tokens.append(Token("number", piece, spaced))
    elif kind == "relation":
        tokens.append(Token("relation", RELATIONS.get(piece, piece), spaced))
    elif kind == "command":
        _command(tokens, piece[1:].rstrip("*"), spaced)
    else:
        piece = {"\\|": "|", "\\%": "%", "\\&": "&"}.get(piece, piece)
        tokens.append(Token(piece, piece, spaced))


def _command(tokens: list[Token], name: str, spaced: bool) -> None:
    if name in SKIPPED:
        return
    if name in RELATIONS:
        tokens.append(Token("relation", RELATIONS[name], spaced))
    elif name in FUNCTIONS:
        tokens.append(Token("function", FUNCTIONS[name], spaced))
    elif name in NAMES:
        tokens.append(Token("name", NAMES[name], spaced))
    elif name in GREEK:
        tokens.append(Token("letter", GREEK[name], spaced))
    elif name in ("land", "wedge", "lor", "vee"):
        tokens.append(Token("separator", "and" if name in ("land", "wedge") else "or", spaced))
    else:
        tokens.append(Token("command", name, spaced))


def _word(tokens: list[Token], piece: str, spaced: bool, raised: bool = False) -> None:
    """Tell names of functions and words from products of letters: `sqrt`, `miles`, `ab`, and `Be` of `Be^x`."""
    folded = piece if raised else piece.lower()
    if len(piece) == 1 and piece.isascii():
        tokens.append(Token("letter", piece, spaced))
    elif folded in SEPARATORS:
        tokens.append(Token("separator", SEPARATORS[folded], spaced))
    elif piece in FUNCTIONS:
        tokens.append(Token("function", FUNCTIONS[piece], spaced))
    elif folded in NAMES and (folded == piece or len(piece) > 2):
        tokens.append(Token("name", NAMES[folded], spaced))
    elif piece in GREEK:
        tokens.append(Token("letter", GREEK[piece], spaced))
    elif (
        len(piece) > 3
        or (len(piece) == 3 and piece.istitle())
        or folded in SHORT_WORDS
        or not piece.isascii()
        or _ends_ordinal(tokens, piece, spaced)
    ):
        tokens.append(Token("word", piece, spaced))
    else:
        tokens.extend(Token("letter", letter, spaced and index == 0) for index, letter in enumerate(piece))


def _ends_ordinal(tokens: list[Token], piece: str, spaced: bool) -> bool:
    return piece in ("st", "nd", "rd", "th") and bool(tokens) and tokens[-1].kind == "number" and not spaced


def _upright(tokens: list[Token], text: str, position: int, spaced: bool) -> int:
    r"""Read `\text{...}` from behind its brace; return where it ends."""
    depth, end = 1, position
    for match in _TEXT_END.finditer(text, position, position + 4000):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            end = match.start()
            break
    else:
        raise Unreadable("a text that does not end")
    inside = _SPACES.sub(" ", text[position:end])
    if inside.strip() in UPRIGHT:
        tokens.append(Token(*UPRIGHT[inside.strip()], spaced))
    elif "\\" in inside or "$" in inside or "^" in inside:
        if inside.count("{") > MOST_TEXTS:
            raise TooLong("texts within texts")
        tokens.extend(
            Token(token.kind, token.text, token.spaced or spaced, token.kind in ("word", "letter"))
            for token in tokenize(inside.replace("$", " "))
        )
    else:
        for piece in _PIECES.findall(inside):
            _add_upright(tokens, piece)
    return end + 1


def _add_upright(tokens: list[Token], piece: str) -> None:
    folded = piece.lower()
    if folded in SEPARATORS:
        tokens.append(Token("separator", SEPARATORS[folded], True, True))
    elif piece[0].isdigit():
        digits = piece.rstrip("stndrh")
        # A comma in running text parts a list unless three digits follow it.
        _add(tokens, "number", digits.replace(",", ""), True)
        if digits != piece:
            tokens.append(Token("word", piece[len(digits) :], False, True))
    elif piece[0].isalpha():
        if piece in FUNCTIONS and FUNCTIONS[piece] != "min":
            tokens.append(Token("function", FUNCTIONS[piece], True, True))
        elif len(piece) == 1 and piece.isascii():
            tokens.append(Token("letter", piece, True, True))
        else:
            tokens.append(Token("word", piece, True, True))
    elif piece in "<>=":
        tokens.append(Token("relation", piece, True))
    else:
        tokens.append(Token(piece, piece, True))
