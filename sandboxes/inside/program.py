"""How a confined child becomes the program: by running Python source here, or by executing a command."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # without the enums of `signal`, which cost pages
import _thread
import atexit
import builtins
import linecache
import os
import sys
import threading
import types
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TextIO

from . import confine, kernel, wire
from .request import MODES, Request

CHANNEL = 3
_PYTHON, _EXEC = MODES.index("python"), MODES.index("exec")
_NAME = "main.py"
_NOTHING: dict[str, Any] = {"command": [], "arguments": [], "environment": {}, "files": []}
# Programs that need the file that they are; for the others none is written.
_READS_ITSELF = (b"__file__", b"spawn", b"forkserver", b"import main")
_exit = os._exit
_CANNOT_FLUSH = 120  # what Python itself exits with when it cannot flush standard output

Conversation = Callable[[types.CodeType, dict[str, Any]], int]
_streams: list[TextIO] = []
conversations: dict[str, Conversation] = {}
"""The modes that speak on the channel; `calling`, `examining` and `same_process` enter them."""


def become(request: Request, descriptors: Sequence[int], stage: int, layers: confine.Layers, work: str) -> NoReturn:
    """Turn the calling process into the program. Never returns.

    Args:
        request: Limits and mode.
        descriptors: Standard input, output and error, the job, and perhaps the channel. All above the channel's.
        stage: Where to tell how far it got, so that a failure of ours is not taken for one of the program: "s" when it
            is confined, "c" before compiling, "r" before running, "!" and why on failure.
        layers: What to put on.
        work: The working folder.
    """
    try:
        job, contents = _set_up(request, descriptors, layers, work)
        if "descriptors" in layers.enabled:
            lowest = CHANNEL + (len(descriptors) > 4)
            os.dup2(stage, lowest, inheritable=False)
            stage = lowest
            kernel.close_from(lowest + 1)
    except BaseException as error:
        os.write(stage, f"!{type(error).__name__}: {error}".encode()[:4000])
        _exit(1)
    os.write(stage, b"s")
    if request.mode == _EXEC:
        _execute(job, stage)
    _interpret(request.mode, job, contents[0], stage, work)


def _set_up(
    request: Request, descriptors: Sequence[int], layers: confine.Layers, work: str
) -> tuple[dict[str, Any], list[bytes]]:
    for target in range(3):
        os.dup2(descriptors[target], target)
    if len(descriptors) > 4:
        os.dup2(descriptors[4], CHANNEL)
    data = os.read(descriptors[3], request.size)
    while len(data) < request.size:
        data += os.read(descriptors[3], request.size - len(data)) or b"cut off".ljust(request.size)
    job, contents = _NOTHING, [data]
    if not request.plain:
        reader = wire.Reader()
        reader.feed(data)
        job, contents = reader.next() or (_NOTHING, [b""])
    confine.become_user(layers)
    os.chdir(work)
    # Before the limits: what is given to a program is none of what it writes.
    for path, content in zip(job["files"], contents[1:]):  # noqa: B905 - Python 3.9 has no strict
        _place(path, content)
    if request.mode != _EXEC and any(word in contents[0] for word in _READS_ITSELF):
        _place(_NAME, contents[0])
    confine.apply(layers, request)
    return job, contents


def _place(path: str, content: bytes) -> None:
    if os.path.isabs(path) or ".." in path.split("/"):
        raise ValueError(f"a file outside of the working folder: {path!r}")
    folder = os.path.dirname(path)
    if folder:
        os.makedirs(folder, exist_ok=True)
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o755)) as file:
        file.write(content)


def _execute(job: dict[str, Any], stage: int) -> NoReturn:
    os.write(stage, b"r")
    # Python ignores these, and an ignored signal would stay so in the program.
    for number in (_signal.SIGPIPE, _signal.SIGXFSZ):
        _signal.signal(number, _signal.SIG_DFL)
    try:
        command = job["command"]
        os.execve(command[0], [*command, *job["arguments"]], {**os.environ, **job["environment"]})
    except OSError as error:
        os.write(stage, f"!cannot execute {job['command'][0]}: {error}".encode())
        _exit(127)


def _interpret(mode: int, job: dict[str, Any], source: bytes, stage: int, work: str) -> NoReturn:
    """Run Python source as the interpreter would run a script."""
    main = _new_main(job, source, work)
    try:
        os.write(stage, b"c")
        code = compile(source, _NAME, "exec", dont_inherit=True)
    except BaseException:
        os.write(stage, b"!")
        os.close(stage)
        _show_error()
        _exit(1)
    os.write(stage, b"r")
    os.close(stage)
    finish(run_script(code, main) if mode == _PYTHON else conversations[MODES[mode]](code, main))


def _new_main(job: dict[str, Any], source: bytes, work: str) -> dict[str, Any]:
    """A fresh `__main__`, and the rest of what a new interpreter would show of itself.

    The source is no file in the working folder, which thus stays untouched by most programs.
    """
    if job["environment"]:
        os.environ.update(job["environment"])
    sys.argv = [_NAME, *job["arguments"]]
    sys.path.insert(0, work)
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", encoding="utf-8", closefd=False)  # type: ignore[misc]  # noqa: SIM115
    # Standard error is line-buffered and never fails to encode.
    error = open(2, "w", 1, "utf-8", "backslashreplace", closefd=False)  # noqa: SIM115
    sys.stderr = sys.__stderr__ = error  # type: ignore[misc]
    _streams.extend((sys.stdout, sys.stderr))
    linecache.cache[_NAME] = (lambda: source.decode("utf-8", "replace"),)  # type: ignore[assignment]
    module = types.ModuleType("__main__")
    main = vars(module)
    main.update(__builtins__=builtins, __file__=_NAME, __cached__=None, __annotations__={})
    sys.modules["__main__"] = module
    return main


def run_script(code: types.CodeType, main: dict[str, Any]) -> int:
    """Run compiled source in `__main__` and say with what code the interpreter would exit."""
    try:
        exec(code, main)
    except SystemExit as error:
        return exit_code(error)
    except BaseException:
        _show_error()
        return 1
    return 0


def exit_code(error: SystemExit) -> int:
    """What an interpreter makes of an uncaught SystemExit."""
    code = error.code
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    try:
        print(code, file=sys.stderr)
    except BaseException:
        return 1
    return 1


def _show_error() -> None:
    kind, error, trace = sys.exc_info()
    if error is not None and trace is not None:
        # The frames of this file are none of the program's.
        error.__traceback__ = trace.tb_next
    try:
        sys.excepthook(kind, error, error.__traceback__ if error else None)  # type: ignore[arg-type]
    except SystemExit as exit_:
        _exit(exit_code(exit_))
    except BaseException:
        _exit(1)


def finish(code: int) -> NoReturn:
    """End as the interpreter does: wait for threads, run what `atexit` holds, flush, let go of everything, exit."""
    try:
        if _thread._count() or threading._threading_atexits:  # type: ignore[attr-defined]
            threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        if sys.stdout is not None and not sys.stdout.closed:
            sys.stdout.flush()
        if sys.stderr is not None and not sys.stderr.closed:
            sys.stderr.flush()
    except BaseException:
        code = code or _CANNOT_FLUSH
    _let_go()
    _exit(code)


def _let_go() -> None:
    """Drop the program's globals, so that files left open are written, and finalizers that speak at exit do so."""
    try:
        main = vars(sys.modules["__main__"])
        for name in list(main):
            if str(name)[:2] != "__":
                main[name] = None
    except BaseException:
        pass
    # The program may have put others in their places; what was written to these counts nevertheless.
    for stream in (sys.stdout, *_streams):
        try:
            stream.flush()
        except BaseException:
            continue
