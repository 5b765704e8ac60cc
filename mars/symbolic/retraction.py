"""How prose takes an answer back: it denies it, corrects it, or says that none is there. Every search is bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_LONGEST = 2000
"""Characters of an answer that is searched for a denial of itself."""
_NOT_BEFORE = re.compile(
    r"""
      (?: \b(?:not|never|(?:is|are|was)n['’]t) | 不(?:应该?|可?能|会)?是 | 并非 )
      (?: \\(?:boxed|fbox|text|displaystyle|left)\b | [\s$\\()\[*{"“] | <answer> ){0,20}$
    | (?: \b(?:cannot|can['’]t|not|n['’]t|might|may)\s(?:be|equal(?:\sto)?) | 不(?:应该?|可?能|会)?(?:为|等于) )
      [\s$\\(*]{0,8}$
    | (?: \b(?:cannot|unable\sto|not|hard\sto|impossible\sto|no\sway\sto) | n['’]t ) \s(?:\w+\s){0,2}?
      (?:determine|know|tell|say|decide|sure|certain|conclude|think|believe|clear|claim|confirm|verify|prove)\b
      (?: (?!\b(?:so|but|thus|hence|therefore|because|since|as)\b) [^,;.] ){0,100}$
    | \b(?: whether(?!\sor\snot) | (?:unclear|unknown|wonder|knows?|tell|say|sure|certain|determine|decide)\sif
        | (?:wrong|incorrect|false|not\s(?:true|correct|right))\s(?:that|to\s(?:say|think|assume|conclude))
        | impossible\s(?:for|that)\b(?=[^,;.]{0,40}\banswer\b) )\b
      [^,;.]{0,100}$
    | \bno(?:body|\sone)\s(?:\w+\s){1,2}(?:that\s)?the\sanswer\s(?:is|was)[\s$\\(*]{0,4}$
    | \banswer\s(?:\w+\s){0,2}(?:exceeds?|be\s(?:\w+er|more|less)\sthan|be\sat\s(?:least|most))[\s$\\(*]{0,4}$
    | \b(?:student|someone|friend|people|he|she|they)\s(?:\w+ly\s)?(?:claim|say|think|thought|guess|believe|argue)\w?\w?
      \s(?:that\s)?(?:the|his|her|their)\s(?:\w+\s)?answer\s(?:is|was)[\s$\\(*]{0,4}$
    | (?: (?:无法|不能|难以|不)(?:确定|判断|知道|得知|肯定|确认|断定|认为) | 是否 | 是不是 ) [^，。；,;]{0,60}$
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SUPPOSED = re.compile(
    r"""
      \b(?:if|suppose|supposing|assume|assuming|imagine)\s(?:that\s)?(?:the|our|my)\s(?:\w+\s)?answer\s
      (?:is|was|were|equals|to\sbe)[\s:$\\(*]{0,6}$
    | (?:若|如果|假设|假如|假定|设)(?:正确)?答案(?:就?是|为|等于)[\s:：$\\(*]{0,6}$
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NOT_BEHIND = re.compile(
    r"""
      (?: \\(?:text\w{0,6}|quad|mathrm|[,;!\ ]) | </answer> | [\s{}$\\()\]*,.;"”'，。；（）—-] ){0,20}
      (?: (?:but|however|wait|no|hmm+|and|oh)\b[\s,.!…—-]{0,4} | (?:但是?|等等|不|可是)[，,]? ){0,3}
      (?! it\b [^.]{0,40} \s(?:to|that|for)\b )
      (?: (?: (?:this|that|it|which|(?:this|that|the|my)\s(?:answer|result|value|one))\b\s? )?
          (?: (?:is|was|['’]s|seems|looks|must\sbe) \s(?:\w+ly\s|also\s)?
              (?: wrong|incorrect|impossible|invalid|false|mistaken|extraneous|absurd
                | a\s(?:contradiction|mistake|possibility|guess) | an\serror )\b
            | (?: (?:is|was|['’]s)\s(?:\w+ly\s)?not | (?:is|was)n['’]t | c(?:an|ould)(?:not|['’]t|n['’]t|\snot)\sbe )
              \s(?:\w+ly\s)?(?:(?:the|an?|our)\s)?(?:(?:correct|right|final|valid|possible|actual|real)\s)?
              (?:answer|solution|right|correct|possible|valid|true|acceptable|allowed)\b
            | (?:does\snot|doesn['’]t|cannot|can['’]t|won['’]t)\s(?:work|satisfy|hold|make\ssense)\b )
        | (?:经?(?:检验|验证|代入)后?[，,]?)?(?:这个?|那|它|该|此)?(?:答案|结果)?(?:显然|明显)?是?
          (?:不对|错误?|错了|不正确|不可能|不成立|不符合题意|不合题意|并?不是(?:正确)?答案|有误)的?(?:答案)?
          (?=[\s，。,.!！；}$]|$)
        | (?-i:if)\b[^.;]{0,80}\s(?:were|had)\b
        | (?<=\bbut\s)I(?:\scannot|\scan['’]t|['’]m\snot|\sam\snot|\sdo\snot|\sdon['’]t)\s
          (?:confirm|sure|certain|think|know|believe|verify)\b )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NOT_WITHIN = re.compile(
    r"""
      ^[\W_]{0,8}(?:\\?text\w{0,6}[\W_]{0,8})?(?:\w{1,12}ly\s)?not\b\W{0,8}\d | ^不是
    | \d[\s$]{0,8}(?:\\text\s?\{\s?)?(?:is\s(?:wrong|incorrect|not\s)|不对|不正确|是?错|有误)
    """,
    re.IGNORECASE | re.VERBOSE,
)
NO_SOLUTION = re.compile(
    r"""
      (?: ^[\s.。!?！？*"”)]{0,8} | [,;:，；：] | \b(?:(?=there\s)|(?:so|thus|hence|therefore|means|conclude|that)\b) )
      [\s*,]{0,4} (?: (?:then|that|so|thus|therefore)\s ){0,2}
      (?: there\s(?:is|are|exists?)\s
        | (?: it | (?:the|this|our)\s(?:\w+\s){0,2}(?:equation|system|inequality|problem)s?(?:\s\$?[^$,;]{1,60}?\$?)? )
          \sha(?:s|ve)\s )?
      no\s(?:(?:real|integer|rational|complex|natural|valid|possible|such)\s){0,2}solutions?
      (?: \sexists? | \s(?:to|of)\s(?!\w+\sproblem)[^,;.]{1,60}
        | \sfor\s(?:the|this|these)\s(?:\w+\s)?(?:equation|system|inequality)s? )?
      [\s.!$*]{0,6}$
    | (?:方程组?|不等式组?|此题|原题|题目|所以|因此|故|则|^)\s?(?:没有|无)(?:实数|整数)?解[\s.。!！$*]{0,6}$
    """,
    re.IGNORECASE | re.VERBOSE,
)
_CONDITION = re.compile(
    r"\b(?:if|when|whenever|for|case|unless|otherwise|where|while|whether)\b|[若当]|如果|情况", re.IGNORECASE
)
_STOP = re.compile(r"[.!?]\s|[。！？\n]")
_CORRECTION = re.compile(
    r"""
    (?:^|[.!?…\n,;—–。！？，；]|[}$)](?=\s)|\s-)[ \t*}$)\]"”]{0,8}
    (?:(?:but|oh|hmm+|oops|and|okay|ok)\b[\s,.!…—-]{1,4}){0,2}
    (?: (?P<plain>actually|or\srather|rather|I\smean|实际上|其实|应该?是|应为)
      | wait(?:$|[,.!…:—]|\s(?:no|a|that|I|it|let|actually|the)\b|\s[-—–]) | no(?:[,.!…—]|\swait\b)
      | (?:correction|sorry|oops|hold\son)(?=[,.!…:：—]|$) | scratch\sthat | on\ssecond\sthought
      | I\smade\san?\s(?:\w+\s)?(?:mistake|error)
      | 等等[，,。…！] | 等一下 | 不对 | 不[，,] | 更正 | 抱歉 | 我算错 )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_RESTATED = re.compile(
    r"""
    (?:[\s,.!:…—，。：-]|\b(?:(?:re-?)?(?:check|count|comput|calculat|do|look|examin|think|consider)ing\b[^,.;\n]{0,40}(?=,)|no|wait|sorry|actually|a\s(?:second|minute|moment))\b|实际上|其实){0,12}
    (?: (?:(?:it|this|that|which|(?:the|my)\s(?:\w+\s)?(?:answer|result)|(?:正确)?答案)\s?)?
        (?:(?:is|was|['’]s|equals|(?:should|must)\s(?:be|have\sbeen)|to)\b|应该?(?:是|为)|是|为)(?!\snot\b)\s?
      | (?= [$\\(*]{0,4}[-+]?\d[\d.,/]{0,20}[\s$\\)*.。!]{0,8} (?:$|(?<=\s)[A-Z]) ) )
    """,
    re.IGNORECASE | re.VERBOSE,
)


class Correction(NamedTuple):
    """A place where a text corrects itself.

    Attributes:
        end: Behind the words that announce it.
        restated: Behind "it is", where the new answer begins; `None` when nothing is restated in so many words.
        mild: Whether the words (`actually`) may introduce something other than a correction.
    """

    end: int
    restated: int | None
    mild: bool


def corrections(text: str, position: int) -> Iterator[Correction]:
    """Find where a text corrects what stands before a position, from there on.

    Args:
        text: The response.
        position: Where the answer ends.
    """
    for mark in _CORRECTION.finditer(text, position):
        restated = _RESTATED.match(text, mark.end())
        yield Correction(mark.end(), restated.end() if restated else None, bool(mark["plain"]))


def sentence_before(text: str, position: int) -> str:
    """Return what the sentence around a position says before it, or the last 200 characters of that."""
    return _STOP.split(text[max(0, position - 200) : position])[-1]


def unsolvable(sentence: str) -> tuple[int, int] | None:
    """Return the span of "there are no solutions" at a sentence's end, or `None` where it holds for one case."""
    match = NO_SOLUTION.search(sentence)
    return match.span() if match and not _CONDITION.search(sentence, 0, match.start()) else None


def denied(text: str, start: int = 0, end: int | None = None) -> bool:
    """Return whether an answer is called wrong, or no answer, by the words around it or, without a span, by its own."""
    if end is None:
        return len(text) <= _LONGEST and bool(_NOT_WITHIN.search(text))
    return supposed(text, start) or bool(
        _NOT_BEFORE.search(sentence_before(text, start)) or _NOT_BEHIND.match(text, end, end + 200)
    )


def supposed(text: str, start: int) -> bool:
    """Return whether what begins at a position is an answer that a text only supposes: "if the answer is"."""
    return bool(_SUPPOSED.search(sentence_before(text, start)))
