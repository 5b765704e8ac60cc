"""Auditing verifiers on labelled answers: how often they are right, how long they take, and where they are wrong."""

from mars.audit.auditing import Audit, audit
from mars.audit.measures import Item, Measures, Trial

__all__ = ["Audit", "Item", "Measures", "Trial", "audit"]
