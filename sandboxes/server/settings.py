"""What a server lets its clients ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sandboxes.languages import language
from sandboxes.server.gate import Refusal
from sandboxes.server.judge_format import LimitFields, limits_to_json
from sandboxes.types import Limits

DEFAULTS = Limits(memory_mb=1024)
CEILING = Limits(
    cpu_s=300,
    wall_s=900,
    memory_mb=8192,
    output_kb=1 << 16,
    processes=1024,
    file_mb=4096,
    disk_mb=4096,
    open_files=4096,
    stack_mb=1024,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server lets its clients ask for.

    Attributes:
        limits: What applies where a request says nothing.
        ceiling: The most that a request may ask for.
    """

    limits: Limits = DEFAULTS
    ceiling: Limits = CEILING

    def choose(self, wanted: LimitFields, defaults: Limits | None = None) -> Limits:
        """Return the limits that a request asked for, over the server's defaults or those given.

        Raises:
            Refusal: They are no limits, or above the ceiling.
        """
        try:
            limits = wanted.over(defaults or self.limits)
        except ValueError as error:
            raise Refusal(422, "invalid", str(error)) from None
        return self.check(limits)

    def for_command(self, seconds: float, memory_mb: int = -1) -> Limits:
        """Return limits for a command of SandboxFusion's, whose one time limit is by the clock.

        The clock gets a second more, so that it is CPU time that judges a program which computes.
        """
        more = {"memory_mb": memory_mb} if memory_mb > 0 else {}
        return self.check(_timed(self.limits, seconds, **more))

    def for_compiling(self, name: str, seconds: float) -> Limits:
        """Return limits for SandboxFusion's compile step of a language."""
        return self.check(_timed(language(name).compile_limits, seconds))

    def check(self, limits: Limits) -> Limits:
        """Return the limits when none is above the ceiling.

        Raises:
            Refusal: One is.
        """
        allowed = limits_to_json(self.ceiling)
        for name, asked in limits_to_json(limits).items():
            if not asked <= allowed[name]:
                detail = f"the limit {name} is {asked:g}; this server allows at most {allowed[name]:g}"
                raise Refusal(422, "above_ceiling", detail)
        return limits


def _timed(limits: Limits, seconds: float, **more: int) -> Limits:
    if not seconds > 0:
        raise Refusal(422, "invalid", f"a timeout must be above 0, not {seconds!r}")
    try:
        return replace(limits, cpu_s=seconds, wall_s=seconds + 1, **more)
    except ValueError as error:
        raise Refusal(422, "above_ceiling", str(error)) from None
