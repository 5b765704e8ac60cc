"""Each language's programs are compiled and run for real; where a toolchain is missing its tests say so and skip."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes import Judgement, Limits, Program, Sandbox, SandboxUnavailable, StdioCase, ToolchainMissing, open_sandbox
from sandboxes.languages import (
    LANGUAGES,
    Language,
    compile_job,
    language,
    ran_out_of_memory,
    require,
    run_job,
)
from sandboxes.naming import java_names, script_names
from sandboxes.toolchains import host_tool, tool_roots
from sandboxes.types import Outcome, Verdict

NAMES = [each.name for each in LANGUAGES]
COMPILED = [each.name for each in LANGUAGES if each.compile_command]

# Each does what the first word of its input asks for: sum the numbers that follow, crash, loop, or eat memory.
PROGRAMS = {
    "python": """
import os, sys
word, *numbers = sys.stdin.read().split()
if word == "sum":
    print(sum(map(int, numbers)))
elif word == "crash":
    raise KeyError("crash")
eaten = []
while word in ("loop", "eat"):
    if word == "eat":
        eaten.append(os.urandom(1 << 20))
""",
    "c": """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void) {
    char word[16];
    if (scanf("%15s", word) != 1) return 1;
    long long total = 0, number;
    if (!strcmp(word, "sum")) {
        while (scanf("%lld", &number) == 1) total += number;
        printf("%lld\\n", total);
    }
    if (!strcmp(word, "crash")) abort();
    volatile char *eaten;
    for (volatile int turn = 0; !strcmp(word, "loop");) turn++;
    while (!strcmp(word, "eat"))
        for (eaten = malloc(1 << 20), number = 0; number < 1 << 20; number += 4096) eaten[number] = 1;
}
""",
    "cpp": """
#include <bits/stdc++.h>
using namespace std;
int main() {
    string word;
    cin >> word;
    if (word == "sum") cout << accumulate(istream_iterator<long long>(cin), {}, 0LL) << endl;
    if (word == "crash") return vector<int>().at(1);
    for (volatile int turn = 0; word == "loop";) turn = turn + 1;
    for (list<string> eaten; word == "eat";) eaten.emplace_back(1 << 20, 'x');
}
""",
    "javascript": """
const [word, ...numbers] = require("fs").readFileSync(0, "utf8").split(/\\s+/).filter(Boolean);
if (word === "sum") console.log(String(numbers.reduce((total, number) => total + BigInt(number), 0n)));
if (word === "crash") null.crash();
const eaten = [];
while (word === "loop" || word === "eat") if (word === "eat") eaten.push(Array(1e5).fill(0.5));
""",
    "java": """
import java.io.*;
import java.util.*;
public class Behaviour {
    static class Node { int[] room = new int[1 << 18]; }
    interface Summing { long of(StreamTokenizer in) throws IOException; }
    public static void main(String[] arguments) throws IOException {
        StreamTokenizer in = new StreamTokenizer(new BufferedReader(new InputStreamReader(System.in)));
        in.nextToken();
        String word = in.sval;
        Summing sum = tokens -> {
            long total = 0;
            while (tokens.nextToken() != StreamTokenizer.TT_EOF) total += (long) tokens.nval;
            return total;
        };
        if (word.equals("sum")) System.out.println(sum.of(in));
        if (word.equals("crash")) throw new IllegalStateException("crash");
        List<Node> eaten = new ArrayList<>();
        while (word.equals("loop") || word.equals("eat")) if (word.equals("eat")) eaten.add(new Node());
    }
}
""",
    "go": """
package main
import ("bufio"; "fmt"; "os")
func main() {
    in := bufio.NewReader(os.Stdin)
    var word string
    var total, number int64
    fmt.Fscan(in, &word)
    if word == "sum" {
        for { if _, err := fmt.Fscan(in, &number); err != nil { break }; total += number }
        fmt.Println(total)
    }
    if word == "crash" { panic("crash") }
    eaten := [][]byte{}
    for word == "loop" || word == "eat" {
        if word == "eat" {
            room := make([]byte, 1 << 20)
            for i := range room { room[i] = 1 }
            eaten = append(eaten, room)
        }
    }
}
""",
    "rust": """
