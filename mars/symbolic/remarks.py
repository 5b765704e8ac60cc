"""What stands behind a value: its unit, what its parameters run through, and conditions. Nothing is dropped unread."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from mars.symbolic.cursor import Cursor
from mars.symbolic.lexer import Token, Unreadable
from mars.symbolic.tree import Constant, Node, Number, Product, Quantity, Relation, Sequence, Sum, Symbol, symbols
from mars.symbolic.units import convert, find_unit, is_known, same_dimension
from mars.symbolic.vocabulary import CONDITIONS, DOMAIN_WORDS, NUMBER_SETS, REASONS
from mars.symbolic.words import split_magnitude

NO_CONDITION = Constant("no condition")
"""What `condition` returns for a reason, which leaves the value what it is."""
ANY = "any"
_ENDS = ("end", ")", "]", "}", "\\}", ";", "\\\\", "&", "|")
_SETS = frozenset((*NUMBER_SETS.values(), ANY))
_BASES = {
    **{"integer": "integers", "integers": "integers", "real": "reals", "reals": "reals", "natural": "naturals"},
    **{"rational": "rationals", "complex": "complexes", "constant": "reals", "constants": "reals"},
}
_SIGNS = ("positive", "negative", "nonnegative", "non-negative")


def is_domain(node: Node) -> bool:
    r"""Whether a statement only says what a parameter runs through: `k \in \mathbb{Z}`."""
    match node:
        case Relation(("in",), (Symbol() | Sequence(), Constant(name))):
            return bool(_SETS & set(name.split()))
    return False


def condition(cursor: Cursor, chain: Callable[[Cursor], Node]) -> Node | None:
    """Read what is said of when a value holds, or of its parameters.

    Args:
        cursor: Behind the value.
        chain: The grammar of a relation.

    Returns:
        The condition, `NO_CONDITION` for a reason, or `None` when nothing of the kind comes next.

    Raises:
        Unreadable: A condition follows that is in words.
    """
    token = cursor.peek()
    if token.kind == "(" and cursor.holds_relation():
        cursor.take()
        found = chain(cursor)
        cursor.expect(")")
        return found
    word = token.text.lower() if token.kind == "word" else ""
    if word in REASONS:
        cursor.skip_region()
        return NO_CONDITION
    if word not in CONDITIONS:
        return None
    cursor.take()
    if cursor.peek().text.lower() == "that":
        cursor.take()
    domain = _domain(cursor)
    if domain is not None:
        return domain
    while cursor.peek().text.lower() in ("all", "any", "some", "every", "each"):
        cursor.take()
    found = chain(cursor)
    if not isinstance(found, Relation):
        raise Unreadable(f"a condition in words: {word}")
    return found


def _domain(cursor: Cursor) -> Node | None:
    """Read `all integers k` or `k is any real number`; move nowhere and return `None` if something else follows."""
    ahead, words, names = 0, [], []
    while (token := cursor.peek(ahead)).kind not in _ENDS:
        if token.kind == "word" and token.text.lower() in DOMAIN_WORDS:
            words.append(token.text.lower())
        elif token.kind == "letter":
            names.append(token.text)
        elif token.kind not in (",", "separator", "."):
            return None
        ahead += 1
    if not words:
        return None
    cursor.position += ahead
    return Relation(("in",), (Sequence(tuple(map(Symbol, names))), Constant(_set_of(words))))


def _set_of(words: list[str]) -> str:
    base = next((_BASES[word] for word in words if word in _BASES), ANY)
    sign = next((word for word in words if word in _SIGNS), "")
    if sign == "positive" and base == "integers":
        return "naturals"
    return f"{sign} {base}".strip()


def measured(cursor: Cursor, node: Node) -> Node:
    """Read the unit behind a value; quantities of one kind that follow each other are added, `2 hours 30 minutes`.

    Args:
        cursor: Behind the value.
        node: The value.

    Raises:
        Unreadable: Words follow that are no unit.
    """
    node = _annotated(cursor, node)
    if cursor.peek().kind in ("\\$", "$") and isinstance(node, Number):
        cursor.take()
        return Quantity(node, "$")
    if not is_wordy(cursor.peek()) or _opens_condition(cursor.peek()):
        return node
    phrase = _unit_phrase(cursor)
    magnitude, phrase = split_magnitude(phrase)
    node = node if magnitude == 1 else Product((node, Number(Fraction(magnitude))))
    unit = find_unit(phrase, upright=True) if phrase else None
    if phrase and (unit is None or (not is_known(unit) and symbols(node))):
        raise Unreadable(f"{phrase!r} is no unit")
    if unit is None:
        return node
    return _annotated(cursor, _added(cursor, Quantity(node, unit)))


def _added(cursor: Cursor, first: Quantity) -> Quantity:
    """Add a smaller quantity of the same kind that follows: `5 feet 3 inches`."""
    start = cursor.position
    if cursor.peek().kind != "number" or not is_known(first.unit):
        return first
    second = measured(cursor, Number(Fraction(cursor.take().text)))
    if isinstance(second, Quantity) and same_dimension(first.unit, second.unit):
        ratio = convert(Fraction(1), second.unit, first.unit)
        if ratio is not None and ratio < 1:
            return Quantity(Sum((first.value, Product((second.value, Number(ratio))))), first.unit)
    cursor.position = start
    return first


def _opens_condition(token: Token) -> bool:
    return token.kind == "word" and token.text.lower() in CONDITIONS | REASONS


def _annotated(cursor: Cursor, node: Node) -> Node:
    """Read a word in parentheses behind a value: a unit, or the name of whose value it is, `240 yuan (A)`."""
    if cursor.peek().kind != "(" or not is_wordy(cursor.peek(1)) or cursor.peek(2).kind != ")":
        return node
    cursor.position += 1
    word = cursor.take().text
    cursor.expect(")")
    unit = find_unit(word.lower(), upright=False)
    return Quantity(node, unit) if unit and not isinstance(node, Quantity) else node


def _short_word(cursor: Cursor) -> str:
    """Put a short word behind others back together, `old` of `7 years old`: alone it was read as a product."""
    word = cursor.take().text
    while cursor.peek().kind == "letter" and not cursor.peek().spaced:
        word += cursor.take().text
    return word


def is_wordy(token: Token) -> bool:
    """Whether a token is a word, or a letter set as text."""
    return token.kind == "word" or (token.upright and token.kind in ("letter", "function"))


def _unit_phrase(cursor: Cursor) -> str:
    r"""Take the words of a unit, with powers and quotients: `inches^2`, `km/h`, `square feet`."""
    phrase = ""
    while True:
        token = cursor.peek()
        if is_wordy(token):
            if _opens_condition(token) and phrase:
                break
            phrase += f"{'' if phrase.endswith('/') else ' '}{token.text}"
        elif token.kind == "^" and phrase:
            braced = cursor.peek(1).kind == "{"
            power = cursor.peek(1 + braced)
            if power.kind != "number":
                break
            phrase += f"^{power.text}"
            cursor.position += 3 if braced else 1
        elif token.kind == "/" and phrase and cursor.peek(1).kind == "letter":
            cursor.take()
            phrase += f"/{cursor.peek().text}"
        elif phrase and token.kind == "letter" and token.spaced:
            phrase += f" {_short_word(cursor)}"
            continue
        elif token.kind in ("/", ".", "-", "'") and phrase and is_wordy(cursor.peek(1)):
            phrase += token.text if token.kind != "." else ""
        elif token.kind == "." and phrase:
            pass
        else:
            break
        cursor.take()
    words = phrase.split()
    while words and words[0].lower() in ("st", "nd", "rd", "th"):
        words.pop(0)
    return " ".join(words)
