"""Assertions and suites: honest programs pass as they would in one process, and tests that test nothing are errors."""

from __future__ import annotations

from typing import Any

import pytest

from sandboxes import AssertCase, Judgement, Limits, Program, Sandbox, UnittestCase
from sandboxes.suites import check_assertions, suite_tests

LIMITS = Limits(cpu_s=1, wall_s=3, memory_mb=256, processes=16)
POINT = """
class Point:
    def __init__(self, x, y): self.x, self.y = x, y
    def __eq__(self, other): return (self.x, self.y) == (other.x, other.y)
    def __add__(self, other): return Point(self.x + other.x, self.y + other.y)
def norm(p): return abs(p.x) + abs(p.y)
"""
STACK = """
class Stack:
    kind = "lifo"
    def __init__(self): self.items = []
    def push(self, x): self.items.append(x); return self
    def pop(self): return self.items.pop()
    def __len__(self): return len(self.items)
    def __getitem__(self, at): return self.items[at]
    def __iter__(self): return iter(self.items)
    def __str__(self): return "Stack" + str(self.items)
    @staticmethod
    def of(*items):
        made = Stack()
        for each in items: made.push(each)
        return made
"""
TREE = """
class Node:
    def __init__(self, value, next=None): self.value, self.next = value, next
def chain(*values):
    head = None
    for each in reversed(values): head = Node(each, head)
    return head
def total(node):
    return node.value + total(node.next) if node else 0
def nodes(node):
    return [node] + nodes(node.next) if node else []
"""
ERRORS = """
class Wrong(ValueError):
    def __init__(self, code, why):
        super().__init__(code, why)
        self.code = code
    def __str__(self): return f"<{self.args[1]}>"
class Worse(Wrong): pass
def f(x):
    if x == 0: raise Worse(7, "zero")
    if x == 1: raise KeyError("a")
    if x == 2: raise OSError(2, "no")
    if x == 3: assert x == 0, "three"
    if x == 4: raise StopIteration
    return x
"""
LAZY = """
from collections import Counter, namedtuple, deque
from itertools import count
P = namedtuple("P", "x y")
def gen(n):
    for i in range(n): yield i
def primes():
    n = 1
    while True:
        n += 1
        if all(n % p for p in range(2, n)): yield n
        if n > 12:
            while True: pass
def late(n):
    yield from range(n)
    raise ValueError("late")
def lazy(kind):
    return {"map": map(str, [1]), "range": range(3), "keys": {1: 2}.keys(), "items": {1: 2}.items(),
            "zip": zip([1], [2]), "count": count(), "named": P(1, 2), "names": [P(1, 2)], "counter": Counter("aa"),
            "pair": (1, gen(2)), "set": {1, 2}, "deque": deque([1])}[kind]
def adder(n): return lambda x: x + n
def twice(f, x): return f(f(x))
def inc(x): return x + 1
def size(c): return len(list(c))
"""
CHANGES = """
def f(a, b=None):
    for inner in a: inner.sort()
    if b is not None: b["new"] = 1; b.get("in", []).append(2)
def order(a): a.sort()
def same(a): return a
def grow(a): a.append(a[0]); a[0].append(1)
def fail(a): a.append(1); raise ValueError
def clear(s, d): s.add(9); d.appendleft(0)
"""
CONSTANTS = "LIMIT = 3\nNAMES = ('a', 'b')\nPRIMES = {2, 3}\nBIG = 'x' * 99_999\ndef f(x): return min(x, LIMIT)\n"
SLEEP = "import time\ndef f(x): return x\ndef late(x): time.sleep(x); return x\n"

