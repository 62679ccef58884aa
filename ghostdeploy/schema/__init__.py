"""The frozen dataclasses that everything in ghostdeploy speaks, by subject.

Units are suffixes: ``_ms``, ``_s``, ``_mb`` (10⁶ bytes), ``_c`` (°C), ``_khz``. A field that
could not be read is None, never 0.
"""

from ghostdeploy.schema.artifact import Artifact, Parity
from ghostdeploy.schema.comparison import Comparison, InstructionComparison
from ghostdeploy.schema.device import CoreCluster, DeviceIdentity, DeviceState
from ghostdeploy.schema.foreign import ForeignSpec, InputSpec
from ghostdeploy.schema.graph import Finding, GraphReport, Partitions
from ghostdeploy.schema.interval import Interval
from ghostdeploy.schema.launch import Instructions, LatencySummary, Launch, OpInstructions, OpTime
from ghostdeploy.schema.model import (
    MAX_SIDE,
    MAX_WIDTH,
    MIN_SIDE,
    MIN_WIDTH,
    ExportOptions,
    ModelSpec,
)
from ghostdeploy.schema.normalization import Normalization
from ghostdeploy.schema.params import AUTO, BenchParams, InputShape, PhoneParams
from ghostdeploy.schema.quantization import (
    Calibration,
    ConcatenationScales,
    FloatCost,
    LayerError,
    Quantization,
    QuantizationError,
)
from ghostdeploy.schema.record import SCHEMA, BenchRecord, Evidence, OutputCheck

__all__ = [
    "AUTO",
    "MAX_SIDE",
    "MAX_WIDTH",
    "MIN_SIDE",
    "MIN_WIDTH",
    "SCHEMA",
    "Artifact",
    "BenchParams",
    "BenchRecord",
    "Calibration",
    "Comparison",
    "ConcatenationScales",
    "CoreCluster",
    "DeviceIdentity",
    "DeviceState",
    "Evidence",
    "ExportOptions",
    "Finding",
    "FloatCost",
    "ForeignSpec",
    "GraphReport",
    "InputShape",
    "InputSpec",
    "InstructionComparison",
    "Instructions",
    "Interval",
    "LatencySummary",
    "Launch",
    "LayerError",
    "ModelSpec",
    "Normalization",
    "OpInstructions",
    "OpTime",
    "OutputCheck",
    "Parity",
    "Partitions",
    "PhoneParams",
    "Quantization",
    "QuantizationError",
]
