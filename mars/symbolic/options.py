"""The options of multiple choice: the one that a text picks, or several."""

from __future__ import annotations

import re

_LONGEST_OPTION = 500
_WRAPPER = re.compile(r"\\(?:text|textbf|textrm|mathrm|mathbf|mbox|boldsymbol|bf|rm)\b\s*")
_GAP = re.compile(r"(?:\\[,;:! ]|\\q?quad\b|~|[.:：\s])+")
_NAMED = r"(?:(?:[Oo]ptions?|[Cc]hoices?|[Aa]nswers?|选项|选择|答案[是为]?|故选|应选|选)[:：\s]*)"
_OPTION = re.compile(
    rf"(?P<named>{_NAMED})?"
    r"(?:[(（\[](?P<enclosed>[A-H])[)）\]](?=[.:]?(?:\s+[\w$\\]|\s+-\d|$)|[$\\\d])"
    r"|[(（](?P<small>[a-h])[)）]$"
    r"|(?P<closed>[A-H])(?:[)）.．、](?=[\s\d$\\]|$)|[:：](?(named)|$))"
    r"|(?P<bare>[A-H])$)"
)
_OTHER_OPTION = re.compile(r"[(（\[][A-H][)）\]]|(?<![\w°])[A-H](?:[).．、]|$)")
_OPTIONS = re.compile(rf"{_NAMED}?([A-H](?:(?:\s*[,，、;；&和与]\s*(?:and\s+)?|\s+and\s+|\s*)[A-H]){{1,7}})")
_ENCLOSED = re.compile(r"[(（\[]([A-H])[)）\]]")


def option(text: str) -> tuple[str, str] | None:
    r"""Read the one option that a text picks.

    Args:
        text: "(C)", "C.", "C) 12", "Option C", "选C", `\textbf{(C)}\ 12`. A small letter has its parentheses and
            nothing else; behind a colon nothing stands unless the option is called one: `C: 12` may be a label.

    Returns:
        The letter, `A` to `H`, and the text behind it as it stands, `12`; `None` when the text picks no option, or
        more than one.
    """
    if len(text) > _LONGEST_OPTION:
        return None
    bare = _WRAPPER.sub("", text.replace("**", "")).strip(" *。\t\r\n")
    bare = bare.strip("$ ") if bare.startswith("$") else bare
    if bare.startswith("{"):
        bare = bare[1:].replace("}", "", 1).strip()
    match = _OPTION.match(bare)
    if match is None or _OTHER_OPTION.search(bare, match.end()):
        return None
    gap = _GAP.match(bare, match.end())
    rest = bare[gap.end() if gap else match.end() :].strip()
    letter = match["enclosed"] or match["small"] or match["closed"] or match["bare"]
    return letter.upper(), rest.strip("$") if rest.count("$") % 2 else rest


def option_set(text: str) -> frozenset[str] | None:
    """Read several options: "ABD", "A, C", "(A) and (C)", "A、C".

    Returns:
        The letters, two or more of `A` to `H`; without separators they must ascend, for `BA` is a product. `None` when
        the text is anything else.
    """
    if len(text) > _LONGEST_OPTION:
        return None
    match = _OPTIONS.fullmatch(_ENCLOSED.sub(r"\1", text).strip(" *$.。\t\r\n"))
    if match is None:
        return None
    letters = re.findall("[A-H]", match[1])
    joined = re.fullmatch("[A-H ]+", match[1]) is not None
    ordered = letters == sorted(letters) or not joined
    return frozenset(letters) if ordered and len(set(letters)) == len(letters) else None
