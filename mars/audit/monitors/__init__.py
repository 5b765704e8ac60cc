"""Monitors: what a run looks like from the side while a reward drives it, and when to be alarmed."""

from mars.audit.monitors.options import DriftOptions, Options, RunningOptions
from mars.audit.monitors.registry import Forgetful, monitor
from mars.audit.monitors.settings import MonitorSettings
from mars.audit.monitors.types import Action, Alarm, Monitor, Reading, Scene, Seen, Step
from mars.audit.monitors.watch import Watch

__all__ = [
    "Action",
    "Alarm",
    "DriftOptions",
    "Forgetful",
    "Monitor",
    "MonitorSettings",
    "Options",
    "Reading",
    "RunningOptions",
    "Scene",
    "Seen",
    "Step",
    "Watch",
    "monitor",
]
