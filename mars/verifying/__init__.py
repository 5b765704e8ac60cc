"""Verdicts on answers: one pair explained, whole files, and references checked against themselves."""

from mars.verifying.files import Counts, SelfCheck, self_check, verify_file
from mars.verifying.verifier import Verifier, verify

__all__ = ["Counts", "SelfCheck", "Verifier", "self_check", "verify", "verify_file"]
