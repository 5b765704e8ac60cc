"""The errors that the sandboxes raise on purpose. Their messages say what is wrong and what to do."""

from __future__ import annotations


class SandboxError(Exception):
    """Base of the errors of this package."""


class SandboxUnavailable(SandboxError):
    """This machine cannot run the sandbox asked for safely; the message names what is missing and how to enable it.

    Attributes:
        layer: The wall that is missing, where one is.
        why: What the kernel says of it.
    """

    def __init__(self, message: str, layer: str = "", why: str = "") -> None:
        super().__init__(message)
        self.layer = layer
        self.why = why


class ToolchainMissing(SandboxError):
    """A language's compiler or interpreter is not installed where programs run."""


class InternalError(SandboxError):
    """The sandbox itself failed during a run. It says nothing of the program; the run is tried on another worker."""
