"""No text that a model can write may stop, crash or fool the verifier, wherever it is called from."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mars.symbolic.lexer import Unreadable
from mars.symbolic.parser import parse
from mars.symbolic.policy import MATH, PROFILES
from mars.symbolic.types import Verdict
from mars.symbolic.verify import verify
from mars.types import Status

ROOT = Path(__file__).parents[3]
MEGABYTE = 1_000_000
# A guard against hanging, not a measure of speed: the process ends with a dump of where it hung.
pytestmark = pytest.mark.timeout(240, method="thread")


def nested(opening: str, inside: str, closing: str, depth: int) -> str:
    return opening * depth + inside + closing * depth


def listed(count: int, item: str) -> str:
    return ",".join(item.replace("#", str(index)) for index in range(count))


MATRIX = r"\begin{pmatrix}" + r"\\".join(["&".join(["1"] * 60)] * 60) + r"\end{pmatrix}"

BOMBS = {
    # numbers that no memory holds
    "power tower": "9^{9^{9^{9}}}",
    "flat power tower": "9^9^9^9^9^9",
    "tower just beyond a float": nested("2^{", "2", "}", 6),
    "power tower of a thousand": nested("2^{", "2", "}", 1000),
    "power with a huge exponent": "10^{10^{8}}",
    "power with a huge negative exponent": "10^{-999999999}",
    "power of a sum": "(1+10^{-1000})^{10^{1000}}",
    "imaginary tower": "i^{i^{i^{i}}}",
    "exponential tower": "e^{e^{e^{e^{e^{e}}}}}",
    "scientific notation": "1e999999999",
    "list of powers": listed(1000, "3^{9999}"),
    "product of powers": "*".join(["3^{9999}"] * 1000),
    "factorial of a billion": "(10^9)!",
    "nested factorials": "((((9!)!)!)!)!",
    "repeated factorial signs": "9" + "!" * 1000,
    "product of factorials": "*".join(["999!"] * 1000),
    "binomial": r"\binom{10^7}{5\cdot10^6}",
    "binomial of towers": r"\binom{9^{9^9}}{9^{9^8}}",
    "gamma": r"\Gamma(10^{100})",
    "base of a huge digit string": "1" * 10_000 + "_{2}",
    "modular power": r"7^{10^{100}} \bmod 10",
    "floor of a tower": r"\lfloor 10^{10^{10}}\rfloor",
    "root of a huge degree": r"\sqrt[10^9]{2}",
    "cancellation of huge numbers": r"\sqrt{10^{5000}+1}-\sqrt{10^{5000}}",
    "digits": "9" * MEGABYTE,
    "digits behind the point": "0." + "3" * MEGABYTE,
    "digits over digits": "9" * 9000 + "/" + "7" * 9000,
    "repeating digits": r"0.\overline{" + "3" * 9000 + "}",
    "thousands": "1" + ",000" * 5000,
    # work without end
    "long sum": r"\sum_{k=1}^{10^9}k^k",
    "nested sums": r"\sum_{k=1}^{100}" * 10 + "1",
    "long product": r"\prod_{k=1}^{10^8}k",
    "nested integrals": r"\int_0^1" * 4 + r" e^{-x^2y^2z^2w^2}\,dx\,dy\,dz\,dw",
    "wild integral": r"\int_0^{10^9}\sin(x^{10^9})\,dx",
    "nested limits": r"\lim_{x\to 0}" * 500 + "x",
    "sine of a tower": r"\sin(10^{10^{10}})",
    "pole": r"\tan(\frac{\pi}{2})",
    "polynomial of a huge degree": "(1+x)^{10^{9}}",
    "polynomial of many terms": "(x+y+z+w)^{100}",
    "product of many factors": "".join(f"(x+{index})" for index in range(1000)),
    "sum of many quotients": "+".join(rf"\frac{{1}}{{x+{index}}}" for index in range(800)),
    "sum of many roots": "+".join(rf"\sqrt{{{index}}}" for index in range(1500)),
    # depth
    "nested logs": nested(r"\log(", "2", ")", 500),
    "logs in bases": r"\log_{" * 200 + "2" + "}3" * 200,
    "nested roots": nested(r"\sqrt{", "2", "}", 2000),
    "nested radical sums": nested(r"\sqrt{2+", "2", "}", 50),
    "nested fractions": nested(r"\frac{1}{1+", "1", "}", 2000),
    "nested fractions within the limit": nested(r"\frac{1}{1+", "1", "}", 40),
    "fractions of nothing": r"\frac" * 10_000,
    "function of function": r"\sin" * 3000 + " x",
    "braces": nested("{", "1", "}", 10_000),
    "braces that never close": "{" * 10_000,
    "parentheses": nested("(", "1", ")", 10_000),
    "brackets": nested("[", "1", "]", 10_000),
    "brackets of three kinds": "([{" * 3000,
    "absolute values": nested("|", "x", "|", 5000),
    "indices": nested("x_{", "a", "}", 3000),
    "powers to the right": "x^" * 5000 + "2",
    "left and right": nested(r"\left(", "1", r"\right)", 3000),
    "left alone": r"\left" * 5000,
    "texts": nested(r"\text{", "a", "}", 3000),
    "boxes": nested(r"\boxed{", "1", "}", 3000),
    "matrices": nested(r"\begin{pmatrix}", "1", r"\end{pmatrix}", 500),
    "environments": r"\begin{" * 5000,
    # breadth
    "matrix": MATRIX,
    "commas": "," * MEGABYTE,
    "list": "1," * (MEGABYTE // 2),
    "list of expressions": listed(1500, "x_{#}+#"),
    "set of roots": r"\{" + listed(1500, r"\sqrt{#}") + r"\}",
    "plus or minus, many": r"\pm1" * 40,
    "list of plus or minus": listed(300, r"\pm\sqrt{#}\pm x"),
    "tuple of plus or minus": "(" + listed(200, r"\pm #") + ")",
    "signs": "-" * 19_000 + "x",
    "products": "2*" * 9000 + "2",
    "equations": "x=" * 9000 + "y",
    "inequalities": "1<" * 9000 + "x",
    "system": listed(1500, "x_{#}=#"),
    "alternatives": "x or " * 3000 + "y",
    "union": r"(0,1)\cup" * 1500 + "(2,3)",
    "differences": r"\mathbb{R}\setminus" * 1500 + r"\{0\}",
    "ratio": "1:" * 9000 + "1",
    "units": "7" + " km" * 5000,
    "scales": "dozen " * 2000,
    "Chinese scales": "亿" * 5000,
    "quantifiers": r"\forall x" * 2000,
    "primes": "f" + "'" * 10_000 + "(x)",
    "spaces": " " * MEGABYTE,
    "backslashes": "\\" * 19_999,
    "a megabyte of backslashes": "\\" * MEGABYTE,
    "dollars": "$" * 19_999,
    "carets": "^" * 19_999,
    "point after a comma": "(0,112.5)",
    "alternating points and commas": "0,112.50.1,000.2",
    # characters
    "NUL": "1\x002\x00",
    "lone surrogates": "\ud800 7 \udfff",
    "right to left": "\u202e15\u202c",
    "Arabic digits": "٣٤",
    "zero width": "\u200b" * 10_000 + "7",
    "combining marks": "7" + "\u0301" * 10_000,
    # no values
    "division by zero": r"\frac{1}{0}",
    "zero to a negative power": "0^{-1}",
    "infinity less infinity": r"\infty-\infty",
    # nothing that runs
    "macro": r"\def\x{\x\x}\x",
    "file input": r"\input{/etc/passwd}",
    "format string": "%s%n{0.__class__}" * 100,
    "template": "{{7*7}}",
}


def answer(text: str) -> str:
    return rf"So the answer is \boxed{{{text}}}."


def sound(verdict: Verdict) -> bool:
    """Whether the verifier judged, or said that it cannot tell: an `error` is a fault of its own."""
    return verdict.status is (Status.UNDECIDED if verdict.equal is None else Status.OK)


def harmless(verdict: Verdict) -> bool:
    return verdict.equal is not True and sound(verdict)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_never_right(name: str) -> None:
    assert harmless(verify("5", answer(BOMBS[name]), MATH))
    assert harmless(verify("5", BOMBS[name], MATH))


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_of_a_reference_makes_nothing_right(name: str) -> None:
    assert harmless(verify(BOMBS[name], answer("5"), MATH))


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_meets_a_bomb(name: str) -> None:
    assert harmless(verify(BOMBS[name], answer(f"5+{BOMBS[name]}"), MATH))


@pytest.mark.parametrize("policy", PROFILES)
@pytest.mark.parametrize("name", ["power tower", "nested factorials", "commas", "digits", "braces", "lone surrogates"])
def test_no_policy_lets_a_bomb_through(name: str, policy: str) -> None:
    assert harmless(verify("5", answer(BOMBS[name]), PROFILES[policy]))
    assert harmless(verify("5", BOMBS[name], PROFILES[policy]))


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (listed(400, r"\sqrt{#}+x"), listed(400, r"\sqrt{#}-x"), "every pair must be tried"),
        (listed(400, "y^{#}"), listed(399, "y^{#}") + ",z", "all but one match"),
        (listed(200, "(x+1)^2"), listed(200, "x^2+2x+2"), "all alike"),
        (listed(300, r"\pm #"), listed(300, r"\pm #1"), "signs on both sides"),
        (r"\pm1" * 20, r"\mp1" * 20 + "+x", "a million combinations"),
        (r"\{" + listed(1000, "#") + r"\}", r"\{" + listed(1001, "#") + r"\}", "one element more"),
        (MATRIX, MATRIX.replace("1&", "2&", 1), "one entry differs"),
        ("x^{1000}", "x^{1001}", "polynomials of high degree"),
    ],
    ids=lambda value: value if len(value) < 40 else "",
)
def test_large_structures_on_both_sides_are_bounded(one: str, other: str, why: str) -> None:
    assert harmless(verify(one, answer(other), MATH)), why
    assert harmless(verify(other, answer(one), MATH)), why


FUZZED = [
    (r"\left", r"\right", "marks that frame nothing"),
    ("not a", "nota", "spaces part words"),
    ("No 1 2", "no 12", "and numbers"),
    (r"x \in (0,1)", r"2x \in (0,1)", "what is in the set matters"),
    (r"x \in (0,1)", r"x^2 \in (0,1)", "what is in the set matters"),
    (r"x \in (0,1)", r"9 \in (0,1)", "a number is no variable"),
    ("1 if n is even", "1 if n is odd", "conditions matter"),
    ("n if n>3", "n if n<3", "conditions matter"),
    (r"x=1 \text{ if } n \text{ is even}", r"x=1 \text{ if } n \text{ is odd}", "conditions matter"),
    (r"2k\pi, k\in\mathbb{Z}", r"2k\pi, 8k\in\mathbb{Z}", "an eighth of an integer is none"),
    ("5 hundredths", "5", "a fraction in words is no unit"),
    (r"\tan(\frac{\pi}{2})", r"\tan(\frac{\pi}{2})+5", "a pole is no number"),
]


@pytest.mark.parametrize(("one", "other", "why"), FUZZED)
def test_what_fuzzing_found_equal_is_not(one: str, other: str, why: str) -> None:
    assert harmless(verify(one, answer(other), MATH)), why
    assert harmless(verify(other, answer(one), MATH)), why


EMPTY = [
    r"\begin{cases}\end{cases}",
    r"\begin{pmatrix}\end{pmatrix}",
    r"\{\}",
    "()",
    "[]",
    r"\{ | \}",
    r"\text{}",
    "{}",
    "||",
]


@pytest.mark.parametrize("empty", EMPTY)
@pytest.mark.parametrize(
    "other", ["5", "x > 2", "(0, 1]", "1, 2", r"\{1, 2\}", "x = 1", r"\begin{pmatrix} 1 & 2 \end{pmatrix}", "no"]
)
def test_what_holds_nothing_is_never_right_and_no_fault(empty: str, other: str) -> None:
    assert harmless(verify(other, answer(empty), MATH))
    assert harmless(verify(empty, answer(other), MATH))


PAYLOADS = [
    "__import__('os').system('touch FILE')",
    "[open('FILE', 'w')]",
    "exec(\"open('FILE','w')\")",
    r"\begin{pmatrix}open('FILE','w')\end{pmatrix}",
    r"\pi*open('FILE','w').write('x')",
    r"\text{__import__('pathlib').Path('FILE').touch()}",
    "().__class__.__bases__[0].__subclasses__()",
    "f(x)=open('FILE','w')",
    "Function('open')('FILE','w')",
    "lambda: open('FILE','w')",
    "{open('FILE','w')}",
    r"\sqrt{open('FILE','w')}",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_that_a_model_writes_is_run(payload: str, tmp_path: Path) -> None:
    text = payload.replace("FILE", str(tmp_path / "made"))
    assert harmless(verify("5", answer(text), MATH))
    assert harmless(verify(r"\begin{pmatrix}5\end{pmatrix}", answer(text), MATH))
    assert sound(verify(text, answer(text), MATH))
    assert list(tmp_path.iterdir()) == []


SAMPLED = ["power tower", "nested factorials", "long sum", "nested logs", "braces", "digits", "wild integral", "boxes"]
RIGHT = [
    ("10", r"\frac{20}{2}"),
    ("x^2+2x+1", "(x+1)^2"),
    (r"\frac{\sqrt{2}}{2}", r"\frac{1}{\sqrt{2}}"),
    ("(0,1)", "0<x<1"),
]


def judged() -> list[bool | None]:
    """Right answers among bombs: a verifier that is silently off would refuse them too."""
    wrong = [verify("5", answer(BOMBS[name]), MATH) for name in SAMPLED]
    right = [verify(reference, answer(given_), MATH) for reference, given_ in RIGHT]
    return [all(map(harmless, wrong)), *(verdict.equal for verdict in right)]


def test_in_the_main_thread() -> None:
    assert judged() == [True] * (1 + len(RIGHT))


def test_in_another_thread() -> None:
    seen: list[list[bool | None]] = []
    thread = threading.Thread(target=lambda: seen.append(judged()))
    thread.start()
    thread.join()
    assert seen == [judged()]


def test_in_many_threads_at_once() -> None:
    with ThreadPoolExecutor(4) as pool:
        seen = [future.result() for future in [pool.submit(judged) for _ in range(4)]]
    assert seen == [[True] * (1 + len(RIGHT))] * 4


def test_under_asyncio() -> None:
    async def both() -> list[list[bool | None]]:
        return [judged(), await asyncio.to_thread(judged)]

    assert asyncio.run(both()) == [[True] * (1 + len(RIGHT))] * 2


def _tell(end: Connection) -> None:
    end.send(judged())


def test_after_fork() -> None:
    judged()
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    child = context.Process(target=_tell, args=(there,))
    child.start()
    there.close()
    assert here.recv() == [True] * (1 + len(RIGHT))
    child.join()
    assert child.exitcode == 0


MEASURE = """
import json, sys
from mars.symbolic.policy import MATH
from mars.symbolic.verify import verify
for bomb in json.load(sys.stdin):
    for verdict in (verify("5", "\\\\boxed{" + bomb + "}", MATH), verify(bomb, "\\\\boxed{5}", MATH)):
        assert verdict.status != "error", verdict
