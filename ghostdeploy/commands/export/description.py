"""What an exported file says of itself, inside and in its sidecar."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from ghostdeploy.commands.export.request import ExportRequest
from ghostdeploy.images.normalization import describe_input, published_normalization
from ghostdeploy.lowering.provenance import tool_versions
from ghostdeploy.schema import Artifact, GraphReport, Parity, Quantization
from ghostdeploy.zoo.cost import count_cost

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
    export = asdict(request.export)
    labels = export.pop("labels")
    return {
        "ghostdeploy.version": tool_versions()["ghostdeploy"],
        "ghostdeploy.spec": json.dumps(asdict(request.spec), sort_keys=True),
        "ghostdeploy.export": json.dumps(export | {"labels": len(labels)}, sort_keys=True),
        "ghostdeploy.precision": request.precision,
        "ghostdeploy.weights": weights,
        "ghostdeploy.preprocessing": describe_input(
            published_normalization(request.export.embed_preprocessing)
        ),
        "ghostdeploy.tools": json.dumps(tool_versions(), sort_keys=True),
    }


def tflite_description(
    request: ExportRequest, input_name: str, outputs: tuple[str, ...]
) -> Description:
    """Return what TFLite's own metadata say of the file, for Android Studio and the like."""
    from ghostdeploy.lowering.metadata import Description

    return Description(
        name=request.spec.name,
        version=tool_versions()["ghostdeploy"],
        license=LICENSE,
        input=input_name,
        outputs=outputs,
        normalized=not request.export.embed_preprocessing,
        labels=request.export.labels,
    )


def describe_artifact(request: ExportRequest, file: ProvenFile, weights: str, key: str) -> Artifact:
    """Return the sidecar of a file that is about to be written.

    ``weights`` are the weights' identity, ``key`` is the content key.
    """
    size = count_cost(request.spec, features=request.export.features)
    return Artifact(
        path=request.path(file.format).name,
        sha256=hashlib.sha256(file.data).hexdigest(),
        size_bytes=len(file.data),
        format=file.format,
        precision=request.precision,
        spec=request.spec,
        export=request.export,
        weights=weights,
        content_key=key,
        tool_versions=dict(tool_versions()),
        macs=size.macs,
        params=size.params,
        op_counts=file.report.op_counts,
        rewrites=tuple(f"{name} ×{count}" for name, count in file.rewrites.items()),
        parity=(file.proof,),
        quantization=file.quantization,
    )
