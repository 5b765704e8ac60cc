"""Reading an answer: text to a typed tree, bounded in size and depth. Nothing is evaluated.

`listing := item {separator item}`, `item := [label] chain [remark]`, `chain := side {relation side}`,
`side := expression [":" expression] [unit]`. The grammar of expressions is in `expressions`.
"""

from __future__ import annotations

import re

from mars.symbolic.clock import clock
from mars.symbolic.cursor import Cursor
from mars.symbolic.expressions import expression, factor
from mars.symbolic.lexer import Token, TooLong, Unreadable, tokenize
from mars.symbolic.normalize import normalize
from mars.symbolic.remarks import NO_CONDITION, condition, is_domain, measured
from mars.symbolic.tree import (
    Call,
    Constant,
    Labelled,
    Logic,
    Node,
    Number,
    Product,
    Quantity,
    Ratio,
    Relation,
    Sequence,
    Sum,
    Symbol,
    Text,
    children,
    rebuild,
)
from mars.symbolic.units import find_unit
from mars.symbolic.vocabulary import CONDITIONS, FILLERS, NUMBER_SETS, PHRASES, REASONS
from mars.symbolic.words import number_in_words, plain_text

MOST_CHARACTERS = 20_000
"""An answer, not a treatise: what is longer is compared as text alone."""
MOST_LEVELS = 150
"""Levels of a tree; forty brackets make about a hundred."""
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_FRAME = re.compile(r"\\(?:text|mbox|textbf|textit|mathrm|textrm|textnormal)\s*\{|[{}$]|\\[ ,;!]")
_COMMAND = re.compile(r"\\[A-Za-z]+")
_MATH_MARKS = re.compile(r"\\[A-Za-z]|[=^<>]")
_SEPARATORS = (",", ";", "separator", "\\\\")
_WORDY = ("word", "letter", "number", "'", "-", ".", "separator", "function", "name")
_BEFORE_NUMBERS = frozenset(("$", "%", "€", "£", "₹", "yuan", "yen"))
_LONGEST_LABEL = 12
_CLAUSE_SPACES = 2
_INEQUALITIES = frozenset(("<", "<=", ">", ">=", "!=", "in", "notin"))


def parse(text: str) -> Node:
    """Read one answer.

    Args:
        text: LaTeX or plain text, without the marks that extraction takes off.

    Returns:
        The tree; words that are no mathematics become `Text`.

    Raises:
        TooLong: The text is beyond the limits on characters, tokens, digits or depth.
        Unreadable: The text is broken mathematics, or empty.
    """
    if len(text) > MOST_CHARACTERS:
        raise TooLong(f"an answer of {len(text):,} characters")
    plain = normalize(text)
    if not plain:
        raise Unreadable("there is nothing to read")
    if (time := clock(plain)) is not None:
        return Text(time)
    if (value := number_in_words(plain)) is not None:
        return Number(value)
    try:
        return _statement(plain)
    except RecursionError:
        raise TooLong("too deep") from None
    except Unreadable:
        words = _as_text(plain)
        if words is None:
            raise
        return words


def _as_text(plain: str) -> Text | None:
    """Return the words of a text that is more words than mathematics, else `None`."""
    bare = _FRAME.sub(" ", plain)
    words = len(_LETTERS.findall(_COMMAND.sub(" ", bare)))
    if words == 0 or len(_MATH_MARKS.findall(bare)) > words:
        return None
    folded = plain_text(bare)
    return Text(folded) if folded else None


def _statement(plain: str) -> Node:
    tokens = _prepared(tokenize(plain))
    if not tokens:
        raise Unreadable("there is nothing to read")
    cursor = Cursor(tokens, listing, expression, factor)
    items = listing(cursor)
    if cursor.peek().kind != "end":
        raise Unreadable(f"cannot read {cursor.peek().text!r}")
    if not items:
        raise Unreadable("there is nothing to read")
    if len(items) > 1 and _is_prose(items):
        raise Unreadable("a sentence")
    node = _listed(items)
    _check_depth(node)
    return node


def _is_prose(items: list[Node]) -> bool:
    """Whether commas part the clauses of a sentence rather than the items of a list."""
    return all(isinstance(item, Text) for item in items) and any(
        isinstance(item, Text) and item.words.count(" ") >= _CLAUSE_SPACES for item in items
    )


def _check_depth(node: Node) -> None:
    """Refuse trees that are deep in other ways than by brackets, `x!!!!...`: what walks them recurses."""
    level: list[Node] = [node]
    for _ in range(MOST_LEVELS):
        level = [child for each in level for child in children(each)]
        if not level:
            return
    raise TooLong(f"more than {MOST_LEVELS} levels")


