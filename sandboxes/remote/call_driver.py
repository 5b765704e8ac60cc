"""Calls a function of a program and tells what came back. This file's text is sent to servers and runs there.

It needs nothing but Python 3.9 and its library; what it is to call comes in a line that is added at its end.
"""

from __future__ import annotations

import os
import sys
import types
from typing import Any, NoReturn

VALUE, RAISED, UNFIT, BROKEN = "V", "E", "U", "X"
_LONGEST_MESSAGE = 2000


def drive(values_source: str, source: str, message: bytes, mark: str) -> None:
    """Run the program, call its function, and write the result between two marks to standard output.

    Args:
        values_source: The text of the module that encodes values.
        source: The program.
        message: The encoded list of function, arguments, named arguments, and the largest result in bytes.
        mark: A text that programs do not write.
    """
    values: Any = types.ModuleType("values")
    sys.modules["values"] = values
    exec(compile(values_source, "values.py", "exec"), vars(values))
    function, args, kwargs, limit = values.decode(message)
    output, write, leave = sys.stdout, os.write, os._exit

    def tell(record: str) -> NoReturn:
        output.flush()
        data = memoryview(f"\n{mark}{record}\n{mark}\n".encode("ascii"))
        while data:
            data = data[write(1, data) :]
        # Threads and exit handlers of the program have no say any more.
        leave(0)

    module = types.ModuleType("solution")
    # Not `__main__`: what a solution does only as a script is none of its functions' business.
    sys.modules["solution"] = sys.modules["__main__"] = module
    try:
        code = compile(source, "main.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        tell(BROKEN + _text(values, f"{type(error).__name__}: {error}"))
    exec(code, vars(module))
    tell(_answer(values, vars(module), function, args, kwargs, limit))


def _answer(
    values: Any, main: dict[str, Any], function: str, args: list[Any], kwargs: dict[str, Any], limit: int
) -> str:
    try:
        result = _find(main, function)(*args, **kwargs)
        if isinstance(result, types.GeneratorType):
            return UNFIT + _text(values, "a generator")
        return VALUE + values.encode(result, limit).decode("ascii")
    except values.Unencodable as error:
        return UNFIT + _text(values, str(error))
    except BaseException as error:
        return RAISED + _describe(values, error)


def _describe(values: Any, error: BaseException) -> str:
    """An exception as plain data, trusting nothing that its class defines."""
    names = [kind.__name__ for kind in type.mro(type(error)) if kind.__module__ == "builtins"]
    try:
        message = str(error)
    except BaseException:
        message = ""
    text = message[:_LONGEST_MESSAGE] if type(message) is str else ""
    return values.encode([names, text], 1 << 16).decode("ascii")


def _text(values: Any, text: str) -> str:
    return values.encode(text[:_LONGEST_MESSAGE], 1 << 16).decode("ascii")


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
