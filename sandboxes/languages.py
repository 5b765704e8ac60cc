"""How a program of each language is compiled and run: one table, and the jobs made from it.

Commands and environments are templates: `{gcc}` and the like stand for a tool's path where programs run, `{home}` for
the folder that the first tool is installed in, `{source}` and `{main}` for the source file and what to start in it,
`{memory}` and `{stack}` for the program's limits in MiB.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from sandboxes.backend import Backend
from sandboxes.errors import ToolchainMissing
from sandboxes.naming import java_names, script_names
from sandboxes.toolchains import GO_CACHE
from sandboxes.types import Job, Limits, Outcome, Program

# What runtimes take for the number of cores. With the machine's own, threads would depend on the machine.
_CORES = "4"
_COMPILING = Limits(cpu_s=30, memory_mb=1024, processes=64, disk_mb=256)

_JAVAC = """
"$1" -J-Xmx512m -J-XX:+UseSerialGC -J-XX:TieredStopAtLevel=1 -J-XX:-UsePerfData -encoding UTF-8 -nowarn -proc:none \
    -d classes "$2" &&
exec "$3" -J-XX:+UseSerialGC -J-XX:TieredStopAtLevel=1 -J-XX:-UsePerfData \
    --create --no-compress --file main.jar --main-class "$4" -C classes .
