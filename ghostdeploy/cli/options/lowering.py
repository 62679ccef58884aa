"""How a network is lowered to a model file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ghostdeploy.cli.options.arguments import folder, option
from ghostdeploy.cli.options.completions import complete_precisions, complete_rewrites

if TYPE_CHECKING:
    from ghostdeploy.cli.options.calibration import CalibrationArguments
    from ghostdeploy.cli.options.network import NetworkArguments
    from ghostdeploy.commands.export import ExportRequest
    from ghostdeploy.commands.targets import Network, Target
    from ghostdeploy.schema import ExportOptions

PRECISIONS = "fp32, fp16, dynamic, int8, int8-float-io, int16x8 or int8-qdq"


@dataclass(frozen=True)
class LoweringArguments:
    """The precision, the rewrites of the TFLite graph, and where the file goes."""

    HEADING: ClassVar[str] = "Model file"

    precision: str = option(
        "--precision",
        shell_complete=complete_precisions,
        default="fp32",
        show_default=True,
        help=f"Number format of the model file: {PRECISIONS}.",
    )
    no_opt: tuple[str, ...] = option(
        "--no-opt",
        shell_complete=complete_rewrites,
        multiple=True,
        metavar="NAME",
        help="Leave out a rewrite of the TFLite graph, or all of them; docs/lowering.md lists"
        " them. May be repeated.",
    )
    opt: tuple[str, ...] = option(
        "--opt",
        shell_complete=complete_rewrites,
        multiple=True,
        metavar="NAME",
        help="Apply a rewrite for speed; fast means all that pay on every processor, all means"
        " wide-tiles too. A name goes before a word for several. May be repeated.",
    )
    out: Path = folder("--out", "models", "Folder that the model files go to.")
    force: bool = option(
        "--force", is_flag=True, help="Export again even where the same file is there already."
    )

    def request(
        self,
        spec: Network,
        network: NetworkArguments,
        formats: tuple[str, ...],
        calibration: CalibrationArguments | None = None,
        export: ExportOptions | None = None,
    ) -> ExportRequest:
        """Return the request to export ``spec``, with the weights that ``network`` names.

        Raises UsageError for an unknown precision or rewrite, or options that do not go together.
        """
        from ghostdeploy.commands.export import ExportRequest
        from ghostdeploy.lowering.rewrites import choose_form
        from ghostdeploy.quantization import QuantizeOptions
        from ghostdeploy.schema import ExportOptions

        form = choose_form(self.opt, self.no_opt)
        return ExportRequest(
            spec=spec,
            formats=formats,
            precision=self.precision,
            weights=network.checkpoint,
            seed=network.seed,
            export=replace(export or ExportOptions(), without=form.without, speed=form.speed),
            out=self.out,
            force=self.force,
            quantize=calibration.quantize_options if calibration else QuantizeOptions(),
        )

    def source(
        self,
        target: Target,
        network: NetworkArguments,
        formats: tuple[str, ...],
        calibration: CalibrationArguments | None = None,
    ) -> Path | ExportRequest:
        """Return a file as it is, or the request to export a model.

        A form that is asked for by the model's name goes before ``opt``; ``no_opt`` leaves its
        rewrites out. Raises what ``request`` raises.
        """
        from ghostdeploy.commands.targets import FormedModel
        from ghostdeploy.lowering.rewrites import form_called

        if isinstance(target, Path):
            return target
        if not isinstance(target, FormedModel):
            return self.request(target, network, formats, calibration)
        request = self.request(target.spec, network, formats, calibration)
        form = form_called(target.form, self.no_opt)
        export = replace(request.export, without=form.without, speed=form.speed)
        return replace(request, export=export)
