"""`mars sandbox`: run and judge programs that nobody trusts, look at the walls, serve them, build an image."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from mars.errors import ConfigError, MarsError

if TYPE_CHECKING:
    from mars.sandboxing.settings import SandboxSettings
    from mars.sandboxing.tests_file import Suite
    from sandboxes import Program, Sandbox

ACCEPTED, REFUSED, NO_VERDICT = 0, 1, 3
INTERRUPTED, UNHEARD = 130, 141
"""Exit codes; 2 is an error in what was asked for."""

app = typer.Typer(no_args_is_help=True, help="Run and judge programs that nobody trusts.")
screen = Console()
errors = Console(stderr=True)

RecipePath = Annotated[
    Path | None, typer.Option("--recipe", "-r", help="The recipe whose sandbox section is used; options override it.")
]
Backend = Annotated[
    str | None, typer.Option("--backend", "-b", help="local, docker, remote or unsafe-subprocess; by default local.")
]
Workers = Annotated[int | None, typer.Option(min=1, help="Programs at once; by default as many as usable cores.")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", help="Change the sandbox: sandbox.key=value; may be repeated.")
]


def _surprises_are_no_verdict(command: Callable[..., None]) -> Callable[..., None]:
    """Let no surprise end the command with an exit code that says something of the program: Python's own is 1."""

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except (MarsError, typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            errors.print("interrupted")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # The reader of our output went away; nothing more can be told, not even by Python at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(UNHEARD) from None
        except Exception as error:
            traceback.print_exc()
            errors.print(f"[yellow]no verdict:[/] {type(error).__name__}: {escape(str(error))}", soft_wrap=True)
            raise typer.Exit(NO_VERDICT) from None

    return guarded


@app.command()
@_surprises_are_no_verdict
def run(
    program: Annotated[Path, typer.Argument(help="The program's file.", exists=True, dir_okay=False)],
    arguments: Annotated[list[str] | None, typer.Argument(help="The program's own arguments, after --.")] = None,
    tests: Annotated[
        Path | None, typer.Option("--tests", "-t", help="A file of tests: JSON or JSONL. Without it, one plain run.")
    ] = None,
    language: Annotated[
        str | None, typer.Option("--language", "-l", help="The program's language; by default its file's ending tells.")
    ] = None,
    limits: Annotated[
        list[str] | None, typer.Option(help="What each test may use: cpu_s=2,memory_mb=256; may be repeated.")
    ] = None,
    checker: Annotated[
        str | None, typer.Option(help="How outputs are compared: lines, tokens, float:rtol=1e-4, special:judge.py ...")
    ] = None,
    stop_early: Annotated[
        bool | None, typer.Option("--stop-early/--all", help="Skip the tests after the first that fails, or run all.")
    ] = None,
    fresh: Annotated[
        bool | None, typer.Option("--fresh/--warm", help="A new interpreter for every test, or forks of a warm one.")
    ] = None,
    stdin: Annotated[
        str | None, typer.Option(help="The standard input of a run without tests: a file, or - for this command's own.")
    ] = None,
    backend: Backend = None,
    workers: Workers = None,
    recipe: RecipePath = None,
    overrides: Overrides = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else.")] = False,
) -> None:
    """Judge a program by tests, or run it once; exit with 0 (accepted), 1 (not accepted) or 3 (no verdict)."""
    from mars.sandboxing import settings as chosen
    from mars.sandboxing.program_file import read_program
    from mars.sandboxing.tests_file import Suite, read_tests

    given = {"--checker": checker, "--stop-early": stop_early} if tests is None else {"--stdin": stdin}
    for option, value in given.items():
        if value is not None:
            raise ConfigError(f"{option} {'needs' if tests is None else 'has no place beside'} --tests")
    try:
        what = read_program(program, language, tuple(arguments or ()))
    except ValueError as error:
        raise ConfigError(str(error)) from error
    suite = Suite(()) if tests is None else read_tests(tests, what.source)
    settings = chosen.choose(recipe, overrides or (), backend, workers)
    # The command line is heard over the tests, and those over the recipe.
    folder = Path()
    changes: dict[str, Any] = {"checker": chosen.parse_checker(checker, "--checker")}
    if changes["checker"] is None:
        named, file = (suite.checker, tests) if suite.checker is not None else (settings.checker, recipe)
        changes["checker"], folder = named, folder if file is None else file.parent
    changes["limits"] = settings.limits.changed(suite.limits).changed(chosen.parse_limits(limits or ()))
    changes |= {key: value for key, value in (("fresh", fresh), ("stop_early", stop_early)) if value is not None}
    settings = settings.model_copy(update=changes)
    settings.require_limits()
    with _opened(settings) as sandbox:
        if tests is None:
            _run_once(sandbox, what, _input(stdin), settings, as_json)
        else:
            _judge(sandbox, what, suite, settings, folder, as_json)


@contextlib.contextmanager
def _opened(settings: SandboxSettings) -> Iterator[Sandbox]:
    """The sandbox; what goes wrong in it is told in a line."""
    from mars.sandboxing.settings import open_from
    from sandboxes import InternalError, SandboxError

    if settings.backend == "unsafe-subprocess":
        errors.print("[yellow]unsafe-subprocess has no walls: the program can do whatever you can[/]")
    try:
        with open_from(settings) as sandbox:
            yield sandbox
    except InternalError as error:
        errors.print(f"[yellow]no verdict:[/] the sandbox failed: {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(NO_VERDICT) from None
    except (SandboxError, ValueError) as error:
        raise ConfigError(str(error)) from error


def _input(stdin: str | None) -> bytes:
    if stdin is None:
        return b""
    if stdin == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(stdin).read_bytes()
    except OSError as error:
        raise ConfigError(f"--stdin {stdin}: cannot read it: {error.strerror}") from error


def _run_once(sandbox: Sandbox, program: Program, stdin: bytes, settings: SandboxSettings, as_json: bool) -> NoReturn:
    """Run a program without tests, pass on what it wrote, and exit."""
    from mars.sandboxing.show import run_line
    from sandboxes import Limits
    from sandboxes.server.judge_format import run_to_json

    limits = settings.limits.over(Limits())
    found = sandbox.run(program, stdin, limits, fresh=settings.fresh)
    line, well = run_line(found, limits, program.language, sandbox.backend.name, sandbox.backend.isolation)
    if as_json:
        print(json.dumps(run_to_json(found)))
    else:
        ran = found.outcome or found.compile
        assert ran is not None
        _pass_on(ran.stdout, sys.stdout)
        _pass_on(ran.stderr, sys.stderr)
        errors.print(f"[{'green' if well else 'red'}]{escape(line)}[/]", soft_wrap=True, highlight=False)
    raise typer.Exit(ACCEPTED if well else REFUSED)


def _pass_on(output: bytes, stream: Any) -> None:
    """Write a program's bytes as they are, but to a terminal, which they could steer, without control characters."""
    from mars.sandboxing.show import visible

    if stream.isatty():
        stream.write(visible(output.decode("utf-8", "replace")))
    else:
        stream.buffer.write(output)
    stream.flush()


def _judge(
    sandbox: Sandbox, program: Program, suite: Suite, settings: SandboxSettings, folder: Path, as_json: bool
) -> NoReturn:
    """Judge a program, show the judgement, and exit."""
    from mars.sandboxing import show
    from mars.sandboxing.settings import open_checker
    from sandboxes import Limits

    judged = sandbox.judge(
        program,
        suite.tests,
        settings.limits.over(Limits()),
        checker=open_checker(settings.checker, sandbox, folder),
        stop_early=settings.stop_early,
        fresh=settings.fresh,
    )
    if as_json:
        print(json.dumps(show.judgement_json(judged)))
    else:
        screen.print(show.judgement_table(judged))
        if words := show.compiler_words(judged):
            screen.print(words, markup=False, highlight=False, soft_wrap=True)
        screen.print(show.judgement_line(judged), soft_wrap=True)
    raise typer.Exit(NO_VERDICT if judged.passed is None else ACCEPTED if judged.passed else REFUSED)


@app.command()
def probe(
    backend: Backend = None,
    recipe: RecipePath = None,
    overrides: Overrides = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the layers as JSON, and nothing else.")] = False,
) -> None:
    """Show which walls there are on this machine; exit with 0 when they suffice, else with 1 and what to do."""
    from mars.sandboxing.probing import probe as look
    from mars.sandboxing.settings import choose
    from mars.sandboxing.show import layers_table

    found = look(choose(recipe, overrides or (), backend))
    if as_json:
        print(json.dumps(found.to_dict()))
    else:
        if found.layers:
            screen.print(layers_table(found.layers))
        screen.print(f"[green]safe:[/] {escape(found.words)}" if found.safe else "[red]not safe[/]", soft_wrap=True)
        if not found.safe:
            errors.print(escape(found.words), soft_wrap=True, highlight=False)
    raise typer.Exit(0 if found.safe else 1)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one, which is printed.")] = 8080,
    token: Annotated[
        str | None,
        typer.Option(help="What clients must show; by default $MARS_SANDBOX_TOKEN, or a new one, which is printed."),
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Where to write a new token, in place of printing it.")
    ] = None,
    no_token: Annotated[
        bool, typer.Option("--no-token", help="Ask for none: for clients of SandboxFusion, and only on the loopback.")
    ] = False,
    queue: Annotated[int, typer.Option(min=0, help="How many requests may wait before others are sent away.")] = 512,
    backend: Backend = None,
    workers: Workers = None,
    recipe: RecipePath = None,
    overrides: Overrides = None,
) -> None:
    """Serve a sandbox over HTTP: SandboxFusion's routes, and /v1/judge where the tests stay on the server."""
    from mars.sandboxing.settings import choose, without_extra

    settings = choose(recipe, overrides or (), backend, workers)
    try:
        from sandboxes.server.gate import Refusal
        from sandboxes.server.serving import serve as listen
        from sandboxes.server.settings import DEFAULTS
    except ModuleNotFoundError as error:
        raise without_extra(error, "the server") from error
    with _opened(settings) as sandbox:
        try:
            listen(
                sandbox,
                host,
                port,
                token=token,
                no_token=no_token,
                token_file=token_file,
                queue=queue,
                limits=settings.limits.over(DEFAULTS),
            )
        except OSError as error:
            raise ConfigError(f"cannot serve on {host}:{port}: {error.strerror or error}") from error
        except Refusal as error:
            raise ConfigError(f"sandbox.limits: {error}") from error


@app.command(name="build-image")
def build_image(
    tag: Annotated[str, typer.Option(help="What to call the image.")] = "mars-sandbox:latest",
    from_host: Annotated[
        bool, typer.Option("--from-host", help="From this machine's Python, without a registry and without compilers.")
    ] = False,
    include: Annotated[
        list[Path] | None,
        typer.Option(exists=True, help="With --from-host, a file or folder to put at the same place; may be repeated."),
    ] = None,
    show: Annotated[
        bool, typer.Option("--print", help="Print the Dockerfile, to change and build it yourself, and build nothing.")
    ] = False,
) -> None:
    """Build the image of the docker backend: Python and the compilers of all languages."""
    from mars.sandboxing.settings import without_extra
    from sandboxes import SandboxError

    if include and not from_host:
        raise ConfigError("--include needs --from-host: a Dockerfile says itself what it copies")
    try:
        from sandboxes.docker import image
    except ModuleNotFoundError as error:
        raise without_extra(error, "the docker backend") from error
    if show:
        print(image.dockerfile(), end="")
        return
    errors.print(f"building {escape(tag)} ...", highlight=False)
    try:
        identity = image.build_image(tag, from_host=from_host, include=include or ())
    except SandboxError as error:
        raise MarsError(str(error)) from error
    screen.print(f"{tag} {identity}", markup=False, highlight=False, soft_wrap=True)
