"""Deciding that a model got slower: pure functions over launch latencies.

Standard library only; no clock, no files, no device.
"""

from ghostdeploy.decision.paired import Discard, GateResult, PairedGate
from ghostdeploy.decision.policy import GatePolicy
from ghostdeploy.decision.verdict import Verdict

__all__ = ["Discard", "GatePolicy", "GateResult", "PairedGate", "Verdict"]
