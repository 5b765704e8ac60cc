"""The engine that the docker sandbox is tested on, and an image made from this machine's own files."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandboxes.docker import build_image
from sandboxes.docker.engine import Engine
from sandboxes.errors import SandboxUnavailable

IMAGE = "mars-sandbox-tests:latest"
C_SOURCE = (
    '#include <stdio.h>\nint main(void) { int a, b; scanf("%d %d", &a, &b); printf("%d\\n", a + b); return 0; }\n'
)


def engine_or_skip() -> Engine:
    """The engine at `DOCKER_HOST` or the usual socket; without one the test is skipped, and says why."""
    try:
        return Engine()
    except SandboxUnavailable as error:
        pytest.skip(f"the docker sandbox needs an engine: {error}")


@contextmanager
def image_of_this_machine(engine: Engine, folder: Path) -> Iterator[str]:
    """An image with this machine's Python, and its C compiler if it has one."""
    build_image(IMAGE, from_host=True, include=c_compiler(folder))
    try:
        yield IMAGE
    finally:
        engine.api.remove_image(IMAGE, force=True)


def c_compiler(folder: Path) -> list[Path]:
    """The files that compiling `C_SOURCE` takes, as the compiler itself names them."""
    gcc = shutil.which("gcc")
    if gcc is None:
        return []
    source = folder / "main.c"
    source.write_text(C_SOURCE)

    def ask(*arguments: str) -> str:
        return subprocess.run([gcc, *arguments], capture_output=True, text=True, check=True, cwd=folder).stdout

    programs = [shutil.which(ask(f"-print-prog-name={name}").strip()) for name in ("cc1", "collect2", "as", "ld")]
    headers = ask("-O2", "-M", str(source)).replace("\\\n", " ").split()[2:]
    linked = ask("-Wl,--trace", str(source), "-lm").splitlines()
    named = [ask(f"-print-file-name={name}").strip() for name in ("libc.so", "libm.so", "liblto_plugin.so")]
    paths = [gcc, *filter(None, programs), *headers, *linked, *named]
    return [path for path in map(Path, paths) if path.is_absolute() and path.exists() and folder not in path.parents]
