"""Mixed precision: which blocks stay in float so that the output is good enough."""

from __future__ import annotations

from ghostdeploy.commands.quantize.maker import Maker, Quantized
from ghostdeploy.errors import ConversionError
from ghostdeploy.progress import Progress


def auto_mixed(made: Maker, target_db: float, progress: Progress) -> Quantized:
    """Keep blocks in float, the most helpful first, until the output's SNR is ``target_db``.

    How helpful a block is, is measured: one at a time in float, all others quantized.
    Raises ConversionError where all of them do not suffice.
    """
    result = made.make(made.options.keep_float)
    if _snr(result) >= target_db:
        return result
    kept, blocks = made.options.keep_float, blocks_of(made.model)
    progress(0, 2, f"output SNR {_snr(result):.1f} dB; each block in float")
    gains = dict(zip(blocks, made.snr_each([(*kept, b) for b in blocks]), strict=True))
    ranked = sorted(blocks, key=lambda block: -gains[block])
    progress(1, 2, "more and more blocks in float")
    sets = [(*kept, *ranked[:count]) for count in range(1, len(ranked) + 1)]
    reached = made.snr_each(sets)
    for keep, snr in zip(sets, reached, strict=True):
        if snr >= target_db:
            return made.make(keep)
    raise ConversionError(
        f"an output SNR of {target_db:g} dB is out of reach: with every block in float it is"
        f" {reached[-1]:.1f} dB; use --precision fp16"
    )


def _snr(made: Quantized) -> float:
    assert made.quantization.error is not None
    return made.quantization.error.snr_db


def blocks_of(model: bytes) -> list[str]:
    """The parts that ``auto_mixed`` chooses from: ``conv_stem``, ``blocks.2.0``, ``classifier`` …

    In a file of others, whatever its tensors' names begin with.
    """
    from ghostdeploy import flatbuffer

    graph = flatbuffer.load(model, "the model").subgraphs[0]
    names = [(graph.tensors[op.outputs[0]].name or b"").decode() for op in graph.operators]
    modules = [name.rpartition("/")[0] or name for name in names]
    parts = [m.split(".")[: 3 if m.startswith("blocks.") else 1] for m in modules]
    return list(dict.fromkeys(".".join(part) for part in parts))
