"""Fuzz the math verifier with coverage feedback: `python benchmarks/fuzz_math.py [-runs=N] [-max_total_time=SECONDS]`.

It takes `pip install atheris`, which is no dependency. A text is a reference and an answer; whatever makes the verifier
fail, take longer than a second, or accept an answer and not itself ends the run and is written to a file. What was
found so far is in `tests/mars/symbolic/test_safety.py`.
"""

from __future__ import annotations

import importlib
import sys

MOST_SECONDS = 1.0


def main() -> int:
    """Run until the fuzzer is told to stop, or finds something."""
    try:
        atheris = importlib.import_module("atheris")
    except ImportError:
        print("benchmarks/fuzz_math.py: atheris is not installed: pip install atheris", file=sys.stderr)
        return 2
    with atheris.instrument_imports(include=["mars.symbolic"]):
        from mars.symbolic import verify
        from mars.types import Status

    def one(data: bytes) -> None:
        texts = atheris.FuzzedDataProvider(data)
        reference = texts.ConsumeUnicode(texts.ConsumeIntInRange(0, 200))
        answer = texts.ConsumeUnicode(400)
        for pair in ((reference, answer), (answer, answer), (reference, f"\\boxed{{{answer}}}")):
            verdict = verify(*pair)
            assert verdict.status is not Status.ERROR, (pair, verdict.reason)
            assert verdict.seconds < MOST_SECONDS, (pair, verdict.seconds)

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