# (program, assertions, entry point, verdict, why)
ROWS: list[tuple[str, str, str | None, str, str]] = [
    (
        "def f(x): return x + 1",
        "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(4) as pool:\n"
        "    assert list(pool.map(f, range(200))) == list(range(1, 201))",
        None,
        "AC",
        "threads ask at once",
    ),
    (CHANGES, "i, j = [2, 1], [1]\nf([i, j])\nassert i == [1, 2] and j == [1]", None, "AC", "a list within is sorted"),
    (CHANGES, "d = {'in': []}\nf([], b=d)\nassert d == {'in': [2], 'new': 1}", None, "AC", "a named argument changes"),
    (
        CHANGES,
        "a, b = [3], [1]\nx = [a, b]\norder(x)\nassert a == [3] and x[0] is b",
        None,
        "AC",
        "lists are reordered",
    ),
    (CHANGES, "x = [[]]\nassert same(x) is x and same(a=x)[0] is x[0]", None, "AC", "an argument comes back itself"),
    (CHANGES, "x = [[]]\ngrow(x)\nassert x == [[1], [1]] and x[0] is x[1]", None, "AC", "an argument within another"),
    (CHANGES, "x = []\ntry: fail(x)\nexcept ValueError: pass\nassert x == [1]", None, "AC", "changed, then raised"),
    (
        CHANGES,
        "from collections import deque\ns, d = {1}, deque([2])\nclear(s, d)\nassert s == {1, 9} and list(d) == [0, 2]",
        None,
        "AC",
        "a set and a deque change",
    ),
    (ERRORS, "try: f(1)\nexcept KeyError as e: assert e.args == ('a',)\nelse: assert 0", None, "AC", "arguments of it"),
    (ERRORS, "try: f(2)\nexcept FileNotFoundError as e: assert e.errno == 2\nelse: assert 0", None, "AC", "a subclass"),
    (
        ERRORS,
        "try: f(0)\nexcept Wrong as e: assert (e.code, str(e)) == (7, '<zero>')\nelse: assert 0",
        None,
        "AC",
        "an exception of the program's own",
    ),
    (ERRORS, "from solution import Worse\ntry: f(0)\nexcept Worse: pass\nelse: assert 0", None, "AC", "imported"),
    (ERRORS, "try: f(0)\nexcept ValueError as e: pass\nelse: assert 0", None, "AC", "an own one by its base"),
    (
        ERRORS,
        "try: f(3)\nexcept AssertionError as e: assert str(e) == 'three'\nelse: assert 0",
        None,
        "AC",
        "it asserts",
    ),
    (ERRORS, "assert f(3) == 3", None, "RE", "an assertion of the program itself fails"),
    (ERRORS, "assert f(0) == 3", None, "RE", "an exception of its own that nobody catches"),
    (ERRORS, "assert all(f(x) == x for x in (9, 4, 5))", None, "RE", "an end of iteration is none of the test's"),
    (ERRORS, "try: f(4)\nexcept StopIteration: pass", None, "RE", "nor can it be caught"),
    ("def f(x): return x", "from solution import f as g\nassert g(1) == 1", None, "AC", "the function is imported"),
    ("def f(x): return x", "import solution\nassert solution.f(1) == 1", None, "AC", "the module is imported"),
    ("def sum(x): return 5", "from solution import sum\nassert sum(1) == 5", None, "AC", "a builtin's name, imported"),
    ("abs = lambda x: 0\ndef f(x): return 9", "from solution import *\nassert abs(f(1)) == 0", None, "WA", "all names"),
    (CONSTANTS, "assert LIMIT == 3 and NAMES == ('a', 'b') and PRIMES == {3, 2}", None, "AC", "constants are read"),
    (CONSTANTS, "assert f(10) == LIMIT", None, "AC", "a constant and a function"),
    (CONSTANTS, "assert BIG", None, "RE", "a constant that is too large"),
    (LAZY, "assert lazy('named') == (1, 2) and lazy('names') == [(1, 2)]", None, "AC", "named tuples"),
    (LAZY, "assert lazy('counter') == {'a': 2} and lazy('set') == {1, 2}", None, "AC", "containers"),
    (LAZY, "assert list(gen(1000)) == list(range(1000)) and gen(3) != [0, 1, 2]", None, "AC", "a generator"),
    (
        LAZY,
        "import types\ng = gen(2)\nassert isinstance(g, types.GeneratorType) and next(g) == 0",
        None,
        "AC",
        "its type",
    ),
    (LAZY, "assert next(gen(0), 'end') == 'end' and sum(gen(4)) == 6", None, "AC", "its end"),
    (LAZY, "from itertools import islice\nassert list(islice(primes(), 5)) == [2, 3, 5, 7, 11]", None, "AC", "endless"),
    (LAZY, "from itertools import islice\nassert sum(islice(lazy('count'), 500)) == 124750", None, "AC", "counting"),
    (LAZY, "assert list(primes())", None, "TLE", "an endless one to its end"),
    (
        LAZY,
        "seen = []\ntry:\n    for x in late(200): seen.append(x)\nexcept ValueError: pass\nassert len(seen) == 200",
        None,
        "AC",
        "an exception after items",
    ),
    (LAZY, "assert lazy('range') == range(3) and list(lazy('map')) == ['1']", None, "AC", "range and map"),
    (LAZY, "assert sorted(lazy('keys')) == [1] and list(lazy('items')) == [(1, 2)]", None, "AC", "views"),
    (LAZY, "a, b = lazy('pair')\nassert a == 1 and list(b) == [0, 1]", None, "AC", "a generator in a tuple"),
    (LAZY, "assert adder(2)(3) == 5 and twice(inc, 1) == 3 and twice(adder(2), 1) == 5", None, "AC", "functions"),
    (LAZY, "assert size(range(4)) == 4 and size(gen(3)) == 3", None, "AC", "a range and a generator as arguments"),
    (LAZY, "assert twice(lambda x: x, 1) == 1", None, "IE", "a lambda of the test"),
    (LAZY, "assert twice(len, 'a') == 1", None, "IE", "a builtin of the test"),
    (LAZY, "class A: pass\nassert size([A()]) == 1", None, "IE", "an object of the test"),
    (LAZY, "try: twice(len, 1)\nexcept BaseException: pass", None, "IE", "swallowed"),
    (STACK, "s = Stack()\ns.push(1).push(2)\nassert s.pop() == 2 and len(s) == 1", None, "AC", "methods"),
    (STACK, "s = Stack.of(1, 2)\nassert s.items == [1, 2] and s[0] == 1 and list(s) == [1, 2]", None, "AC", "contents"),
    (STACK, "s = Stack.of(1)\nassert str(s) == 'Stack[1]' and s and not Stack() and 1 in s", None, "AC", "as text"),
    (STACK, "assert Stack.kind == 'lifo' and isinstance(Stack(), Stack)", None, "AC", "its class"),
    (STACK, "try: Stack().pop()\nexcept IndexError: pass\nelse: assert 0", None, "AC", "a method that raises"),
    (STACK, "assert Stack().push(1).pop() == 2", None, "WA", "a wrong one"),
    (STACK, "assert not hasattr(Stack(), 'x') and hasattr(Stack(), 'push')", None, "AC", "attributes that are there"),
    (STACK, "def check(c):\n    s = c()\n    s.push(1)\n    assert s.pop() == 1", "Stack", "AC", "a class is checked"),
    (
        TREE,
        "n = chain(1, 2, 3)\nassert n.next.next.value == 3 and n.next.next.next is None",
        None,
        "AC",
        "a linked list",
    ),
    (TREE, "n = Node(1)\nn.next = Node(2)\nassert total(n) == 3 and n.next is n.next", None, "AC", "one that is built"),
    (TREE, "n = chain(1, 2)\nassert nodes(n)[1] is n.next and len(nodes(n)) == 2", None, "AC", "objects in a list"),
    (POINT, "assert norm(Point(1, -2)) == 3", None, "AC", "an object as an argument"),
    (POINT, "assert Point(1, 2) == Point(1, 2)", None, "IE", "objects are compared by the program's own word"),
    (POINT, "assert (Point(1, 2) + Point(1, 2)).x == 2", None, "IE", "and are added up"),
    (
        "class E(int):\n    def __eq__(s, o): return True\n    __lt__ = __le__ = __contains__ = __eq__\n"
        "    def __sub__(s, o): return s\n    __abs__ = lambda s: s\ndef f(x): return E()",
        "assert f(1) == 2",
        None,
        "WA",
        "an object that equals everything",
    ),
    (
        "class E:\n    def __lt__(s, o): return True\n    def __sub__(s, o): return s\n    def __abs__(s): return s\n"
        "def f(x): return E()",
        "assert abs(f(1) - 2) < 1e-6",
        None,
        "RE",
        "an object that is near everything",
    ),
    (
        "class E:\n    def __contains__(s, o): return True\n    def __iter__(s): return iter([])\ndef f(x): return E()",
        "assert 3 in f(1)",
        None,
        "WA",
        "an object that contains everything",
    ),
    (
        "class f:\n    def __init__(s, x): pass\n    def __eq__(s, o): return True",
        "assert f(1) == f(2)",
        None,
        "WA",
        "a class instead of a function",
    ),
    (
        "class Solution:\n    def f(self, x): return self",
        "assert Solution().f(1) == 1",
        None,
        "WA",
        "an object that the test made, in place of an answer",
    ),
    (
        "import os, time\ndef f(x):\n    os.write(3, b'x')\n    time.sleep(60)",
        "assert f(1) == 1",
        None,
        "TLE",
        "the beginning of an answer, and then sleep",
    ),
    (
        "import os, struct, time\ndef f(x):\n    os.write(3, (struct.pack('!I', 5) + b'V\\0\\0\\0\\0') * 9)\n"
        "    time.sleep(60)",
        "for _ in range(50):\n    try: f(1)\n    except Exception: pass\nassert 0",
        None,
        "OLE",
        "answers ahead, and then sleep",
    ),
    (
        "import time\ndef f(x): time.sleep(x); return x",
        "import signal\ndef late(*_): raise TimeoutError\nsignal.signal(signal.SIGALRM, late)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.2)\ntry: f(1)\nexcept TimeoutError: pass\nassert f(0) == 0",
        None,
        "RE",
        "the test stops waiting",
    ),
    ("def f(x): return object()", "assert f(1) == 1", None, "WA", "an object that says nothing"),
    ("def f(x): return x", "for i in range(3 * 10**7): pass\nassert f(1) == 1", None, "AC", "the test takes its time"),
    (SLEEP, "import time\ntime.sleep(4)\nassert f(1) == 1", None, "AC", "the test sleeps longer than the program may"),
    (SLEEP, "assert late(60) == 60", None, "TLE", "the program sleeps"),
    (SLEEP, "assert [late(1) for _ in range(60)]", None, "TLE", "it sleeps in each of many calls"),
    ("def f(x): return x", "print('x' * 10**7)\nassert f(1) == 1", None, "AC", "the test prints much"),
    ("def f(x): return x", "x = bytearray(500 << 20)\nassert f(1) == 1", None, "AC", "the test takes much memory"),
    ("def f(x): return x", "assert f(1) == 1\nraise SystemExit", None, "AC", "the test exits"),
    ("def f(x): return x", "assert f(1) == 1\nraise SystemExit(1)", None, "RE", "the test exits with an error"),
    ("def f(x): return 1", "assert 1 == 1", None, "IE", "the program is never asked"),
    ("def f(x): return 1", "def check(c): pass", "f", "IE", "the check checks nothing"),
    ("def f(x): return 'x' * len(x)", "assert f(f('x' * (70 << 20)))", None, "RE", "a record that is too large"),
]


