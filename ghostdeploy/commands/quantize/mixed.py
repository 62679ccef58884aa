"""Mixed precision: which blocks stay in float so that the output is good enough."""

from __future__ import annotations

from ghostdeploy import flatbuffer
from ghostdeploy.commands.quantize.quantizer import TfliteQuantizer
from ghostdeploy.errors import ConversionError
from ghostdeploy.progress import Progress
from ghostdeploy.quantization import QuantizeOptions

EXACT_DB = 60.0  # an output this near fp32's is as good as the same


def choose_float_blocks(quantizer: TfliteQuantizer, progress: Progress) -> tuple[str, ...]:
    """Return the layers to keep in float: those asked for, and what the target SNR needs besides.

    How helpful a block is, is measured: one at a time in float, all others quantized. Then more
    and more of them are, the most helpful first, until the output's SNR is the target.
    Raises ConversionError where all of them do not suffice.
    """
    options = quantizer.plan.options
    kept, blocks = options.keep_float, blocks_of(quantizer.model)
    progress(0, 3, "all blocks in int8, and all in float")
    now, best = quantizer.measure_snrs([kept, (*kept, *blocks)])
    target = target_db(options, best)
    if now >= target:
        return kept
    if best < target:
        raise ConversionError(
            f"an output SNR of {target:g} dB is out of reach: with every block in float it is"
            f" {best:.1f} dB; use --precision fp16"
        )
    aim = f"output SNR {now:.1f} dB, wanted {target:.1f}"
    progress(1, 3, f"{aim}; each of {len(blocks)} blocks in float")
    alone = quantizer.measure_snrs([(*kept, block) for block in blocks])
    reached = dict(zip(blocks, alone, strict=True))
    ranked = sorted(blocks, key=lambda block: -reached[block])
    progress(2, 3, f"{aim}; more and more blocks in float")
    sets = [(*kept, *ranked[:count]) for count in range(1, len(ranked) + 1)]
    snrs = quantizer.measure_snrs(sets)
    return next(layers for layers, snr in zip(sets, snrs, strict=True) if snr >= target)


def target_db(options: QuantizeOptions, best_db: float) -> float:
    """Return the output SNR (dB) to reach, where every block in float gives ``best_db``."""
    if options.max_snr_loss is not None:
        return min(best_db, EXACT_DB) - options.max_snr_loss
    assert options.auto_mixed is not None
    return options.auto_mixed


def blocks_of(model: bytes) -> list[str]:
    """Return the parts that ``auto_mixed`` chooses from: ``conv_stem``, ``blocks.2.0``, ….

    In a file of others they are whatever its tensors' names begin with.
    """
    graph = flatbuffer.load(model, "the model").subgraphs[0]
    named = (graph.tensors[op.outputs[0]] for op in graph.operators if len(op.outputs))
    names = [flatbuffer.tensor_name(tensor) for tensor in named]
    modules = [name.rpartition("/")[0] or name for name in names]
    parts = [m.split(".")[: 3 if m.startswith("blocks.") else 1] for m in modules]
    return list(dict.fromkeys(".".join(part) for part in parts))
