"""Weighting strategies: what each source's value counts for, by task."""

from mars.weighting.protocol import Weighting
from mars.weighting.static import StaticWeighting

__all__ = ["StaticWeighting", "Weighting"]