@pytest.mark.parametrize("row", ROWS, ids=[row[-1] for row in ROWS])
def test_a_program_is_judged_as_if_the_assertions_stood_in_it(
    sandbox: Sandbox, row: tuple[str, str, str | None, str, str]
):
    source, code, entry, expected, why = row
    found = sandbox.judge(Program(source), [AssertCase(code, entry)], LIMITS)
    assert found.verdict.code == expected, (why, found)
    assert found.tampering == "out_of_process"
    assert expected != "IE" or "use same_process" in found.note or "asking" in found.note


def test_what_is_too_large_for_a_record_is_said(sandbox: Sandbox):
    source = "import os, struct\nos.write(3, struct.pack('!I', 1 << 30))\ndef f(x): return x"
    assert "64 MiB" in sandbox.judge(Program(source), [AssertCase("assert f(1)")], LIMITS).note


EMPTY = [
    ("", None, "asserts nothing"),
    ("# later", None, "asserts nothing"),
    ("assert f(1) ==", None, "do not compile"),
    ("assert f(1)\0", None, "do not compile"),
    ("assert f(1)", "f", "defines check"),
    ("def check(c): assert c(1)", None, "entry_point"),
    ("def test_f():\n    assert f(1) == 1", None, "ever called"),
    ("class T:\n    def test_f(self): assert f(1)", None, "ever called"),
    ("x = 1", None, "ever called"),
]