use std::io::Read;
fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    let mut words = text.split_whitespace();
    let word = words.next().unwrap();
    if word == "sum" { println!("{}", words.map(|number| number.parse::<i64>().unwrap()).sum::<i64>()); }
    if word == "crash" { panic!("crash"); }
    let mut eaten = Vec::new();
    let mut turn = 0u64;
    while word == "loop" { turn = std::hint::black_box(turn + 1); }
    while word == "eat" { eaten.push(std::hint::black_box(vec![1u8; 1 << 20])); }
}
""",
    "bash": """
read -r -d '' word numbers
total=0
if [ "$word" = sum ]; then for number in $numbers; do ((total += number)); done; echo "$total"; fi
if [ "$word" = crash ]; then exit 3; fi
while [ "$word" = loop ]; do :; done
eaten=
while [ "$word" = eat ]; do printf -v more "%*s" 20000000 ""; eaten+=$more; done
""",
}
MANY = range(1, 20_001)
BEHAVIOURS = [
    ("sum 40 2", "42", Verdict.ACCEPTED),
    ("sum 40 2", "43", Verdict.WRONG_ANSWER),
    ("crash", "", Verdict.RUNTIME_ERROR),
    ("loop", "", Verdict.TIME_LIMIT),
    ("eat", "", Verdict.MEMORY_LIMIT),
    (f"sum {' '.join(map(str, MANY))}", str(sum(MANY)), Verdict.ACCEPTED),
]
LIMITS = Limits(cpu_s=2, memory_mb=128, processes=8)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    try:
        opened = open_sandbox("local")
    except SandboxUnavailable as missing:
        pytest.skip(str(missing))
    with opened:
        yield opened


def judge(sandbox: Sandbox, program: Program, *tests: tuple[str, str], limits: Limits = LIMITS) -> Judgement:
    cases = [StdioCase(f"{stdin}\n", f"{expected}\n") for stdin, expected in tests]
    try:
        return sandbox.judge(program, cases, limits, fresh=True)
    except ToolchainMissing as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("name", NAMES)
def test_every_language_gets_the_verdict_that_its_program_asked_for(sandbox: Sandbox, name: str) -> None:
    tests = [(stdin, expected) for stdin, expected, _ in BEHAVIOURS]
    judgement = judge(sandbox, Program(PROGRAMS[name], name), *tests)
    assert [case.verdict for case in judgement.cases] == [verdict for *_, verdict in BEHAVIOURS], judgement
    assert (judgement.compile is not None) == (name in COMPILED)


@pytest.mark.parametrize("name", COMPILED)
def test_what_does_not_compile_is_a_compile_error_with_the_compilers_words(sandbox: Sandbox, name: str) -> None:
    judgement = judge(sandbox, Program("this is no program\n", name), ("", ""))
    assert judgement.verdict is Verdict.COMPILE_ERROR
    assert judgement.compile and "main" in (judgement.compile.stdout + judgement.compile.stderr).lower()
    assert [case.verdict for case in judgement.cases] == [Verdict.SKIPPED]


@pytest.mark.parametrize("source", ["\x00", "\ud800", "", "main", "#include </dev/zero>\n"], ids=ascii)
def test_a_source_that_no_compiler_likes_is_a_compile_error_and_no_crash(sandbox: Sandbox, source: str) -> None:
    assert judge(sandbox, Program(source, "c"), ("", "")).verdict is Verdict.COMPILE_ERROR


def test_a_compile_step_has_limits_of_its_own(sandbox: Sandbox) -> None:
    bomb = "char room[1 << 30] = {1}; int main(void) { return room[0]; }"
    assert judge(sandbox, Program(bomb, "c"), ("", "")).verdict is Verdict.COMPILE_ERROR


def test_a_program_finds_its_files_when_compiled_and_when_run_and_its_arguments(sandbox: Sandbox) -> None:
    source = """
