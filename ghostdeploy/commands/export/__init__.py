"""``ghostdeploy export``: build, lower, lint, prove, write."""

from ghostdeploy.commands.export.pipeline import (
    ExportRequest,
    ExportResult,
    FloatForm,
    export,
    float_form,
    form_of,
    network_of,
    preprocessing_of,
    read_labels,
    sidecar,
    verdict,
    weights_id,
)

__all__ = [
    "ExportRequest",
    "ExportResult",
    "FloatForm",
    "export",
    "float_form",
    "form_of",
    "network_of",
    "preprocessing_of",
    "read_labels",
    "sidecar",
    "verdict",
    "weights_id",
]
