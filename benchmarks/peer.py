"""GhostNetV2 as others bring it to TFLite: timm's network, torch's ONNX, onnx2tf's command line.

It is imported by bars.py, not run. timm is no dependency of ours, and torchvision, which it
imports, has no build without CUDA on every platform; neither's compiled operators are needed:

    pip install --no-deps --target FOLDER timm==1.0.22 torchvision==0.28.0

The weights are our seed-0 network's: timm's has the official layout, as ours.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ghostdeploy.commands.export.network import build_network
from ghostdeploy.export.onnx2tf_worker import PLACEHOLDER
from ghostdeploy.files import write_atomic
from ghostdeploy.schema import ModelSpec

TIMM = "1.0.22"
INSTALL = f"pip install --no-deps --target FOLDER timm=={TIMM} torchvision==0.28.0"
NAMES = {1.0: "ghostnetv2_100", 1.3: "ghostnetv2_130", 1.6: "ghostnetv2_160"}
SAME = 1e-4  # of the largest logit: two torch graphs of one function and one set of weights
TIMEOUT_S = 900


@cache
def timm_from(folder: Path) -> Any:
    """Return timm from where INSTALL put it. Raises SystemExit with what to do where it is not."""
    library: Any = torch.library.Library
    operators = library("torchvision", "DEF")
    for name in ("nms", "qnms"):  # torchvision registers their shapes when it is imported
        operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    sys.path.append(str(folder))  # behind our own packages
    try:
        import timm
    except ImportError as error:
        raise SystemExit(f"{error}; run: {INSTALL}, then give --timm FOLDER") from error
    timm.operators = operators  # they end with the object
    return timm


def peer_network(spec: ModelSpec, folder: Path) -> Any:
    """Return timm's network with our weights.

    Raises SystemExit where it is not the same function.
    """
    if spec.width not in NAMES:
        raise SystemExit(f"timm has GhostNetV2 in {', '.join(map(str, NAMES))}, not {spec.width}")
    ours = build_network(spec, None, 0)
    theirs = timm_from(folder).create_model(NAMES[spec.width]).eval()
    theirs.load_state_dict(ours.state_dict())
    image = torch.randn(1, 3, *spec.resolution, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        wanted, got = ours(image), theirs(image)
    if (wanted - got).abs().max() > SAME * wanted.abs().max():
        raise SystemExit(f"timm's {NAMES[spec.width]} is another function than {spec.name}")
    return theirs


def peer_file(spec: ModelSpec, folder: Path, path: Path) -> None:
    """Write what ``onnx2tf -i peer.onnx`` makes of timm's network.

    Raises RuntimeError with its last words.
    """
    network = peer_network(spec, folder)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        # Else it would be fetched from the web; only onnx2tf's own quantizer reads the values.
        np.save(place / PLACEHOLDER, np.zeros((20, 128, 128, 3), np.float32))
        image = torch.zeros(1, 3, *spec.resolution)
        torch.onnx.export(network, (image,), place / "peer.onnx", dynamo=True, verbose=False)
        command = Path(sys.executable).with_name("onnx2tf")
        done = subprocess.run(
            [command, "-i", "peer.onnx", "-o", "out"],
            cwd=place,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_S,
        )
        made = place / "out" / "peer_float32.tflite"
        if done.returncode != 0 or not made.exists():
            raise RuntimeError(f"onnx2tf failed: {done.stdout[-500:].decode(errors='replace')}")
        write_atomic(path, made.read_bytes())