#include <stdio.h>
#include "sub/two.h"
int main(int count, char **arguments) {
    int three;
    if (fscanf(fopen("three.txt", "r"), "%d", &three) != 1) return 1;
    printf("%d %d %s\\n", TWO, three, arguments[count - 1]);
}
"""
    program = Program(source, "c", {"sub/two.h": b"#define TWO 2\n", "three.txt": b"3"}, ("x", "four five"))
    assert judge(sandbox, program, ("", "2 3 four five")).passed


def test_judges_own_macro_is_defined_as_online_judges_do(sandbox: Sandbox) -> None:
    source = '#include <stdio.h>\nint main(void) {\n#ifdef ONLINE_JUDGE\nputs("judged");\n#endif\n}'
    assert judge(sandbox, Program(source, "c"), ("", "judged")).passed


JAVA_SOURCES = [
    ("public class Main { public static void main(String[] a) {} }", "Main.java", "Main", "the usual"),
    ("class Solution { public static void main(String[] a) {} }", "Main.java", "Solution", "no public class"),
    ("public class A {} class B { static public void main(String... a) {} }", "A.java", "B", "main elsewhere"),
    (
        "class B { static void main(String[] a) {} } public class A { static void main(String[] a) {} }",
        *["A.java", "A"],
        "two",
    ),
    ("package a.b;\npublic final class C { public static void main(String[] a) {} }", "C.java", "a.b.C", "a package"),
    ("// public class No {\npublic class Yes { static void main(String[] a) {} }", "Yes.java", "Yes", "a comment"),
    (
        "/* public class No { */ public record Yes(int a) { static void main(String[] a) {} }",
        *["Yes.java", "Yes"],
        "a record",
    ),
    ('class A { String s = "}} public class No {"; static void main(String[] a) {} }', "Main.java", "A", "a string"),
    ("class A { char c = '\"', d = '}'; static void main(String[] a) {} }", "Main.java", "A", "characters"),
    (
        'class A { String s = """\n  } \\""" public class No { """; static void main(String[] a) {} }',
        *["Main.java", "A"],
        "text",
    ),
    ('@S({"x"}) @T(B.class) public enum E { X; public static void main(String[] a) {} }', "E.java", "E", "annotations"),
    ("class A { class B { void main() {} } } class C { static void main(String[] a) {} }", "Main.java", "C", "nested"),
    (
        "class A { int[] x = {1}; void main(int a) {} } interface I { static void main(String[] a) {} }",
        *["Main.java", "I"],
        "both",
    ),
    ("record P(int x) {} void main() { }", "Main.java", "Main", "an unnamed class"),
    ("public class 1No {}", "Main.java", "Main", "no name"),
    (f"public class {'x' * 300} {{}}", "Main.java", "Main", "a name that is too long for a file"),
    ("", "Main.java", "Main", "nothing"),
]


@pytest.mark.parametrize(("source", "file", "main", "why"), JAVA_SOURCES, ids=[each[-1] for each in JAVA_SOURCES])
def test_java_finds_the_public_class_and_the_class_to_start(source: str, file: str, main: str, why: str) -> None:
    assert java_names(source) == {"source": file, "main": main}, why


SCRAPS = st.sampled_from(
    [*"{}();\"'\\/*\n", '"""', "/*", "//", "class", "public", "void", "main", "static", "package", "é"]
)


@given(st.one_of(st.text(), st.lists(SCRAPS).map(" ".join), st.lists(SCRAPS).map("".join)))
def test_whatever_a_java_source_is_its_file_has_a_sound_name(source: str) -> None:
    names = java_names(source)
    assert re.fullmatch(r"[\w$]+\.java", names["source"])
    assert len(names["source"].encode()) < 200
    assert len(names["main"].encode("utf-8", "replace")) < 200


@given(st.text().filter(lambda text: "*/" not in text and not text.endswith("*") and "\\" not in text))
def test_comments_and_strings_never_change_what_a_java_source_declares(text: str) -> None:
    quoted = re.sub(r'["\r\n]', "", text)
    plain = '/* {0} */ public class A {{ String s = "{1}"; static void main(String[] a) {{ }} }} // {1}\n class B {{}}'
    assert java_names(plain.format(text, quoted)) == {"source": "A.java", "main": "A"}


def test_a_java_program_in_a_package_with_nested_and_foreign_names_runs(sandbox: Sandbox) -> None:
    source = """
package deep.down;
import java.util.*;
class Helper { enum Kind { ONE, TWO } record Pair(Kind kind, int value) {} }
public class Größe {
    public static void main(String[] arguments) {
        Comparator<Integer> order = new Comparator<>() {
            public int compare(Integer a, Integer b) { return b - a; }
        };
        List<Integer> values = new ArrayList<>(List.of(1, 3, 2));
        values.sort(order);
        System.out.println(values + " " + new Helper.Pair(Helper.Kind.TWO, 5) + " é");
    }
}
"""
    assert judge(sandbox, Program(source, "java"), ("", "[3, 2, 1] Pair[kind=TWO, value=5] é")).passed