@pytest.mark.parametrize("same_process", [False, True])
@pytest.mark.parametrize(("code", "entry", "said"), EMPTY)
def test_assertions_that_assert_nothing_are_an_error(
    sandbox: Sandbox, code: str, entry: str | None, said: str, same_process: bool
):
    with pytest.raises(ValueError, match=said):
        sandbox.judge(Program("def f(x): return x"), [AssertCase(code, entry, same_process)], LIMITS)


FULL = [
    ("assert f(1)", None),
    ("def check(c): assert c(1)", "f"),
    ("def check(c): assert c(1)\ncheck(f)", None),
    ("if True:\n    def check(c): assert c(1)", "f"),
    ("check = lambda c: c(1)", "f"),
    ("def test_f():\n    assert f(1)\ntest_f()", None),
    ("for test in [1]: assert f(test)", None),
    ("if f(1) != 1: raise AssertionError", None),
]


@pytest.mark.parametrize(("code", "entry"), FULL)
def test_assertions_that_assert_something_are_none(code: str, entry: str | None):
    check_assertions(AssertCase(code, entry))


HEAD = "import unittest\nfrom unittest import TestCase\n"
RIGHT, WRONG = "def f(x): return x + 1", "def f(x): return x"
A = "    def test_a(self): self.assertEqual(f(1), 2)\n"
OK = "    def test_ok(self): pass\n"
# (suite, tests that are certain)
SUITES: list[tuple[str, set[str], str]] = [
    ("class M:\n" + A + "class T(M, TestCase): pass\n", {"T.test_a"}, "a base that is no TestCase"),
    ("class T(TestCase):\n" + A + "    test_b = test_a\n", {"T.test_a"}, "another name for a test"),
    ("class T(TestCase):\n" + OK + "class T(TestCase):\n" + A, set(), "a class that is defined again"),
    ("class T(TestCase):\n" + A + "    @unittest.skip('')\n    def test_b(self): pass\n", {"T.test_a"}, "one skipped"),
    ("class T(TestCase):\n" + A + "@unittest.skipIf(True, '')\nclass U(TestCase):\n" + OK, {"T.test_a"}, "a class"),
    ("if True:\n    class T(TestCase):\n" + A.replace("    ", "        "), set(), "a class in a condition"),
    ("class B(TestCase):\n" + A + "class T(B):\n" + OK, {"B.test_a", "T.test_a", "T.test_ok"}, "an inherited test"),
    ("class B(TestCase):\n" + A + "class T(B):\n    test_a = None\n" + OK, {"B.test_a", "T.test_ok"}, "one dropped"),
    ("class T(TestCase):\n    def test_a(self):\n        for x in 1, 2:\n            with self.subTest(x):\n"
     "                self.assertEqual(f(x), x + 1)\n", {"T.test_a"}, "parts of tests"),
    ("class T(unittest.IsolatedAsyncioTestCase):\n    async def test_a(self): self.assertEqual(f(1), 2)\n",
     {"T.test_a"},
     "a test that awaits"),
]  # fmt: skip