"""
_GO_BUILD = f"""
if [ -d {GO_CACHE} ]; then export GOCACHE={GO_CACHE}; fi
exec "$1" build -p 2 "-ldflags=-s -w" -o main "$2"
"""


@dataclass(frozen=True)
class Language:
    """A language that programs may be written in.

    Attributes:
        name: What results and messages call it.
        aliases: Other names for it.
        tools: The commands that must be installed where programs run.
        packages: The Debian packages that hold them.
        source_name: What the source file is called, unless `words` says otherwise.
        words: What to put for `{source}` and `{main}`, where that depends on the source.
        compile_command: The argv of the compile step, or None where there is none.
        compile_environment: Variables of the compile step.
        compile_limits: What the compile step may use, unless the caller says otherwise.
        artifacts: The files of the working folder that the compile step makes and every run needs.
        run_command: The argv of a run.
        environment: Variables of a run.
        executable: Whether a run executes a file of the working folder.
        extra_memory_mb: What the language's own machinery takes on top of a program's memory limit.
        extra_processes: How many threads that machinery starts on top of a program's own.
        out_of_memory: What its runtime writes to standard error when it gives up for want of memory.
    """

    name: str
    tools: tuple[str, ...]
    packages: str
    source_name: str
    run_command: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    words: Callable[[str], Mapping[str, str]] | None = None
    compile_command: tuple[str, ...] | None = None
    compile_environment: Mapping[str, str] = field(default_factory=dict)
    compile_limits: Limits = _COMPILING
    artifacts: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    executable: bool = False
    extra_memory_mb: int = 0
    extra_processes: int = 0
    out_of_memory: tuple[bytes, ...] = ()


_C_FLAGS = ("-O2", "-pipe", "-DONLINE_JUDGE", "-o", "main", "{source}")
LANGUAGES = (
    Language(
        name="python",
        aliases=("py", "python3"),
        tools=("python3",),
        packages="python3",
        source_name="main.py",
        run_command=("{python3}", "{source}"),
        out_of_memory=(b"MemoryError",),
    ),
    Language(
        name="c",
        aliases=("gcc",),
        tools=("gcc",),
        packages="gcc libc6-dev",
        source_name="main.c",
        compile_command=("{gcc}", "-std=gnu17", *_C_FLAGS, "-lm"),
        artifacts=("main",),
        run_command=("./main",),
        executable=True,
    ),
    Language(
        name="cpp",
        aliases=("c++", "cxx", "cc", "g++"),
        tools=("g++",),
        packages="g++",
        source_name="main.cpp",
        compile_command=("{g++}", "-std=gnu++20", *_C_FLAGS),
        artifacts=("main",),
        run_command=("./main",),
        executable=True,
        out_of_memory=(b"std::bad_alloc",),
    ),
    Language(
        name="javascript",
        aliases=("js", "node", "nodejs"),
        tools=("node",),
        packages="nodejs",
        source_name="main.js",
        words=script_names,
        run_command=("{node}", "--max-old-space-size={memory}", "{source}"),
        extra_memory_mb=128,
        extra_processes=16,
        out_of_memory=(b"JavaScript heap out of memory", b"Array buffer allocation failed"),
    ),
    Language(
        name="java",
        tools=("javac", "jar", "java"),
        packages="default-jdk-headless",
        source_name="Main.java",
        words=java_names,
        compile_command=("/bin/sh", "-c", _JAVAC, "sh", "{javac}", "{source}", "{jar}", "{main}"),
        # Where /proc is empty the launcher does not find its libraries by itself.
        compile_environment={"LD_LIBRARY_PATH": "{home}/lib"},
        artifacts=("main.jar",),
        run_command=(
            "{java}",
            "-Xms{memory}m",
            "-Xmx{memory}m",
            "-Xss{stack}m",
            "-XX:+UseSerialGC",
            "-XX:-UsePerfData",
            f"-XX:ActiveProcessorCount={_CORES}",
            "-DONLINE_JUDGE=true",
            "-jar",
            "main.jar",
        ),
        environment={"LD_LIBRARY_PATH": "{home}/lib"},
        extra_memory_mb=192,
        extra_processes=32,
        out_of_memory=(b"java.lang.OutOfMemoryError",),
    ),
    Language(
        name="go",
        aliases=("golang",),
        tools=("go",),
        packages="golang-go",
        source_name="main.go",
        compile_command=("/bin/sh", "-c", _GO_BUILD, "sh", "{go}", "{source}"),
        compile_environment={
            "GOROOT": "{home}",
            "GO111MODULE": "off",
            "GOTOOLCHAIN": "local",
            "CGO_ENABLED": "0",
            "GOMAXPROCS": _CORES,
        },
        compile_limits=Limits(cpu_s=60, memory_mb=1536, processes=128, disk_mb=384),
        artifacts=("main",),
        run_command=("./main",),
        environment={"GOMAXPROCS": _CORES, "GOMEMLIMIT": "{memory}MiB"},
        executable=True,
        extra_memory_mb=32,
        extra_processes=16,
        out_of_memory=(b"runtime: out of memory",),
    ),
    Language(
        name="rust",
        aliases=("rs", "rustc"),
        tools=("rustc", "gcc"),
        packages="rustc gcc",
        source_name="main.rs",
        compile_command=(
            *("{rustc}", "-O", "--edition", "2021", "-Cstrip=symbols", "-Clinker={gcc}"),
            *("--cfg", "ONLINE_JUDGE", "-o", "main", "{source}"),
        ),
        compile_environment={"LD_LIBRARY_PATH": "{home}/lib"},
        artifacts=("main",),
        run_command=("./main",),
        executable=True,
        out_of_memory=(b"memory allocation of",),
    ),
    Language(
        name="bash",
        aliases=("sh", "shell"),
        tools=("bash",),
        packages="bash",
        source_name="main.sh",
        run_command=("{bash}", "{source}"),
        out_of_memory=(b"cannot allocate",),
    ),
)
"""Every language there is."""


def language(name: str) -> Language:
    """Return the language of that name or alias, in any case.

    Raises:
        ValueError: There is none; the message has the nearest name and all names.
    """
    known = {alias: each for each in LANGUAGES for alias in (each.name, *each.aliases)}
    wanted = name.strip().lower()
    if wanted in known:
        return known[wanted]
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"no language {name!r}.{hint} Known: {', '.join(each.name for each in LANGUAGES)}.")


def require(language: Language, backend: Backend) -> dict[str, str]:
    """Find the tools of a language where programs run.

    Returns:
        The path of each, by its name.

    Raises:
        ToolchainMissing: One is not installed; the message says how to get it.
    """
    tools: dict[str, str] = {}
    for command in language.tools:
        path = backend.toolchain(command)
        if path is None:
            raise ToolchainMissing(
                f"{language.name} programs need the command {command!r}, missing in the {backend.name} sandbox. "
                f"Install it (Debian, Ubuntu: apt-get install {language.packages}): on this machine for the local "
                "sandbox, in the image for the docker sandbox (see mars sandbox build-image)."
            )
        tools[command] = path
    return tools


def compile_job(
    language: Language, program: Program, tools: Mapping[str, str], limits: Limits | None = None
) -> Job | None:
    """The compile step of a program, or None where its language has none.

    Args:
        language: Its language.
        program: The program.
        tools: What `require` found.
        limits: What the step may use; None takes the language's own.
    """
    if language.compile_command is None:
        return None
    limits = limits or language.compile_limits
    words = _words(language, program, tools, limits)
    return Job(
        mode="exec",
        command=_filled(language.compile_command, words),
        environment=_environment(language.compile_environment, words),
        files={**program.files, words["source"]: _encoded(program.source)},
        fetch=language.artifacts,
        limits=limits,
    )


def run_job(
    language: Language,
    program: Program,
    tools: Mapping[str, str],
    artifacts: Mapping[str, bytes],
    stdin: bytes,
    limits: Limits,
) -> Job:
    """One run of a program.

    Args:
        language: Its language.
        program: The program.
        tools: What `require` found.
        artifacts: What the compile step left: all of `language.artifacts`.
        stdin: Its standard input.
        limits: What the program may use; what its language's machinery takes is added.
    """
    words = _words(language, program, tools, limits)
    source = {} if language.compile_command else {words["source"]: _encoded(program.source)}
    return Job(
        mode="exec",
        command=_filled(language.run_command, words),
        environment=_environment(language.environment, words),
        arguments=program.arguments,
        files={**program.files, **source, **artifacts},
        stdin=stdin,
        limits=limits.plus(memory_mb=language.extra_memory_mb, processes=language.extra_processes),
        executable=language.executable,
    )


def ran_out_of_memory(language: Language, outcome: Outcome) -> bool:
    """Whether a run failed because its runtime found no more memory, which the kernel does not tell.

    A heap that is full before the limit of the kernel is reached ends a program in an error of its own. The program can
    forge this, and gains nothing: a failure stays a failure.
    """
    failed = outcome.ending == "exited" and outcome.exit_code != 0
    return failed and any(sign in outcome.stderr for sign in language.out_of_memory)


def _words(language: Language, program: Program, tools: Mapping[str, str], limits: Limits) -> dict[str, str]:
    # The JVM takes no larger stack than a GiB.
    numbers = {"memory": str(limits.memory_mb), "stack": str(min(limits.stack_mb, 1024))}
    words = {**tools, **numbers, "source": language.source_name}
    if language.words is not None:
        words.update(language.words(program.source))
    folder = PurePosixPath(tools[language.tools[0]]).parent
    # In the system's own folders tools are links, which do not tell where the tool is.
    if folder.name == "bin" and str(folder) not in ("/bin", "/usr/bin", "/usr/local/bin"):
        words["home"] = str(folder.parent)
    return words


def _filled(template: tuple[str, ...], words: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(re.sub(r"\{([\w+]+)\}", lambda match: words.get(match[1], match[0]), part) for part in template)


def _environment(template: Mapping[str, str], words: Mapping[str, str]) -> dict[str, str]:
    known = {name: value for name, value in template.items() if "home" in words or "{home}" not in value}
    return dict(zip(known, _filled(tuple(known.values()), words), strict=True))


def _encoded(source: str) -> bytes:
    # A lone surrogate becomes bytes that are no UTF-8, for the compiler to refuse.
    return source.encode("utf-8", "surrogatepass")
