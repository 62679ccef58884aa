"""``ghostdeploy verify``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ghostdeploy.cli.options.arguments import (
    argument,
    command,
    group,
    json_flag,
    option,
    pass_arguments,
)
from ghostdeploy.cli.options.completions import (
    complete_model_files,
    complete_models,
    complete_precisions,
)
from ghostdeploy.cli.options.network import NetworkArguments
from ghostdeploy.cli.options.pixels import PixelArguments
from ghostdeploy.cli.terminal import emit_json, say, show
from ghostdeploy.errors import CheckFailed

if TYPE_CHECKING:
    from ghostdeploy.commands.verify import Verification, VerifyRequest


@dataclass(frozen=True)
class VerifyArguments:
    """The arguments of ``ghostdeploy verify``."""

    file: Path = argument(type=Path, shell_complete=complete_model_files)
    model: str | None = option(
        "--model",
        shell_complete=complete_models,
        metavar="MODEL",
        help="The network that FILE is, where the file does not say so itself.",
    )
    network: NetworkArguments = group(NetworkArguments)
    pixels: PixelArguments = group(PixelArguments)
    precision: str = option(
        "--precision",
        shell_complete=complete_precisions,
        default="",
        help="With --model, the precision of FILE; what the file itself tells by default.",
    )
    layers: bool = option("--layers", is_flag=True, help="Print every inner tensor's difference.")
    as_json: bool = json_flag()

    def request(self) -> VerifyRequest:
        """Return the request. Raises UsageError for values that make no sense."""
        from ghostdeploy.commands.targets import parse_network
        from ghostdeploy.commands.verify import VerifyRequest

        network = self.network
        defaults = network.defaults_for(self.pixels.normalization)
        spec = parse_network(self.model, defaults) if self.model else None
        return VerifyRequest(self.file, network.checkpoint, spec, self.precision, network.seed)


@command()
@pass_arguments(VerifyArguments)
def verify(arguments: VerifyArguments) -> None:
    """Compare FILE with its torch network again, layer by layer."""
    from ghostdeploy.commands.verify import verify as verify_file

    found = verify_file(arguments.request())
    from ghostdeploy.commands.proof import describe_parity  # needs what verify found installed

    if arguments.as_json:
        emit_json({"parity": asdict(found.parity), "layers": found.layers})
    elif arguments.layers:
        _show_layers(found)
    told = describe_parity(found.parity, found.layers, found.truth, found.lines)
    text = f"{arguments.file}: {told}"
    if not found.parity.passed:
        raise CheckFailed(text)
    if not arguments.as_json:
        say(text)


def _show_layers(found: Verification) -> None:
    from rich.text import Text

    from ghostdeploy.report.parts.layout import BAD, hang, safe

    limit = found.parity.tolerance_layer_rel_l2
    for name, error in found.layers.items():
        mark, style = (" ", "") if error <= limit else ("✗", BAD)
        show(hang(Text(f"{mark} {error:8.1e}  ", style), safe(name, style)))