# The kernel's ru_maxrss remembers what this process was a fork of; this counts from its own start.
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def test_no_bomb_takes_more_than_half_a_gigabyte() -> None:
    run = subprocess.run(
        [sys.executable, "-c", MEASURE],
        input=json.dumps(list(BOMBS.values())),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < 512 * 1024  # KiB


TOKENS = (
    r"1 2 3 10 0 0.5 .5 1,000 1e5 x y n a e i \pi \infty \theta + - * / = < > \leq \ne ^ _ { } ( ) [ ] \{ "
    r"\} | , ; : ! ' . \frac \sqrt \sqrt[3] \binom \log \ln \sin \arcsin \sum \prod \int \lim \to dx \cdot "
    r"\times \pm \mp ^\circ \% \$ $ & \\ \text{cm} \text{or} \mathrm{m} km dollars % \left \right "
    r"\begin{pmatrix} \end{pmatrix} \begin{cases} \end{cases} \cup \cap \setminus \in \mathbb{R} \emptyset "
    r"\mid \overline \vec \lfloor \rfloor \ldots \forall \pmod \bmod \equiv \approx \quad ~ \boxed x_1 "
    r"f(x) f^{-1} \angle two half 三分之二 ， ① √ ² ½ ° ∞ π × − ∪ yes no 12:30 _5 \dot{3} \gcd \max "
    r"\operatorname{lcm} \displaystyle (1,2) [0,1) \{1,2\} x=1 x^2 \frac{1}{2} \sqrt{2} x>2 \log_2 "
    r"\sum_{k=1}^{5} \int_0^1 "
    "<think> </think> \u202e \x00 \ud800 option A (A)"
)
soup = st.lists(st.sampled_from(TOKENS.split()), max_size=12).map("".join) | st.lists(
    st.sampled_from(TOKENS.split()), max_size=12
).map(" ".join)


def reads(text: str) -> bool:
    try:
        parse(text)
    except Unreadable:
        return False
    return True


@settings(max_examples=300, deadline=None)
@given(soup)
@example("7=5")
def test_parsing_any_soup_ends_in_a_tree_or_a_refusal(text: str) -> None:
    assert reads(text) in (True, False)


@settings(max_examples=300, deadline=None)
@given(soup, soup)
def test_comparing_any_two_soups_ends_in_a_verdict(one: str, other: str) -> None:
    verdict = verify(one, answer(other), MATH)
    assert sound(verdict), verdict
    json.dumps(verdict.to_dict())


@settings(max_examples=300, deadline=None)
@given(soup)
def test_an_answer_that_reads_is_itself(text: str) -> None:
    verdict = verify(text, answer(text), MATH)
    assert sound(verdict), verdict
    boxed = "boxed" in text  # the reference is then what the box holds
    if verdict.extracted == text.strip() and reads(text) and verdict.stage != "extract" and not boxed:
        assert verdict.equal is not False, verdict