def _prepared(tokens: list[Token]) -> list[Token]:
    """Drop marks that only frame: dollars that open formulas, alignment, a full stop at the end."""
    dollars = sum(token.kind == "$" for token in tokens)
    currency = dollars % 2 == 1 and tokens[0].kind == "$"
    kept = [
        token
        for index, token in enumerate(tokens)
        if not (token.kind == "$" and not (currency and index == 0))
        and not (token.kind == "&" and _beside_relation(tokens, index))
    ]
    while kept and (kept[-1].kind in (".", ",", ";", "\\\\", ":") or kept[-1].text == "therefore"):
        kept.pop()
    while kept and (kept[0].kind in (",", ";", ":", ".") or kept[0].text in ("therefore", "because")):
        kept.pop(0)
    return kept


def _beside_relation(tokens: list[Token], index: int) -> bool:
    around = tokens[max(index - 1, 0) : index + 2]
    return any(token.kind == "relation" for token in around)


def listing(cursor: Cursor) -> list[Node]:
    """Read the items up to a closing bracket or the end: one item, or several that separators part."""
    items: list[Node] = []
    joiners: set[str] = set()
    while True:
        while _separates(cursor):
            token = cursor.take()
            if items:
                joiners.add(token.text)
        if not _opens_item(cursor):
            break
        if items and cursor.peek().kind == "word" and cursor.peek().text.lower() in ("where", "with", "for"):
            items = _under_condition(items, cursor)
        else:
            items.append(_item(cursor))
        if not _separates(cursor):
            break
    return _combined(items, joiners) if len(items) > 1 else items


def _combined(items: list[Node], joiners: set[str]) -> list[Node]:
    """Put several items together that are one statement: a list and what its letters run through, inequalities."""
    if (own := _domain_of(items[-1])) is not None:
        items[-1] = own
    if is_domain(items[-1]) and not _restricts(items[0]):
        domain = items.pop()
        return [Logic("where", (_listed(items), domain))]
    if isinstance(items[-1], Logic) and items[-1].operator == "where":
        value, domain = items[-1].operands
        if is_domain(domain) and not any(isinstance(item, Logic) for item in items[:-1]):
            return [Logic("where", (Sequence((*items[:-1], value)), domain))]
    if all(_restricts(item) for item in items):
        return [Logic(next((word for word in ("or", "and") if word in joiners), ","), tuple(items))]
    return items


def _listed(items: list[Node]) -> Node:
    return items[0] if len(items) == 1 else Sequence(tuple(items))


def _separates(cursor: Cursor) -> bool:
    kind = cursor.peek().kind
    return kind in _SEPARATORS and not (kind == "\\\\" and cursor.in_rows)


def _opens_item(cursor: Cursor) -> bool:
    token = cursor.peek()
    return token.kind not in ("end", ")", "}", "\\}", "&", "\\\\") and token.text not in ("rangle", "end")


def _restricts(node: Node) -> bool:
    """Whether a statement is an inequality or a membership: such ones combine, where equations enumerate."""
    return isinstance(node, Relation) and any(operator in _INEQUALITIES for operator in node.operators)


def _under_condition(items: list[Node], cursor: Cursor) -> list[Node]:
    """Read a condition of all the items before it, `x + C, where C is a constant`, or one more item."""
    start = cursor.position
    try:
        found = condition(cursor, _chain)
    except Unreadable:
        cursor.position = start
        return [*items, _item(cursor)]
    return [Logic("where", (_listed(items), found))] if found is not None else items


def _domain_of(node: Node) -> Node | None:
    """Read `C is any real number`, an item of its own, as what C runs through."""
    match node:
        case Logic("where", (Symbol() as name, Relation(("in",), (Sequence(()), where)) as said)) if is_domain(said):
            return Relation(("in",), (name, where))
    return None


def _item(cursor: Cursor) -> Node:
    node = _bare_item(cursor)
    while (found := condition(cursor, _chain)) is not None:
        node = Logic("where", (node, found)) if found != NO_CONDITION else node
    return node


def _bare_item(cursor: Cursor) -> Node:
    while cursor.peek().kind == "word" and cursor.peek().text.lower() in FILLERS:
        cursor.take()
    token = cursor.peek()
    if token.kind == "command" and token.text in ("forall", "exists"):
        return _quantified(cursor)
    if token.kind == "relation" and token.text in ("=", "~"):
        cursor.take()
    if cursor.in_rows and token.kind == "word" and token.text.lower() in ("if", "when", "for"):
        cursor.take()
    if (label := _label(cursor)) is not None:
        return Labelled(label, _chain(cursor))
    if token.kind == "word" and cursor.peek().kind == "word":
        return _words(cursor)
    return _chain(cursor)


def _quantified(cursor: Cursor) -> Node:
    kind = cursor.take().text
    condition = _chain(cursor)
    if cursor.peek().kind in (",", ":"):
        cursor.take()
    return Logic(kind, (condition, _chain(cursor)))


