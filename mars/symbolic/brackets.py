"""What stands in brackets: groups, tuples and intervals, sets, absolute values, matrices and other environments."""

from __future__ import annotations

from mars.symbolic.atoms import infix
from mars.symbolic.cursor import Cursor
from mars.symbolic.lexer import Unreadable
from mars.symbolic.tree import Call, Group, Logic, Matrix, Node, Relation, Sequence, SetBuilder, SetOf

_COMMANDS = frozenset(("lfloor", "lceil", "langle", "lvert", "vert", "Vert", "lVert", "begin", "lbrace", "lbrack"))
_ROUNDED = {"lfloor": ("rfloor", "floor"), "lceil": ("rceil", "ceil")}
_MATRICES = frozenset(("matrix", "pmatrix", "bmatrix", "Bmatrix", "smallmatrix", "array", "vmatrix", "Vmatrix"))
_LINES = frozenset(
    ("cases", "aligned", "align", "align*", "gathered", "gather", "gather*", "split", "eqnarray", "equation")
)


def is_opening(cursor: Cursor) -> bool:
    """Whether a bracket, a set or an environment opens here."""
    token = cursor.peek()
    if token.kind in ("(", "[", "{", "\\{"):
        return True
    if token.kind == "]":
        return cursor.peek(-1).kind != "number" and cursor.peek(-1).kind != "letter"
    if token.kind == "|":
        return not cursor.bars and not cursor.bars_separate
    return token.kind == "command" and token.text in _COMMANDS


def bracketed(cursor: Cursor) -> Node:
    """Read what opens here, with its closing.

    Raises:
        Unreadable: It does not close, or holds what cannot be read.
    """
    token = cursor.take()
    if token.kind == "\\{" or token.text == "lbrace":
        return _set(cursor)
    if token.kind == "|" or token.text in ("vert", "lvert", "Vert", "lVert"):
        return _absolute(cursor)
    if token.text in _ROUNDED:
        closing, name = _ROUNDED[token.text]
        inside = cursor.expression()
        if cursor.accept("command", closing) is None:
            raise Unreadable(f"\\{token.text} is not closed")
        return Call(name, (inside,))
    if token.text == "begin":
        return _environment(cursor)
    if token.kind == "{":
        return _braced(cursor)
    return _group(cursor, "<" if token.text == "langle" else token.kind)


def _group(cursor: Cursor, opening: str) -> Node:
    items = cursor.listing()
    token = cursor.take()
    closing = ">" if token.text == "rangle" else token.kind
    if closing not in {"(": ")]", "[": ")][", "]": "[])", "<": ">"}.get(opening, ""):
        raise Unreadable(f"{opening!r} is closed by {closing!r}")
    if not items:
        raise Unreadable("empty brackets")
    if len(items) > 1:
        return Group(tuple(items), opening, closing)
    only = items[0]
    if isinstance(only, Sequence):
        return Group(only.items, opening, closing)
    if (opening, closing) not in (("(", ")"), ("[", "]")):
        raise Unreadable("a half-open interval with one end")
    return only


def _braced(cursor: Cursor) -> Node:
    items = cursor.listing()
    if cursor.peek().kind == "command" and cursor.peek().text in ("choose", "over") and len(items) == 1:
        node = infix(cursor, items[0])
        cursor.expect("}")
        return node
    cursor.expect("}")
    if not items:
        raise Unreadable("empty braces")
    return items[0] if len(items) == 1 else Sequence(tuple(items))


def _set(cursor: Cursor) -> Node:
    if _closes_set(cursor):
        return SetOf(())
    if cursor.peek().text == "begin":
        # The brace of a system, whose other side is invisible.
        system = cursor.expression()
        if cursor.peek().kind != "|" and not _closes_set(cursor):
            return _as_system(system)
        return SetOf((system,))
    cursor.bars_separate = True
    items = cursor.listing()
    token = cursor.peek()
    if token.kind in ("|", ":") or token.text in ("mid", "vert", "colon"):
        cursor.take()
        cursor.bars_separate = False
        element = items[0] if len(items) == 1 else Sequence(tuple(items))
        conditions = cursor.listing()
        if not _closes_set(cursor) or not conditions:
            raise Unreadable("a set that is not closed")
        condition = conditions[0] if len(conditions) == 1 else Logic("and", tuple(conditions))
        return SetBuilder(element, condition)
    if not _closes_set(cursor):
        raise Unreadable("a set that is not closed")
    if len(items) == 1 and isinstance(items[0], Sequence):
        return SetOf(items[0].items)
    return SetOf(tuple(items))


def _as_system(node: Node) -> Node:
    """Read a matrix of one column, or of values and conditions, as the lines of a system."""
    return _lines([list(row) for row in node.rows]) if isinstance(node, Matrix) else node


def _closes_set(cursor: Cursor) -> bool:
    return bool(cursor.accept("\\}") or cursor.accept("command", "rbrace"))


def _absolute(cursor: Cursor) -> Node:
    cursor.bars += 1
    inside = cursor.expression()
    cursor.bars -= 1
    if not (cursor.accept("|") or cursor.accept("command", "vert", "rvert", "Vert", "rVert")):
        raise Unreadable("an absolute value that is not closed")
    return Call("abs", (inside,))


def _environment(cursor: Cursor) -> Node:
    name = _name(cursor)
    if name == "array":
        cursor.expect("{")
        cursor.skip_region()
        cursor.expect("}")
    if name not in _MATRICES and name not in _LINES:
        raise Unreadable(f"an environment {name}")
    rows = _rows(cursor, name)
    if name in _LINES:
        return _lines(rows)
    if not rows or len({len(row) for row in rows}) != 1:
        raise Unreadable("a matrix with rows of several lengths")
    matrix = Matrix(tuple(tuple(row) for row in rows))
    return Call("det", (matrix,)) if name in ("vmatrix", "Vmatrix") else matrix


def _lines(rows: list[list[Node]]) -> Node:
    """Read the lines of a system; a second cell says when the first holds."""
    lines = [row[0] if len(row) == 1 else Logic("where", (row[0], row[1])) for row in rows]
    if not lines:
        raise Unreadable("a system without lines")
    if len(lines) == 1:
        return lines[0]
    if all(isinstance(line, Relation) and line.operators != ("=",) for line in lines):
        return Logic("and", tuple(lines))
    return Sequence(tuple(lines))


def _name(cursor: Cursor) -> str:
    cursor.expect("{")
    name = ""
    while cursor.peek().kind not in ("}", "end"):
        name += cursor.take().text
    cursor.expect("}")
    return name


def _rows(cursor: Cursor, name: str) -> list[list[Node]]:
    rows: list[list[Node]] = [[]]
    cursor.in_rows = True
    while True:
        token = cursor.peek()
        if token.kind == "command" and token.text == "end":
            cursor.take()
            if _name(cursor) != name:
                raise Unreadable(f"{name} is not closed")
            return [row for row in rows if row]
        if token.kind == "\\\\":
            cursor.take()
            rows.append([])
        elif token.kind == "&":
            cursor.take()
        elif token.kind == "end":
            raise Unreadable(f"{name} is not closed")
        else:
            cell = cursor.listing()
            if not cell:
                raise Unreadable(f"found {cursor.peek().text!r} in {name}")
            rows[-1].append(cell[0] if len(cell) == 1 else Sequence(tuple(cell)))
