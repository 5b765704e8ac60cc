"""Text before it is read: one spelling for what Unicode, HTML, escapes and typographers write in many ways.

Nothing here changes what an answer means; the units, signs and separators that carry meaning are kept for the lexer.
All of it is linear in the length of the text.
"""

from __future__ import annotations

import re
import unicodedata


def _words(text: str) -> list[str]:
    return text.split()


_CIRCLED = {chr(0x2460 + index): str(index + 1) for index in range(20)}
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ", "0123456789+-()ni", strict=True))
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋ₙ", "0123456789+-n", strict=True))
_FRACTIONS = {
    **{"½": "1 2", "⅓": "1 3", "⅔": "2 3", "¼": "1 4", "¾": "3 4", "⅕": "1 5", "⅖": "2 5", "⅗": "3 5", "⅘": "4 5"},
    **{"⅙": "1 6", "⅚": "5 6", "⅛": "1 8", "⅜": "3 8", "⅝": "5 8", "⅞": "7 8"},
}
_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩϕϵϑ",
        (
            *_words("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma"),
            *_words("tau"),
            *_words("upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega phi epsilon"),
            *_words("theta"),
        ),
        strict=True,
    )
)
_SYMBOLS = {
    **{"−": "-", "–": "-", "—": "-", "﹣": "-", "×": "\\times ", "⋅": "\\cdot ", "·": "\\cdot ", "∙": "\\cdot "},
    **{"÷": "\\div ", "∕": "/", "⁄": "/", "≤": "\\le ", "≦": "\\le ", "⩽": "\\le ", "≥": "\\ge ", "≧": "\\ge "},
    **{"⩾": "\\ge ", "≠": "\\ne ", "≈": "\\approx ", "≡": "\\equiv ", "∈": "\\in ", "∉": "\\notin ", "∪": "\\cup "},
    **{"∩": "\\cap ", "∞": "\\infty ", "±": "\\pm ", "∓": "\\mp ", "°": "^\\circ ", "º": "^\\circ ", "∘": "\\circ "},
    **{"∅": "\\emptyset ", "∀": "\\forall ", "∃": "\\exists ", "→": "\\to ", "⇒": "\\Rightarrow ", "⊂": "\\subset "},
    **{"⊆": "\\subseteq ", "∖": "\\setminus ", "√": "\\sqrt ", "∛": "\\sqrt[3]", "∑": "\\sum ", "∏": "\\prod "},
    **{
        "∫": "\\int ",
        "∠": "\\angle ",
        "△": "\\triangle ",
        "⊥": "\\perp ",
        "⌊": "\\lfloor ",
        "⌋": "\\rfloor ",
        "⌈": "\\lceil ",
        "⌉": "\\rceil ",
        "⟨": "\\langle ",
    },
    **{"⟩": "\\rangle ", "ℝ": "\\mathbb{R}", "ℤ": "\\mathbb{Z}", "ℕ": "\\mathbb{N}", "ℚ": "\\mathbb{Q}"},
    **{"ℂ": "\\mathbb{C}", "∣": "|", "′": "'", "″": "''", "‘": "'", "’": "'", "…": "\\ldots ", "⋯": "\\ldots "},
    **{"，": ",", "、": ",", "；": ";", "：": ":", "。": ".", "（": "(", "）": ")", "∧": " and ", "∨": " or "},
    **{"或": " or ", "和": " and ", "且": " and ", "及": " and ", "∶": ":", "％": "%", "€": "\\text{ euros }"},
    **{"￥": "\\text{ yuan }", "¥": "\\text{ yuan }", "元": "\\text{ yuan }", "£": "\\text{ gbp }"},
}
_TABLE = str.maketrans(
    {letter: f"\\{name} " for letter, name in _GREEK.items()}
    | _SYMBOLS
    | {mark: "\\frac{{{}}}{{{}}}".format(*parts.split()) for mark, parts in _FRACTIONS.items()}
)
_RUNS = re.compile(f"([{''.join(_SUPERSCRIPTS)}]+)|([{''.join(_SUBSCRIPTS)}]+)|([{''.join(_CIRCLED)}]+)")
_RADICAL = re.compile(r"√\s?(\d{1,40}|[A-Za-z])(?![\d.])")
_HTML = re.compile(r"<(su[pb])>(.{0,200}?)</\1>")
# An escape that some writer of JSON or Python ate, and what it was: a form feed with "rac" was \frac.
_EATEN = re.compile(
    r"\x0c(?=rac|orall)|\t(?=ext|imes|heta|frac|an\b|au\b|o\b|riangle)|\x08(?=oxed|inom|egin|eta|ar|mod)"
    r"|\r(?=ight|ho\b|angle|m\b|floor|ceil)|\x07(?=lpha|pprox|ngle)|\x0b(?=ec)"
)
_ESCAPES = {"\x0c": "\\f", "\t": "\\t", "\x08": "\\b", "\r": "\\r", "\x07": "\\a", "\x0b": "\\v"}
_DOUBLED = re.compile(
    r"(?<!\\)\\\\(?=(?:d?frac|tfrac|cfrac|sqrt|left|right|text|pi|le|ge|leq|geq|neq?|times|cdot|div|infty|cup|cap|in|pm|mp|sin"
    r"|cos|tan|log|ln|binom|begin|end|mathrm|mathbb|boxed|circ|alpha|beta|theta|lambda|approx|quad|theta|phi|rho)(?![A-Za-z])|[{}%$])"
)
_PRIME_DEGREE = re.compile(r"\\textcirc\b|\\degrees?\b|\^\s*\{?\s*\\?o\s*\}(?=\s|$)|\\deg\b")
_LEFT_BAR, _RIGHT_BAR = re.compile(r"\\left\s?\|"), re.compile(r"\\right\s?\|")
_QUAD = re.compile(r"\\q?quad")
_COLOR = re.compile(r"\\(?:color|textcolor)\s?\{[A-Za-z]{1,20}\}|\\(?:h|v)?phantom\s?\{[^{}]{0,40}\}")
_DOTS = re.compile(r"\.{3,}")
_WIDTHLESS = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff\u00ad]")
_DIRT = re.compile(r"\\(?:left|right)\s?\.|\\(?:displaystyle|textstyle|limits|nolimits|boldsymbol)\b")


