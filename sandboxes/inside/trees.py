"""Values with marks where something stands that cannot leave its process, for assertions over a program's objects.

A tree is plain data: a list of the node's kind and what belongs to it. The kinds that this module does not know are
marks, made and understood by whoever calls it.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from itertools import chain
from typing import Any

from . import values

PLAIN, DICT, RANGE = "plain", "dict", "range"
NAME, OBJECT, ARGUMENT = "name", "object", "argument"
_MAPPINGS = (dict, defaultdict, OrderedDict, Counter)
_SEQUENCES: dict[str, Any] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset, "deque": deque}
_SHAPES = {**{id(kind): kind for kind in (*_SEQUENCES.values(), bytearray)}, **{id(kind): dict for kind in _MAPPINGS}}
_ATOMS = {id(kind) for kind in (type(None), bool, int, float, complex, str, bytes)}
Mark = Callable[[Any], Any]


def shape(value: Any) -> Any:
    """As which container a value travels: a named tuple as a tuple, a counter as a dict; None when it is none."""
    kind = type(value)
    return _SHAPES.get(id(kind)) or (tuple if _is_named_tuple(kind) else None)


def _is_named_tuple(kind: type) -> bool:
    own = ("__eq__", "__len__", "__iter__", "__getitem__")
    return (
        type.mro(kind)[1:] == [tuple, object]
        and "_fields" in vars(kind)
        and not any(name in vars(kind) for name in own)
    )


def grow(value: Any, known: Mark, unknown: Mark) -> list[Any]:
    """A value as a tree.

    Args:
        value: Anything.
        known: Called with each container and what is no plain data: a mark that stands for it, or None.
        unknown: The mark for what can be told in no other way; it may raise.
    """
    if id(type(value)) in _ATOMS:
        return [PLAIN, value]
    mark = known(value)
    if mark is not None:
        return mark
    form = shape(value)
    if form is None:
        return _grow_other(value, unknown)
    if form is bytearray:
        return [PLAIN, value]
    items = list(chain.from_iterable(dict.items(value))) if form is dict else list(form.__iter__(value))
    if all(id(kind) in _ATOMS for kind in set(map(type, items))):
        return [PLAIN, value if type(value) is form or form is dict else tuple(items)]
    return [form.__name__, [grow(item, known, unknown) for item in items]]


def _grow_other(value: Any, unknown: Mark) -> list[Any]:
    if type(value) is range:
        return [RANGE, value.start, value.stop, value.step]
    try:
        values.encode(value, 1 << 10)
    except values.NotPlain:
        return unknown(value)
    return [PLAIN, value]


def harvest(tree: Any, marked: Callable[..., Any]) -> Any:
    """The value of a tree; `marked` says what its marks stand for.

    Raises:
        ValueError, TypeError: The tree is malformed.
    """
    kind, *rest = tree
    if kind == PLAIN:
        return rest[0]
    if kind in _SEQUENCES:
        items = [harvest(item, marked) for item in rest[0]]
        if kind in ("set", "frozenset"):
            values.refuse_colliding(items)
        return _SEQUENCES[kind](items)
    if kind == DICT:
        items = [harvest(item, marked) for item in rest[0]]
        values.refuse_colliding(items[::2])
        return dict(zip(items[::2], items[1::2]))  # noqa: B905 - Python 3.9 has no strict
    if kind == RANGE:
        return range(*rest)
    return marked(kind, *rest)


def containers(value: Any) -> list[Any]:
    """The containers within a value that can change, in an order that is the same for its copy in another process."""
    found: list[Any] = []
    _collect(value, found)
    return found


def _collect(value: Any, found: list[Any]) -> None:
    form = shape(value)
    if form is None or form is frozenset:
        return
    if form is not tuple:
        found.append(value)
    if form in (list, tuple, deque, dict):
        for item in contents(value):
            if id(type(item)) not in _ATOMS:
                _collect(item, found)


def contents(container: Any) -> list[Any]:
    """What a container holds; keys and values of a dict in turn."""
    form = shape(container)
    return list(chain.from_iterable(dict.items(container))) if form is dict else list(form.__iter__(container))


def refill(container: Any, items: list[Any]) -> None:
    """Make these the contents of a container, in place."""
    form = shape(container)
    container.clear()
    if form is dict:
        for key, value in zip(items[::2], items[1::2]):  # noqa: B905 - Python 3.9 has no strict
            container[key] = value
    elif form is set:
        container.update(items)
    else:
        container.extend(items)