def test_a_deep_recursion_in_java_has_the_stack_that_the_limits_say(sandbox: Sandbox) -> None:
    source = """
class Main {
    static int down(int n) { return n == 0 ? 0 : 1 + down(n - 1); }
    public static void main(String[] arguments) { System.out.println(down(200000)); }
}
"""
    assert judge(sandbox, Program(source, "java"), ("", "200000"), limits=replace(LIMITS, stack_mb=64)).passed


def test_garbage_does_not_count_against_a_collected_language(sandbox: Sandbox) -> None:
    java = """
class Main {
    public static void main(String[] arguments) {
        long total = 0;
        for (int i = 0; i < 1000; i++) total += new byte[1 << 20].length;
        System.out.println(total >> 20);
    }
}
"""
    go = """
package main
import "fmt"
func main() {
    total := 0
    for i := 0; i < 1000; i++ { room := make([]byte, 1 << 20); room[i] = 1; total += len(room) }
    fmt.Println(total >> 20)
}
"""
    script = """
let count = 0;
for (let turn = 0; turn < 100; turn++) count += Array.from({ length: 1e5 }, Math.random).length;
console.log(count / 1e4);
"""
    for name, source in (("java", java), ("go", go), ("javascript", script)):
        judgement = judge(sandbox, Program(source, name), ("", "1000"), limits=replace(LIMITS, cpu_s=5, memory_mb=64))
        assert judgement.passed, judgement


@pytest.mark.parametrize(
    ("source", "file"),
    [
        ("const fs = require('fs')", "main.js"),
        ("import fs from 'fs'\n", "main.mjs"),
        ("let a = 1\nimport { readFileSync } from 'node:fs'", "main.mjs"),
        ("import 'node:fs'", "main.mjs"),
        ("export default 1", "main.mjs"),
        ("important = 1; exported = 2", "main.js"),
        ("import('fs').then(console.log)", "main.js"),
        ("require('fs'); const help = `\nimport x from 'y'`", "main.js"),
        (
            "import { createRequire } from 'module'; const require = createRequire(import.meta.url); require('fs')",
            "main.mjs",
        ),
    ],
)
def test_a_javascript_source_is_a_module_when_it_imports_as_one(source: str, file: str) -> None:
    assert script_names(source) == {"source": file}


def test_a_javascript_module_runs(sandbox: Sandbox) -> None:
    source = (
        "import { readFileSync } from 'node:fs';\nconsole.log(await Promise.resolve(readFileSync(0, 'utf8').length));"
    )
    assert judge(sandbox, Program(source, "js"), ("four", "5")).passed


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("C++", "cpp"),
        (" js ", "javascript"),
        ("nodejs", "javascript"),
        ("golang", "go"),
        ("py", "python"),
        ("sh", "bash"),
    ],
)
def test_a_language_has_the_names_that_data_sets_use(alias: str, name: str) -> None:
    assert language(alias).name == name


def test_no_two_languages_share_a_name() -> None:
    names = [name for each in LANGUAGES for name in (each.name, *each.aliases)]
    assert len(names) == len(set(names))


def test_an_unknown_language_is_refused_with_the_nearest_and_all_names() -> None:
    with pytest.raises(ValueError, match=r"no language 'pyhton'\. Did you mean 'python'\? Known: python, c, .*bash"):
        language("pyhton")


def test_a_missing_toolchain_is_named_with_how_to_get_it(sandbox: Sandbox) -> None:
    fortran = replace(language("c"), name="fortran", tools=("no-such-fortran",), packages="gfortran")
    with pytest.raises(ToolchainMissing, match=r"fortran programs need .*'no-such-fortran'.* apt-get install gfortran"):
        require(fortran, sandbox.backend)