def normalize(text: str) -> str:
    r"""Spell a text in plain ASCII and LaTeX: `½` is `\frac{1}{2}`, `x²` is `x^{2}`, `＞` is `>`.

    Args:
        text: Any text.
    """
    text = _EATEN.sub(lambda match: _ESCAPES[match.group()], text)
    if not text.isascii():
        text = _WIDTHLESS.sub("", text)
        text = _RADICAL.sub(r"\\sqrt{\1}", text)
        text = _RUNS.sub(_script, text).translate(_TABLE)
        text = unicodedata.normalize("NFKC", text).translate(_TABLE)
    if "<su" in text:
        text = _HTML.sub(lambda match: f"{'^' if match[1] == 'sup' else '_'}{{{match[2]}}}", text)
    if "\\" in text:
        text = _DOUBLED.sub(r"\\", text)
        text = _PRIME_DEGREE.sub(r"\\circ ", text)
        text = _LEFT_BAR.sub(r"\\lvert ", _RIGHT_BAR.sub(r"\\rvert ", text))
        text = _COLOR.sub("", text)
        text = _DIRT.sub("", _QUAD.sub(" ", text))
    if "..." in text:
        text = _DOTS.sub(r"\\ldots ", text)
    return text.strip().rstrip("^").strip()


def _script(match: re.Match[str]) -> str:
    above, below, circled = match.groups()
    if above:
        return f"^{{{''.join(map(_SUPERSCRIPTS.__getitem__, above))}}}"
    if below:
        return f"_{{{''.join(map(_SUBSCRIPTS.__getitem__, below))}}}"
    return ",".join(map(_CIRCLED.__getitem__, circled))
