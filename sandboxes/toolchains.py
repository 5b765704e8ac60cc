"""Where compilers and interpreters are on this machine, and which folders they read."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

GO_CACHE = "/opt/mars/go-cache"
"""Where programs run, the standard library of Go compiled beforehand, if there is such a folder: Go itself brings it
no longer (since 1.20), and compiling it takes seconds for each program. To make it:
`GOCACHE=/opt/mars/go-cache CGO_ENABLED=0 go build std`."""


def host_tool(command: str) -> str | None:
    """Where a tool really is on this machine, or None when it is not installed.

    Version managers put shims on the PATH, which find the tool by the caller's home folder; a sandbox has another one.
    """
    found = shutil.which(command) or shutil.which(command, path=f"{_own_home()}/.cargo/bin:/usr/local/go/bin")
    if found is None:
        return None
    found = str(Path(found).absolute())
    real = Path(found).resolve()
    if command in _ASK_HOME and (real.name != command or _is_script(real)):
        return _asked(found, *_ASK_HOME[command])
    # Compilers of C know themselves by the name they are called by, so system links are kept.
    return found if _is_system(found) and command not in _ASK_HOME else str(real)


def tool_roots(command: str) -> tuple[Path, ...]:
    """The folders and files outside of the system's own that a tool found by `host_tool` reads.

    Args:
        command: Its path.
    """
    path = Path(command)
    roots = [Path(GO_CACHE)] if path.name == "go" and Path(GO_CACHE).is_dir() else []
    if _is_system(path):
        return tuple(roots)
    prefix = path.parent.parent if path.parent.name == "bin" else path.parent
    home = _own_home()
    # A tool that lies loose in someone's home must not open the home to programs.
    private = prefix in (home, *home.parents, home / ".local")
    return (*roots, path if private else prefix)


_JAVA_HOME = r"java\.home = (.+)"
# How a tool is asked where it is, what to read in its answer, and what lies there.
_ASK_HOME = {
    "node": (("-p", "process.execPath"), r"(/.+)", ""),
    "java": (("-XshowSettings:properties", "-version"), _JAVA_HOME, "bin/java"),
    "javac": (("-J-XshowSettings:properties", "-version"), _JAVA_HOME, "bin/javac"),
    "jar": (("-J-XshowSettings:properties", "--version"), _JAVA_HOME, "bin/jar"),
    "go": (("env", "GOROOT"), r"(/.+)", "bin/go"),
    "rustc": (("--print", "sysroot"), r"(/.+)", "bin/rustc"),
}


@cache
def _asked(shim: str, question: tuple[str, ...], pattern: str, below: str) -> str | None:
    try:
        answer = subprocess.run(
            [shim, *question], capture_output=True, text=True, errors="replace", timeout=30, check=False, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(pattern, answer.stdout + answer.stderr)
    real = Path(match[1].strip()) / below if match and answer.returncode == 0 else None
    return str(real) if real and real.is_file() else None


def _is_script(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False


def _is_system(path: str | Path) -> bool:
    return str(path).startswith(("/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/"))


def _own_home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # a user without an entry, in a container say
        return Path("/")