def test_only_the_artifacts_of_the_compile_step_travel_to_the_runs() -> None:
    program = Program("int main(void) {}", "c", files={"data": b"1", "main": b"not this one"})
    compiling = compile_job(language("c"), program, {"gcc": "/usr/bin/gcc"})
    assert compiling and compiling.command[0] == "/usr/bin/gcc" and compiling.fetch == ("main",)
    assert set(compiling.files) == {"main.c", "data", "main"} and not compiling.executable
    running = run_job(language("c"), program, {"gcc": "/usr/bin/gcc"}, {"main": b"ELF"}, b"", Limits())
    assert running.command == ("./main",) and running.files == {"data": b"1", "main": b"ELF"} and running.executable


def test_the_machinery_of_a_language_comes_on_top_of_a_programs_limits() -> None:
    tools = {tool: f"/opt/jdk/bin/{tool}" for tool in language("java").tools}
    job = run_job(
        language("java"), Program("", "java"), tools, {"main.jar": b""}, b"", Limits(memory_mb=100, processes=5)
    )
    assert "-Xmx100m" in job.command and job.limits.memory_mb > 100 and job.limits.processes > 20
    assert job.environment["LD_LIBRARY_PATH"] == "/opt/jdk/lib"


def test_a_tool_in_the_systems_folders_tells_nothing_of_its_home() -> None:
    job = compile_job(language("go"), Program("", "go"), {"go": "/usr/bin/go"})
    assert job and "GOROOT" not in job.environment and job.environment["CGO_ENABLED"] == "0"


@pytest.mark.parametrize("each", LANGUAGES, ids=NAMES)
def test_no_placeholder_is_left_in_a_command(each: Language) -> None:
    tools = {tool: f"/opt/x/bin/{tool}" for tool in each.tools}
    program = Program("", each.name)
    jobs = [compile_job(each, program, tools), run_job(each, program, tools, {}, b"", Limits())]
    for job in filter(None, jobs):
        assert job.command[0].startswith(("/", "./"))
        assert not re.search(r"\{[\w+]+\}", " ".join([*job.command, *job.environment.values()]))


def test_memory_that_the_runtime_missed_is_read_from_a_failed_runs_error() -> None:
    java, words = language("java"), b'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space'
    assert ran_out_of_memory(java, Outcome("exited", exit_code=1, stderr=words))
    assert not ran_out_of_memory(java, Outcome("exited", exit_code=0, stderr=words))
    assert not ran_out_of_memory(java, Outcome("cpu", signal=9, stderr=words))
    assert not ran_out_of_memory(java, Outcome("exited", exit_code=1, stderr=b"java.lang.NullPointerException"))


@pytest.mark.parametrize("command", sorted({tool for each in LANGUAGES for tool in each.tools} - {"python3"}))
def test_a_tool_of_this_machine_works_for_someone_with_another_home(command: str) -> None:
    path = host_tool(command)
    if path is None:
        pytest.skip(f"{command} is not installed")
    question = {"go": "version", "java": "-version", "javac": "-version"}.get(command, "--version")
    done = subprocess.run([path, question], env={"HOME": "/nonexistent"}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_tool_that_is_not_installed_is_not_found() -> None:
    assert host_tool("no-such-compiler") is None


def _install(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_a_version_managers_shim_is_asked_for_the_real_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = _install(tmp_path / "toolchains/stable/bin/rustc", "")
    shim = _install(tmp_path / "shims/rustc", f'#!/bin/sh\n[ "$2" = sysroot ] && echo {real.parent.parent}\n')
    monkeypatch.setenv("PATH", str(shim.parent), prepend=os.pathsep)
    assert host_tool("rustc") == str(real)
    assert tool_roots(str(real)) == (tmp_path / "toolchains/stable",)


def test_a_shim_with_nothing_behind_it_counts_as_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = _install(tmp_path / "shims/node", "#!/bin/sh\nexit 1\n")
    monkeypatch.setenv("PATH", str(shim.parent), prepend=os.pathsep)
    assert host_tool("node") is None


@pytest.mark.parametrize("place", ["node", "bin/node", ".local/bin/node"])
def test_a_tool_loose_in_a_home_does_not_open_that_home(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert tool_roots(str(tmp_path / place)) == (tmp_path / place,)


def test_a_tool_of_the_system_needs_no_folders_of_its_own() -> None:
    assert tool_roots("/usr/bin/gcc") == tool_roots("/usr/lib/jvm/java-17/bin/java") == ()