@pytest.mark.parametrize(("suite", "certain", "why"), SUITES, ids=[why for _, _, why in SUITES])
def test_a_suite_written_as_people_write_them_passes_who_is_right_and_fails_who_is_wrong(
    sandbox: Sandbox, suite: str, certain: set[str], why: str
):
    test = UnittestCase(HEAD + suite)
    assert suite_tests(test).certain == certain
    codes = [sandbox.judge(Program(source), [test], LIMITS).verdict.code for source in (RIGHT, WRONG)]
    assert codes == ["AC", "WA"], why


SKIPPING = "class T(TestCase):\n    def test_a(self):\n        f(1)\n        self.assertEqual(f(1), 2)\n"
TAMPERING: list[tuple[str, str, str, str]] = [
    ("import unittest\ndef f(x): raise unittest.SkipTest", SKIPPING, "WA", "a test that the program skips"),
    (RIGHT, "class T(TestCase):\n    @unittest.skip('')\n    def test_a(self): pass\n", "WA", "all tests skipped"),
    (
        "import unittest\nunittest.TestCase.assertEqual = lambda *_: None\n" + WRONG,
        "class T(TestCase):\n" + A,
        "WA",
        "a check that is put aside",
    ),
    (
        "import unittest\nunittest.TestResult.addFailure = lambda *_: None\n" + WRONG,
        "class T(TestCase):\n" + A,
        "WA",
        "a failure that is not counted",
    ),
    (
        "import unittest\nunittest.TestLoader.getTestCaseNames = lambda *_: []\n" + WRONG,
        "class T(TestCase):\n" + A,
        "WA",
        "tests that are not found",
    ),
]


@pytest.mark.parametrize(("source", "suite", "code", "why"), TAMPERING, ids=[row[-1] for row in TAMPERING])
def test_plain_tricks_with_unittest_do_not_help(sandbox: Sandbox, source: str, suite: str, code: str, why: str):
    found: Judgement = sandbox.judge(Program(source), [UnittestCase(HEAD + suite)], LIMITS)
    assert found.verdict.code == code, (why, found)


@pytest.mark.parametrize(
    "code", ["", "x =", "import unittest", "class T:\n    def best(self): pass", "def test_a(): pass"]
)
def test_a_suite_without_tests_is_an_error(code: str):
    with pytest.raises(ValueError, match=r"compile|would accept every program"):
        suite_tests(UnittestCase(code))


def test_a_call_of_a_large_argument_is_said_before_anything_runs(sandbox: Sandbox):
    from sandboxes import CallCase

    arguments: Any = ("x" * (65 << 20),)
    with pytest.raises(ValueError, match="takes more than"):
        sandbox.judge(Program(RIGHT), [CallCase("f", arguments, 1)], LIMITS)
