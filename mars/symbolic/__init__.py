"""The engine of the reward source `math`: extract → normalize → parse → compare."""

from __future__ import annotations

from mars.symbolic.policy import MATH, PROFILES, Policy
from mars.symbolic.types import Extraction, Verdict
from mars.symbolic.verify import verify

__all__ = ["MATH", "PROFILES", "Extraction", "Policy", "Verdict", "verify"]
