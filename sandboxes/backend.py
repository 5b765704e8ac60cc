"""What every backend can do: run one job, or two that talk with each other. Verdicts are made elsewhere."""

from __future__ import annotations

from typing import Protocol

from sandboxes.types import Job, Outcome


class Backend(Protocol):
    """Runs jobs and tells the facts. It never sees an expected output.

    Attributes:
        name: What results call it: "local", "docker", "remote", "unsafe-subprocess".
        isolation: What holds a program: "namespaces", "container", "remote" or "none".
        workers: How many jobs run at once; further callers wait, and their waiting is no part of any measurement.
    """

    name: str
    isolation: str
    workers: int

    def run(self, job: Job) -> Outcome:
        """Run one job, from any thread; block until it ended and nothing of it is left.

        Raises:
            InternalError: The sandbox failed; it says nothing of the program.
        """
        ...

    def converse(self, job: Job, examiner: Job) -> tuple[Outcome, Outcome]:
        """Run two jobs in two sandboxes with their channels connected: what one writes, the other reads.

        Raises:
            InternalError: The sandbox failed.
            SandboxUnavailable: This backend has no channel between programs.
        """
        ...

    def toolchain(self, command: str) -> str | None:
        """The path of a compiler or interpreter where programs run, or None when it is not installed there."""
        ...

    def close(self) -> None:
        """End every worker and leave nothing behind. Running jobs raise `InternalError`."""
        ...
