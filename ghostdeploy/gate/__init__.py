"""Deciding that a model got slower: pure functions over launch latencies.

Standard library only; no clock, no files, no device.
"""

from ghostdeploy.gate.paired import Discard, GateResult, PairedGate
from ghostdeploy.gate.policy import GatePolicy
from ghostdeploy.gate.verdict import Verdict

__all__ = ["Discard", "GatePolicy", "GateResult", "PairedGate", "Verdict"]