def _label(cursor: Cursor) -> str | None:
    """Read a name and its colon, `Minimum: 1` or `Sequence 1: ...`, if they come next."""
    start = cursor.peek()
    if start.kind == "function" and cursor.peek(1).text == "=":
        cursor.position += 2
        return start.text
    if start.kind == "letter" and not start.upright and not (start.text.isupper() and cursor.peek(1).kind == ":"):
        return None
    if start.kind not in ("word", "letter"):
        return None
    ahead = 0
    while cursor.peek(ahead).kind in _WORDY and ahead < _LONGEST_LABEL:
        ahead += 1
    if ahead == 0 or cursor.peek(ahead).kind != ":":
        return _sentence(cursor)
    label = _spelled_out([cursor.take() for _ in range(ahead)])
    cursor.take()
    return plain_text(label)


def _spelled_out(tokens: list[Token]) -> str:
    """Put letters that stood together back together: short words were read as products."""
    return "".join(f" {token.text}" if token.spaced or token.upright else token.text for token in tokens).strip()


def _sentence(cursor: Cursor) -> str | None:
    """Read the words of a sentence up to its verb and a value: `the rent is` of `the rent is 240 yuan`."""
    for ahead in range(_LONGEST_LABEL):
        token = cursor.peek(ahead)
        if token.kind not in ("word", "letter", "-", "'"):
            return None
        if token.kind == "word" and token.text.lower() in ("is", "are", "equals") and ahead:
            if cursor.peek(ahead + 1).kind not in ("number", "command", "\\$", "-", "(", "function"):
                return None
            label = _spelled_out([cursor.take() for _ in range(ahead)])
            cursor.take()
            return plain_text(label)
    return None


def _words(cursor: Cursor) -> Node:
    """Read an item that begins with words: a phrase that names a constant, a currency, or the name of a value."""
    phrase: list[Token] = []
    while cursor.peek().kind in ("word", "letter"):
        phrase.append(cursor.take())
    folded = plain_text(_spelled_out(phrase))
    following = cursor.peek()
    if following.kind == "number" and (unit := find_unit(folded)) in _BEFORE_NUMBERS:
        return Quantity(expression(cursor), str(unit))
    if following.kind == "relation" and following.text == "=":
        cursor.take()
        return Labelled(folded, _chain(cursor))
    if following.kind not in ("end", ")", "}", "\\}", *_SEPARATORS):
        raise Unreadable(f"{phrase[0].text!r} stands before a value")
    if folded in PHRASES:
        return Constant(PHRASES[folded])
    value = number_in_words(folded)
    return Text(folded) if value is None else Number(value)


def _chain(cursor: Cursor) -> Node:
    sides = [_side(cursor)]
    operators: list[str] = []
    while True:
        negated = bool(cursor.accept("command", "not"))
        token = cursor.accept("relation")
        if token is None:
            break
        operators.append({"=": "!=", "in": "notin"}.get(token.text, f"not {token.text}") if negated else token.text)
        side = _side(cursor)
        if operators[-1] in ("in", "notin") and isinstance(side, Symbol) and side.name in NUMBER_SETS:
            side = Constant(NUMBER_SETS[side.name])
        sides.append(side)
    return Relation(tuple(operators), tuple(sides)) if operators else sides[0]


def _side(cursor: Cursor) -> Node:
    if cursor.peek().kind == "word":
        return _words_of_side(cursor)
    node = _priced(expression(cursor))
    if cursor.peek().kind == ":" and not cursor.bars_separate and _opens_item_after(cursor):
        parts = [node]
        while cursor.accept(":"):
            parts.append(expression(cursor))
        node = Ratio(tuple(parts))
    if cursor.peek().kind == "command" and cursor.peek().text == "pmod":
        cursor.take()
        node = Call("residue", (node, cursor.factor()))
    return measured(cursor, node)


def _priced(node: Node) -> Node:
    """Let a sign of currency within an expression stand for the whole: `$27 + 9` is 36 dollars."""
    if isinstance(node, Quantity) or not _has_price(node):
        return node

    def bare(each: Node) -> Node:
        return each.value if isinstance(each, Quantity) and each.unit == "$" else rebuild(each, bare)

    return Quantity(bare(node), "$") if isinstance(node, Sum | Product) else node


def _has_price(node: Node) -> bool:
    return (isinstance(node, Quantity) and node.unit == "$") or any(map(_has_price, children(node)))


def _opens_item_after(cursor: Cursor) -> bool:
    return cursor.peek(1).kind in ("number", "letter", "(", "{", "command", "function", "name", "[", "-")


def _words_of_side(cursor: Cursor) -> Node:
    words: list[Token] = []
    while cursor.peek().kind in ("word", "letter") and cursor.peek().text.lower() not in CONDITIONS | REASONS:
        words.append(cursor.take())
    folded = plain_text(_spelled_out(words))
    if not folded:
        raise Unreadable("a remark where a value belongs")
    value = number_in_words(folded)
    node: Node = Constant(PHRASES[folded]) if folded in PHRASES else Text(folded) if value is None else Number(value)
    return measured(cursor, node)
