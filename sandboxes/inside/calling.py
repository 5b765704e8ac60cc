"""Python programs whose functions are called: the program's side of the channel."""

from __future__ import annotations

import operator
import types
from typing import Any

from . import program, trees, values
from .conversation import (
    CALL,
    END,
    LARGEST_RECORD,
    LONGEST_MESSAGE,
    NAMES,
    RAISED,
    UNFIT,
    VALUE,
    TooLarge,
    define,
    join_value,
    receive,
    send,
)

_LARGEST_CONSTANT = 64 << 10
_MOST_DESCRIBED = 1 << 16
_MOST_TOLD = 4 * _MOST_DESCRIBED  # an exception, its arguments and attributes
_is = operator.is_


def serve(code: types.CodeType, main: dict[str, Any]) -> int:
    """Run the program, then answer calls of its functions until the caller hangs up."""
    status = define(code, main)
    if status:
        return status
    objects = _Objects(main)
    try:
        while (record := receive()) is not None:
            kind, *rest = values.decode(record)  # type: ignore[misc]
            if kind == NAMES:
                send(VALUE + values.encode(_names(main), LARGEST_RECORD))
            else:
                send(_answer(main, *rest) if kind == CALL else objects.operate(*rest))
    except TooLarge as error:
        send(_unfit(error))
    return 0


def _unfit(error: Exception) -> bytes:
    return UNFIT + str(error).encode("utf-8", "replace")[:LONGEST_MESSAGE]


def _answer(main: dict[str, Any], function: str, args: list[Any], kwargs: dict[str, Any], limit: int) -> bytes:
    """Call and encode what came back: a value or an exception."""
    try:
        result = _find(main, function)(*args, **kwargs)
        if isinstance(result, types.GeneratorType):
            return UNFIT + b"a generator"
        return VALUE + join_value(values.encode(result, limit), b"")
    except values.Unencodable as error:
        return _unfit(error)
    except BaseException as error:
        names = [kind.__name__ for kind in type.mro(type(error)) if kind.__module__ == "builtins"]
        return RAISED + values.encode([names, _message(error)], _MOST_DESCRIBED)


def _message(error: BaseException) -> str:
    try:
        message = str(error)[:LONGEST_MESSAGE]
    except BaseException:
        return ""
    return message if type(message) is str else ""


def _find(main: dict[str, Any], function: str) -> Any:
    """`f`, or `Class.f` for a method of a new instance."""
    first, *rest = function.split(".")
    if first not in main:
        raise NameError(f"name {first!r} is not defined")
    found = main[first]
    if rest:
        found = found()
    for name in rest:
        found = getattr(found, name)
    return found


def _names(main: dict[str, Any]) -> list[list[Any]]:
    """What the program defines at its top: functions, classes, exceptions, constants, and the modules it imported."""
    found: list[list[Any]] = []
    for name, value in list(main.items()):
        if type(name) is not str or name.startswith("__"):
            continue
        if type(value) is types.ModuleType:
            found.append(["module", name, str(vars(value).get("__name__"))])
        elif isinstance(value, type) and issubclass(value, Exception):
            found.append(["exception", name, _bases(value, main)])
        elif isinstance(value, type):
            found.append(["class", name, ""])
        elif callable(value):
            found.append(["function", name, ""])
        else:
            found.extend(["value", name, value] for _ in range(_is_constant(value)))
    return found


def _is_constant(value: Any) -> bool:
    try:
        values.encode(value, _LARGEST_CONSTANT)
    except values.Unencodable:
        return False
    return True


def _bases(kind: type, main: dict[str, Any]) -> list[str]:
    """The names of an exception's classes that others can know: the program's own and built-in ones."""
    known = [each for each in type.mro(kind) if each.__module__ == "builtins" or main.get(each.__name__) is each]
    return [each.__name__ for each in known]


class _Objects:
    """What assertions get hold of: plain data itself, of all else a number."""

    def __init__(self, main: dict[str, Any]):
        self._main = main
        self._objects: list[Any] = []
        self._numbers: dict[int, int] = {}

    def operate(self, name: str, given: list[Any], limit: int) -> bytes:
        """Do something with objects: encodes what came of it, and which of the given containers it changed."""
        try:
            args, kwargs = trees.harvest(given, self._marked)
        except NameError as error:
            return RAISED + join_value(values.encode(self._told(error), _MOST_TOLD), b"")
        kept = trees.containers([args, kwargs])
        before = list(map(trees.contents, kept))
        numbers = {id(container): number for number, container in enumerate(kept)}
        error = None
        try:
            kind, result = VALUE, _OPERATIONS[name](*args, **kwargs)
        except _End:
            kind, result = END, None
        except BaseException as raised:
            kind, result, error = RAISED, None, raised
        try:
            changed = [
                [number, [self._tree(item, numbers) for item in trees.contents(container)]]
                for number, container in enumerate(kept)
                if not _same(before[number], trees.contents(container))
            ]
            told, most = (self._tree(result, numbers), limit) if error is None else (self._told(error), _MOST_TOLD)
            more = values.encode(changed, LARGEST_RECORD) if changed else b""
            return kind + join_value(values.encode(told, most), more)
        except values.Unencodable as problem:
            return _unfit(problem)
        except RecursionError:
            return UNFIT + b"the value is nested too deeply"

    def _told(self, error: BaseException) -> list[Any]:
        return [_bases(type(error), self._main), _message(error), *_details(error)]

    def _tree(self, value: Any, arguments: dict[int, int]) -> list[Any]:
        def known(each: Any) -> list[Any] | None:
            return [trees.ARGUMENT, arguments[id(each)]] if id(each) in arguments else None

        return trees.grow(value, known, self._number)

    def _number(self, value: Any) -> list[Any]:
        if id(value) not in self._numbers:
            self._numbers[id(value)] = len(self._objects)
            self._objects.append(value)
        return [trees.OBJECT, self._numbers[id(value)], isinstance(value, types.GeneratorType)]

    def _marked(self, kind: str, what: Any, *_: Any) -> Any:
        return _find(self._main, what) if kind == trees.NAME else self._objects[what]


def _same(before: list[Any], after: list[Any]) -> bool:
    return len(before) == len(after) and all(map(_is, before, after))


def _details(error: BaseException) -> list[Any]:
    """An exception's arguments and attributes, those that are plain data."""
    try:
        args = list(error.args)
        values.encode(args, _MOST_DESCRIBED)
    except BaseException:
        args = None
    try:
        attributes = {name: value for name, value in vars(error).items() if type(name) is str and _is_constant(value)}
        values.encode(attributes, _MOST_DESCRIBED)
    except BaseException:
        attributes = {}
    return [args, attributes]


class _End(Exception):
    """An iterator has no more."""


_late: dict[int, BaseException] = {}


def _next(iterator: Any, most: int) -> list[Any]:
    """The next items, as many as there are up to `most`; an exception after some of them comes with the next call."""
    if id(iterator) in _late:
        raise _late.pop(id(iterator))
    items: list[Any] = []
    try:
        while len(items) < most:
            items.append(next(iterator))
    except BaseException as error:
        ended = isinstance(error, StopIteration)
        if not items:
            raise _End if ended else error from None
        if not ended:
            _late[id(iterator)] = error
    return items


def _call(function: Any, *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


_OPERATIONS: dict[str, Any] = {
    "call": _call,
    "next": _next,
    "getitem": operator.getitem,
    "setitem": operator.setitem,
    "delitem": operator.delitem,
    **{each.__name__: each for each in (getattr, setattr, delattr, len, str, repr, bool, iter, isinstance, issubclass)},
}

program.conversations["call"] = serve
