"""``ghostdeploy export``: build, lower, lint, prove, write."""

from ghostdeploy.commands.export.request import ExportRequest, ExportResult, form_of
from ghostdeploy.commands.export.run import export

__all__ = ["ExportRequest", "ExportResult", "export", "form_of"]
