"""The special judge: a user's own program decides, in a sandbox of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sandboxes.checkers.base import Check, excerpt
from sandboxes.errors import InternalError
from sandboxes.inside.conversation import LARGEST_RECORD
from sandboxes.inside.values import Unencodable, encode
from sandboxes.languages import language
from sandboxes.types import Limits, Outcome, Program

if TYPE_CHECKING:
    from sandboxes.sandbox import Sandbox

FILES = ("input.txt", "output.txt", "answer.txt")
_PYTHON_CRASH = re.compile(rb"^(Traceback \(most recent call last\):|(Syntax|Indentation|Tab)Error: )", re.MULTILINE)


class _Failed(Exception):
    """A judge ended in no way that says anything; the message says how."""


@dataclass(frozen=True)
class Special:
    """A judge that the user wrote, as testlib's checkers are written.

    It finds the test's input, the program's output and the expected answer in its working folder as `input.txt`,
    `output.txt` and `answer.txt`, which are also its last three arguments. It ends with exit code 0 to accept and 1 to
    refuse; the first line that it writes, on standard error or else standard output, is the note. The results of calls
    come as typed JSON, with an empty input.

    However else it ends, by an exception of Python too, it is asked about the expected answer in place of the output.
    When it accepts that, it is the output that it could not read, which is refused; else it has failed itself, and
    there is no verdict. So no program can escape a wrong answer by what it writes.

    The expected answer enters the judge's sandbox, never the program's.

    Attributes:
        program: The judge.
        sandbox: Where it runs.
        limits: What it may use.
        refusals: The exit codes that refuse; (1, 2) for testlib, whose 2 says that the output is malformed.
    """

    name = "special"
    program: Program
    sandbox: Sandbox
    limits: Limits = field(default_factory=Limits)
    refusals: tuple[int, ...] = (1,)

    def compare_output(self, stdin: bytes, output: bytes, expected: bytes) -> Check:
        """Run the judge.

        Raises:
            InternalError: When the judge did not compile; or when it reached a limit, crashed, or ended with another
                exit code, and does not accept the expected answer either.
        """
        try:
            return self._ask(stdin, output, expected)
        except _Failed as failed:
            if self._can_read(stdin, expected):
                return Check(False, f"the judge could not read the output: {failed}")
            raise InternalError(f"the special judge {failed}") from failed

    def _can_read(self, stdin: bytes, expected: bytes) -> bool:
        try:
            return self._ask(stdin, expected, expected).accepted
        except _Failed:
            return False

    def _ask(self, stdin: bytes, output: bytes, expected: bytes) -> Check:
        files: dict[str, bytes] = dict(zip(FILES, (stdin, output, expected), strict=True))
        judge = replace(self.program, arguments=(*self.program.arguments, *FILES))
        try:
            run = self.sandbox.run(judge, b"", self.limits, inputs=files)
        except ValueError as error:
            raise _Failed(f"cannot be run: {error}") from error
        outcome = run.outcome
        if outcome is None or not outcome.compiled:
            facts = outcome or run.compile
            raise InternalError(f"the special judge does not compile: {excerpt(facts.stderr if facts else b'', 120)}")
        return self._read(outcome)

    def compare_values(self, value: object, expected: object) -> Check:
        """Run the judge on typed JSON.

        Raises:
            InternalError: As for `compare_output`, or when the expected value is no plain data.
        """
        try:
            answer = encode(expected, LARGEST_RECORD)
        except Unencodable as error:
            raise InternalError(f"the special judge cannot be given the expected value: {error}") from error
        try:
            output = encode(value, LARGEST_RECORD)
        except Unencodable as error:
            return Check(False, f"the judge cannot be given the value: {error}")
        return self.compare_output(b"", output, answer)

    def _read(self, outcome: Outcome) -> Check:
        said = _first_line(outcome.stderr) or _first_line(outcome.stdout)
        if outcome.ending != "exited" or outcome.exit_code is None:
            how = f"signal {outcome.signal}" if outcome.ending == "exited" else f"the {outcome.ending} limit"
            raise _Failed(f"was ended by {how}: {said}")
        if outcome.exit_code == 0:
            return Check(True, said)
        if outcome.exit_code in self.refusals and not self._crashed(outcome):
            return Check(False, said)
        raise _Failed(f"failed with exit code {outcome.exit_code}: {said}")

    def _crashed(self, outcome: Outcome) -> bool:
        """Whether Python ended with an exception: its exit code is 1, as that of a refusal."""
        python = language(self.program.language).name == "python"
        return python and _PYTHON_CRASH.search(outcome.stderr) is not None


def _first_line(text: bytes) -> str:
    line = text.strip().partition(b"\n")[0]
    return excerpt(line, 120) if line else ""
