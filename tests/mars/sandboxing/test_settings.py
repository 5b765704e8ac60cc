"""The `sandbox` section of a recipe: what it means, and what its mistakes are answered with."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from mars.errors import ConfigError, MarsError
from mars.recipe import Recipe
from mars.sandboxing.program_file import read_program
from mars.sandboxing.settings import (
    OPTIONS,
    LimitSettings,
    SandboxSettings,
    choose,
    open_checker,
    open_from,
    parse_limits,
)
from sandboxes import Limits, Program, StdioCase, Verdict
from sandboxes.backends import NAMES
from sandboxes.checkers import Float, Lines


def settings(text: str) -> SandboxSettings:
    return Recipe.parse(text, "r.yaml").section("sandbox", SandboxSettings)


def test_every_backend_has_its_options_and_they_are_keys_of_the_section() -> None:
    assert tuple(OPTIONS) == NAMES
    assert set().union(*OPTIONS.values()) <= set(SandboxSettings.model_fields)


def test_the_limits_are_those_of_the_sandbox() -> None:
    assert list(LimitSettings.model_fields) == [field.name for field in fields(Limits)]


def test_limits_that_are_left_out_stay_as_they_were() -> None:
    assert LimitSettings(cpu_s=2).over(Limits(memory_mb=64)) == Limits(cpu_s=2, memory_mb=64)
    assert LimitSettings(cpu_s=2, file_mb=1).changed(LimitSettings(cpu_s=3)) == LimitSettings(cpu_s=3, file_mb=1)


@pytest.mark.parametrize(
    ("written", "options"),
    [
        ("{}", {}),
        ("{workers: 2, preload: [numpy], binds: [/data]}", {"workers": 2, "preload": ["numpy"], "binds": ["/data"]}),
        ("{backend: docker, image: judge, runtime: runsc}", {"image": "judge", "runtime": "runsc"}),
        ("{backend: docker, limits: {memory_mb: 8192, disk_mb: 64}}", {"memory_mb": 8192}),
        ("{backend: remote, url: 'http://h:1', dialect: fusion}", {"url": "http://h:1", "dialect": "fusion"}),
        ("{backend: remote, url: 'http://h:1', token_env: SECRET}", {"url": "http://h:1", "token": "from outside"}),
        ("{backend: unsafe-subprocess, workers: 1}", {"workers": 1}),
    ],
)
def test_the_options_of_a_backend(written: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "from outside")
    assert settings(f"sandbox: {written}").options() == options


MISTAKES = [
    ("image: x", "r.yaml:2: sandbox.image: the local backend has no such option; it belongs to docker"),
    ("backend: remote", "r.yaml:1: sandbox.url: the remote backend needs this key"),
    ("backend: dokcer", "r.yaml:2: sandbox.backend: Input should be 'local', 'docker'"),
    ("bakend: local", "r.yaml:2: sandbox.bakend: no such key. Did you mean 'backend'?"),
    ("workers: 0", "r.yaml:2: sandbox.workers: Input should be greater than 0 (got 0)"),
    ("fresh: 1", "r.yaml:2: sandbox.fresh: Input should be a valid boolean (got 1)"),
    ("preload: numpy", "r.yaml:2: sandbox.preload: a list belongs here (got 'numpy')"),
    ("limits: {cpu: 2}", "r.yaml:2: sandbox.limits.cpu: no such key. Did you mean 'cpu_s'?"),
    ("limits: {memory_mb: true}", "r.yaml:2: sandbox.limits.memory_mb: Input should be a valid integer (got True)"),
    ("limits: {wall_s: .inf}", "r.yaml:2: sandbox.limits.wall_s: Input should be a finite number"),
    ("checker: flaot", "r.yaml:2: sandbox.checker: no checker 'flaot'. Did you mean 'float'?"),
    ("checker: {kind: float, rtl: 1}", "r.yaml:2: sandbox.checker: checker 'float' has no option 'rtl'."),
    ("checker: {kind: special}", "r.yaml:2: sandbox.checker.program: this key is required"),
    ("checker: {kind: special, program: a.py, refusal: 1}", "Did you mean 'refusals'?"),
]


@pytest.mark.parametrize(("line", "message"), MISTAKES, ids=[line for line, _ in MISTAKES])
def test_a_mistake_is_told_with_its_line_and_key(line: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(f"sandbox:\n  {line}\n")
    assert message in str(caught.value)


def test_a_token_is_given_once_and_its_variable_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NONE", raising=False)
    remote = "sandbox: {backend: remote, url: 'http://h:1', "
    with pytest.raises(ConfigError, match="choose one of both"):
        settings(remote + "token: a, token_env: B}")
    with pytest.raises(ConfigError, match="the environment has no NONE"):
        open_from(settings(remote + "token_env: NONE}"))


def test_what_the_backend_itself_refuses_is_an_error_of_the_section() -> None:
    with pytest.raises(ConfigError, match="a server's address looks like"):
        open_from(SandboxSettings(backend="remote", url="ftp://h"))
    with pytest.raises(MarsError, match="/no/such/python"):
        open_from(SandboxSettings(python="/no/such/python"))


def test_the_section_opens_the_sandbox_that_it_describes(local_sandbox: None) -> None:
    with open_from(settings("sandbox: {workers: 1, limits: {cpu_s: 1}}")) as sandbox:
        assert (sandbox.backend.name, sandbox.backend.workers) == ("local", 1)
        assert sandbox.judge(Program("print(input())"), [StdioCase("a", "a")]).verdict is Verdict.ACCEPTED


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "r.yaml"
    path.write_text("sandbox: {backend: docker, image: judge, workers: 3, preload: [numpy], limits: {cpu_s: 2}}\n")
    return path


def test_the_command_line_changes_a_recipe(recipe: Path) -> None:
    chosen = choose(recipe, ["sandbox.limits.cpu_s=5"], workers=1)
    assert (chosen.backend, chosen.image, chosen.workers, chosen.limits.cpu_s) == ("docker", "judge", 1, 5)


def test_another_backend_takes_from_a_recipe_what_fits_it(recipe: Path) -> None:
    chosen = choose(recipe, backend="local")
    assert (chosen.backend, chosen.image, chosen.workers, chosen.preload) == ("local", None, 3, ["numpy"])


@pytest.mark.parametrize(
    ("text", "overrides", "backend", "message"),
    [
        ("reward: {sources: {exact: 1}}", [], None, "no section 'sandbox'"),
        ("sandbx: {}", [], None, "r.yaml:1: no section 'sandbx'. Did you mean 'sandbox'?"),
        ("sandbox: 3", [], "local", "r.yaml:1: sandbox: a table of keys belongs here"),
        ("sandbox: {}", [], "dokcer", "--backend dokcer: no such backend. Did you mean 'docker'?"),
        ("sandbox: {}", ["reward.workers=1"], None, "--set reward.workers=1: only the section sandbox is read here"),
        ("sandbox: {}", ["sandbox.worker=1"], None, "--set sandbox.worker: sandbox.worker: no such key. Did you mean"),
    ],
)
def test_a_recipe_that_cannot_be_used_says_why(
    tmp_path: Path, text: str, overrides: list[str], backend: str | None, message: str
) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        choose(path, overrides, backend)
    assert message in str(caught.value)


def test_limits_on_the_command_line() -> None:
    assert parse_limits(["cpu_s=0.5, memory_mb=256", "wall_s=3"]) == LimitSettings(cpu_s=0.5, memory_mb=256, wall_s=3)
    for text, message in (
        ("cpu=2", "--limits: limits.cpu: no such key. Did you mean 'cpu_s'?"),
        ("cpu_s", "--limits cpu_s: write it as name=value"),
        ("cpu_s=two", "--limits: limits.cpu_s: Input should be a valid number (got 'two')"),
        ("memory_mb=0", "--limits: limits.memory_mb: Input should be greater than 0"),
    ):
        with pytest.raises(ConfigError) as caught:
            parse_limits([text])
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("a.py", "python"),
        ("a.c", "c"),
        ("a.cc", "cpp"),
        ("a.cpp", "cpp"),
        ("a.mjs", "javascript"),
        ("A.java", "java"),
        ("a.go", "go"),
        ("a.rs", "rust"),
        ("a.sh", "bash"),
    ],
)
def test_the_ending_of_a_file_tells_its_language(tmp_path: Path, name: str, language: str) -> None:
    (tmp_path / name).write_bytes(b"a\r\n")
    assert read_program(tmp_path / name) == Program("a\r\n", language)


def test_a_program_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("")
    (tmp_path / "a.py").write_bytes(b"\xff")
    assert read_program(tmp_path / "a.txt", "C++").language == "cpp"
    for name, language, message in (
        ("a.txt", None, "which language is"),
        ("a.txt", "pyton", "--language pyton: no such language. Did you mean 'python'?"),
        ("a.py", None, "is not UTF-8 text"),
        ("none.py", None, "cannot read the program"),
    ):
        with pytest.raises(ConfigError, match=message.replace("+", r"\+")):
            read_program(tmp_path / name, language)


def test_a_checker_by_name_by_options_and_by_default(local_sandbox: None, tmp_path: Path) -> None:
    with open_from(SandboxSettings(workers=1)) as sandbox:
        assert open_checker(None, sandbox, tmp_path) == Lines()
        assert open_checker("float:rtol=1e-3", sandbox, tmp_path) == Float(rtol=1e-3)
        named = settings("sandbox: {checker: {kind: float, rtol: 1e-3}}").checker
        assert open_checker(named, sandbox, tmp_path) == Float(rtol=1e-3)


def test_a_special_judge_is_read_from_beside_the_file_that_names_it(local_sandbox: None, tmp_path: Path) -> None:
    (tmp_path / "judge.py").write_text(
        "import sys\nsys.exit(open('output.txt').read().strip() not in ('yes', 'Yes'))\n"
    )
    spec = settings("sandbox: {checker: 'special:judge.py'}").checker
    with open_from(SandboxSettings(workers=1)) as sandbox:
        judge = open_checker(spec, sandbox, tmp_path)
        judged = sandbox.judge(Program("print(input())"), [StdioCase(x, "") for x in ("Yes", "no")], checker=judge)
        assert [case.verdict for case in judged.cases] == [Verdict.ACCEPTED, Verdict.WRONG_ANSWER]
        with pytest.raises(ConfigError, match="cannot read the program"):
            open_checker(spec, sandbox, tmp_path / "elsewhere")
