"""What stands for a program, its functions, objects and exceptions where it is examined: in another sandbox."""

from __future__ import annotations

import builtins
import threading
import types
from typing import Any

from . import trees, values
from .conversation import (
    ASK,
    END,
    LARGEST_RECORD,
    LONGEST_MESSAGE,
    NAMES,
    OPERATE,
    RAISED,
    UNFIT,
    VALUE,
    TooLarge,
    receive,
    send,
    split_value,
)

_ITEMS_ONE_BY_ONE, _MOST_ITEMS = 64, 256
# An end of iteration would cut the test's loops short.
_NOT_THE_PROGRAMS = (StopIteration, StopAsyncIteration)
_MALFORMED = (ValueError, TypeError, LookupError, AttributeError, RecursionError, ArithmeticError)


class CandidateGone(BaseException):
    """The program ended while it was asked. A test that swallows this is not believed."""


class Unfit(BaseException):
    """The test wants what cannot be had out of the program's process. A test that swallows this is not believed."""


class CandidateFailed(Exception):
    """The program raised something that is no built-in exception, or returned what cannot be told."""


class Link:
    """The program in the other sandbox: one question at a time, from whichever thread.

    Attributes:
        limit: The largest value to accept, in bytes.
        asked: How many questions it was asked.
        silent: Why a question was never answered.
        unfit: Why the test cannot be run like this.
    """

    def __init__(self, limit: int):
        self.limit = limit
        self.asked = 0
        self.silent: list[str] = []
        self.unfit: list[str] = []
        self.exceptions: dict[str, type[Exception]] = {}
        self._objects: dict[int, Any] = {}
        self._lock = threading.Lock()

    def names(self) -> Any:
        """What the program says that it defines."""
        return values.decode(self._ask(values.encode([NAMES], 100), "it could be asked")[1:])

    def operate(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Do something with the program's objects, and do to the arguments what it did to them."""
        given = [list(args), kwargs]
        question = self._question(name, given)
        self.asked += 1
        reply = self._ask(question, f"{_title(name, args)} returned")
        kind, body = reply[:1], reply[1:]
        if kind == UNFIT:
            raise CandidateFailed(
                f"{_title(name, args)} returned no plain data: {body[:200].decode('utf-8', 'replace')}"
            )
        try:
            value, changed = split_value(body)
            kept = trees.containers(given)
            error = self._exception(*value) if kind == RAISED else None
            value = self._harvest(value, kept) if kind == VALUE else None
            if kind not in (VALUE, RAISED, END):
                raise ValueError(f"a record of kind {kind!r}")
            filled = [(kept[number], [self._harvest(item, kept) for item in items]) for number, items in changed]
            for container, items in filled:
                trees.refill(container, items)
        except _MALFORMED as problem:
            raise CandidateFailed(f"{_title(name, args)} answered with a malformed record: {problem}") from problem
        if error is not None:
            raise error
        if kind == END:
            raise _Ended
        return value

    def refuse(self, why: str) -> Unfit:
        """Say that the test needs the program's own process."""
        self.unfit.append(f"the test {why}, which cannot be had across processes: use same_process")
        return Unfit(self.unfit[-1])

    def _question(self, name: str, given: list[Any]) -> bytes:
        try:
            tree = trees.grow(given, lambda _: None, self._mark)
            most = LARGEST_RECORD if name == "next" else self.limit
            return values.encode([OPERATE, name, tree, most], LARGEST_RECORD)
        except (values.Unencodable, RecursionError) as error:
            raise CandidateFailed(f"it was given too much: {error}") from error

    def _mark(self, value: Any) -> list[Any]:
        if type(value) is Candidate:
            return [trees.NAME, vars(value)["__name__"]]
        if type(value) in (Thing, Items):
            return [trees.OBJECT, vars(value)["_number_"]]
        raise self.refuse(f"passes an object of the type {type(value).__name__!r}")

    def _ask(self, question: bytes, until: str) -> bytes:
        with self._lock:
            try:
                send(ASK + question)
                reply = receive()
            except TooLarge as error:
                self.silent.append(f"the program answered with {error}")
                raise CandidateGone(self.silent[0]) from error
            except BaseException:
                self.silent.append(
                    "the test stopped waiting for the program"
                )  # by an alarm: the answer is still to come
                raise
        if reply is None:
            self.silent.append(f"the program ended before {until}")
            raise CandidateGone(self.silent[0])
        return reply

    def _harvest(self, tree: Any, kept: list[Any]) -> Any:
        def marked(kind: str, number: int, *flags: Any) -> Any:
            if kind == trees.ARGUMENT and type(number) is int and number >= 0:
                return kept[number]
            if kind != trees.OBJECT or type(number) is not int:
                raise ValueError("an unknown mark")
            stand_in = Items if flags == (True,) else Thing
            found = self._objects.setdefault(number, stand_in(self, number))
            # What the program hands out is no longer what the test has made, whatever it is.
            vars(found)["_made_"] = False
            return found

        return trees.harvest(tree, marked)

    def _exception(self, names: list[str], message: str, args: Any, attributes: Any) -> Exception:
        message = message[:LONGEST_MESSAGE] if type(message) is str else ""
        for name in names:
            kind = self.exceptions.get(name) or getattr(builtins, str(name), None)
            if isinstance(kind, type) and issubclass(kind, Exception) and kind not in _NOT_THE_PROGRAMS:
                error = _raised(kind, message, args, attributes)
                if error is not None:
                    return error
            elif kind in _NOT_THE_PROGRAMS:
                break
        return CandidateFailed(f"{names[0] if names else 'exception'}: {message}")


def _raised(kind: type[Exception], message: str, args: Any, attributes: Any) -> Exception | None:
    for given in (args, [message]):
        try:
            error = kind(*given)
        except Exception:
            continue
        if type(attributes) is dict:
            vars(error).update(attributes)
        error._message = message  # type: ignore[attr-defined]
        error.from_candidate = True  # type: ignore[attr-defined]
        return error
    return None


def exception_class(name: str, bases: list[str], known: dict[str, type[Exception]]) -> type[Exception]:
    """A class for a test to catch, in the place of one of the program's own.

    Args:
        name: Its name.
        bases: The names of its classes, nearest first, itself included.
        known: Classes made so far; this one and those it comes from are added.
    """
    if name not in known:
        others = [each for each in bases if each != name and type(each) is str]
        base: type[Exception] = Exception
        for at, each in enumerate(others):
            builtin = getattr(builtins, each, None)
            if isinstance(builtin, type):
                base = builtin if issubclass(builtin, Exception) and builtin not in _NOT_THE_PROGRAMS else Exception
            else:
                base = exception_class(each, others[at + 1 :], known)
            break
        known[name] = type(name, (base,), {"__str__": _own_message, "__module__": "solution"})
    return known[name]


def _own_message(error: Any) -> str:
    return vars(error).get("_message") or Exception.__str__(error)


class _Ended(Exception):
    """An iterator has no more."""


def _title(name: str, args: tuple[Any, ...]) -> str:
    return str(vars(args[0]).get("__name__", "an object")) if name == "call" and args else f"{name}()"


class Candidate:
    """Stands for a function or a class of the program."""

    def __init__(self, link: Link, name: str, is_class: bool = False):
        # A test that calls a name with a capital means a class; a program cannot make it mean one by defining one.
        vars(self).update(__name__=name, _link_=link, _makes_=is_class and name[:1].isupper())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it there."""
        made = self._link_.operate("call", self, *args, **kwargs)
        if self._makes_ and type(made) is Thing:
            vars(made)["_made_"] = True
        return made

    def __getattr__(self, name: str) -> Any:
        return _attribute(self, name)

    def __iter__(self) -> Any:
        return self._link_.operate("iter", self)

    def __getitem__(self, key: Any) -> Any:
        return self._link_.operate("getitem", self, key)

    def __instancecheck__(self, instance: Any) -> bool:
        return type(instance) is Thing and self._link_.operate("isinstance", instance, self) is True

    def __subclasscheck__(self, subclass: Any) -> bool:
        return type(subclass) is Candidate and self._link_.operate("issubclass", subclass, self) is True


class Thing:
    """Stands for an object of the program.

    The program is asked for what the object holds and does, and never what it is equal to or less than: that would
    leave the verdict to it.
    """

    def __init__(self, link: Link, number: int):
        vars(self).update(_link_=link, _number_=number, _made_=False)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it there."""
        return self._link_.operate("call", self, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return _attribute(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._link_.operate("setattr", self, name, value)

    def __delattr__(self, name: str) -> None:
        self._link_.operate("delattr", self, name)

    def __getitem__(self, key: Any) -> Any:
        return self._link_.operate("getitem", self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._link_.operate("setitem", self, key, value)

    def __delitem__(self, key: Any) -> None:
        self._link_.operate("delitem", self, key)

    def __len__(self) -> int:
        return self._link_.operate("len", self)

    def __bool__(self) -> bool:
        return self._link_.operate("bool", self)

    def __str__(self) -> str:
        return self._link_.operate("str", self)

    def __repr__(self) -> str:
        return self._link_.operate("repr", self)

    def __iter__(self) -> Any:
        iterator = self._link_.operate("iter", self)
        return Items(self._link_, vars(iterator)["_number_"]) if type(iterator) is Thing else iterator

    def __next__(self) -> Any:
        return _next_of(self)

    def __eq__(self, other: object) -> bool:
        if other is self:
            return True
        self._refuse_between(other)
        return False

    __hash__ = object.__hash__

    def _refuse_between(self, other: Any) -> Any:
        if other is not None and (self._made_ or (type(other) is Thing and other._made_)):
            raise self._link_.refuse("compares or combines objects of the program")
        return NotImplemented

    __lt__ = __le__ = __gt__ = __ge__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse_between
    __truediv__ = __floordiv__ = __mod__ = __pow__ = __and__ = __or__ = __xor__ = __matmul__ = _refuse_between


class Items:
    """Stands for a generator or another iterator of the program."""

    __class__ = property(lambda self: types.GeneratorType)  # type: ignore[assignment]  # for `isinstance`

    def __init__(self, link: Link, number: int):
        self._link_, self._number_, self._taken_ = link, number, 0
        self._ready_: list[Any] = []

    def __iter__(self) -> Items:
        return self

    def __next__(self) -> Any:
        # One by one at first, for those that never come to the next one; then many at once.
        if not self._ready_:
            most = 1 if self._taken_ < _ITEMS_ONE_BY_ONE else _MOST_ITEMS
            self._ready_ = _next_of(self, most)[::-1]
        self._taken_ += 1
        return self._ready_.pop()

    def __getattr__(self, name: str) -> Any:
        return _attribute(self, name)


def _next_of(iterator: Any, most: int = 0) -> Any:
    try:
        items = iterator._link_.operate("next", iterator, max(most, 1))
    except _Ended:
        raise StopIteration from None
    if type(items) is not list or not items:
        raise CandidateFailed("an iterator answered with no items")
    return items if most else items[0]


def _attribute(owner: Any, name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return vars(owner)["_link_"].operate("getattr", owner, name)
