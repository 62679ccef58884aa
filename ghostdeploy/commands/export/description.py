"""What an exported file says of itself, inside and in its sidecar."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from ghostdeploy.commands.export.network import ExportableNetwork
from ghostdeploy.commands.export.request import ExportRequest
from ghostdeploy.images.normalization import describe_input
from ghostdeploy.lowering.provenance import tool_versions
from ghostdeploy.schema import Artifact, ForeignSpec, GraphReport, Parity, Quantization

if TYPE_CHECKING:
    from ghostdeploy.lowering.metadata import Description

LICENSE = "Apache-2.0"


@dataclass(frozen=True)
class ProvenFile:
    """A model file that is the torch network's function and keeps the DFC contract.

    ``rewrites`` counts what each rewrite of the graph changed.
    """

    format: str
    data: bytes
    proof: Parity
    report: GraphReport
    rewrites: dict[str, int] = field(default_factory=dict)
    quantization: Quantization | None = None


def facts_of(request: ExportRequest, weights: str) -> dict[str, str]:
    """Return what every file says of itself, without its sidecar.

    ``weights`` is their identity, ``seed:N`` or ``sha256:…``.
    """
    spec, normalization = request.found_spec, request.normalization
    export = asdict(request.export)
    labels = export.pop("labels")
    return {
        "ghostdeploy.version": tool_versions()["ghostdeploy"],
        "ghostdeploy.spec": json.dumps(asdict(spec), sort_keys=True),
        "ghostdeploy.export": json.dumps(export | {"labels": len(labels)}, sort_keys=True),
        "ghostdeploy.precision": request.precision,
        "ghostdeploy.weights": weights,
        "ghostdeploy.preprocessing": describe_input(normalization) if normalization else "unknown",
        "ghostdeploy.tools": json.dumps(tool_versions(), sort_keys=True),
    }


def tflite_description(
    request: ExportRequest, inputs: tuple[str, ...], outputs: tuple[str, ...]
) -> Description:
    """Return what TFLite's own metadata say of the file, for Android Studio and the like."""
    from ghostdeploy.lowering.metadata import Description

    spec = request.found_spec
    license, image = LICENSE, True
    if isinstance(spec, ForeignSpec):
        license, image = spec.license, spec.takes_image
    return Description(
        name=spec.name,
        version=tool_versions()["ghostdeploy"],
        license=license,
        inputs=inputs,
        outputs=outputs,
        normalization=request.normalization if image else None,
        labels=request.export.labels,
    )


def describe_artifact(
    request: ExportRequest, file: ProvenFile, network: ExportableNetwork, key: str
) -> Artifact:
    """Return the sidecar of a file of ``network`` that is about to be written.

    ``key`` is the content key.
    """
    size = network.cost
    return Artifact(
        path=request.path(file.format).name,
        sha256=hashlib.sha256(file.data).hexdigest(),
        size_bytes=len(file.data),
        format=file.format,
        precision=request.precision,
        spec=request.found_spec,
        export=request.export,
        weights=network.weights,
        content_key=key,
        tool_versions=dict(tool_versions()),
        macs=size.macs if size else None,
        params=size.params if size else None,
        op_counts=file.report.op_counts,
        rewrites=tuple(f"{name} ×{count}" for name, count in file.rewrites.items()),
        parity=(file.proof,),
        quantization=file.quantization,
    )
