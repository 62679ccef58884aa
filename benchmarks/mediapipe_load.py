"""Which of our files MediaPipe's ImageClassifier loads, and whether it says what LiteRT says.

Exports a small network with labels, plainly and ``--for mediapipe`` in each precision, loads every
file with the real mediapipe 1.2.2 in a throwaway environment, and prints a Markdown table: the
first class and its score in MediaPipe and in LiteRT, on one picture of the input's own size.
Run: python benchmarks/mediapipe_load.py [PYTHON] (some minutes; PYTHON is an interpreter that has
mediapipe already, else one is made with pip).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np

PACKAGE = "mediapipe==1.2.2"
SIDE, CLASSES = 96, 10
NETWORK = ("ghostnetv2", "--width", "0.2", "--num-classes", str(CLASSES), "--resolution", str(SIDE))
FORMS = (
    ("plain", ()),
    ("--for mediapipe", ("--for", "mediapipe")),
    ("--for mediapipe, fp16", ("--for", "mediapipe", "--precision", "fp16")),
    ("--for mediapipe, dynamic", ("--for", "mediapipe", "--precision", "dynamic")),
    ("--for mediapipe, int8", ("--for", "mediapipe", "--precision", "int8")),
)
LOAD = """
import json, sys
import numpy as np
import mediapipe as mp
from mediapipe.tasks.python import BaseOptions, vision
model, pixels = sys.argv[1:]
try:
    options = vision.ImageClassifierOptions(BaseOptions(model_asset_path=model), max_results=1)
    with vision.ImageClassifier.create_from_options(options) as classifier:
        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.load(pixels))
        found = classifier.classify(image).classifications[0].categories[0]
    print(json.dumps({"name": found.category_name, "index": found.index, "score": found.score}))
except Exception as error:
    print(json.dumps({"refused": f"{type(error).__name__}: {error}"[:160]}))
"""


def main(python: str | None) -> None:
    """Export, load, and print a row for each form."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = python or make_environment(folder / "venv")
        labels = folder / "labels.txt"
        labels.write_text("".join(f"thing {n}\n" for n in range(CLASSES)))
        pixels = folder / "picture.npy"
        picture = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        np.save(pixels, picture)
        print(f"| export ({PACKAGE}) | MediaPipe | LiteRT |\n|---|---|---|")
        for form, options in FORMS:
            model = export(folder / form.replace(" ", "_"), labels, options)
            theirs = load(python, model, pixels)
            ours = run_litert(model, picture) if options else "–"
            print(f"| {form} | {theirs} | {ours} |", flush=True)


def make_environment(folder: Path) -> str:
    """Make a Python environment with mediapipe, and return its interpreter."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin/python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", PACKAGE], check=True)
    return python


def export(out: Path, labels: Path, options: tuple[str, ...]) -> Path:
    """Export the network into ``out``, and return the TFLite file."""
    argv = [sys.executable, "-m", "ghostdeploy", "export", *NETWORK, "--format", "tflite"]
    argv += ["--labels", str(labels), "--out", str(out), *options]
    subprocess.run(argv, check=True, capture_output=True)
    (model,) = out.glob("*.tflite")
    return model


def load(python: str, model: Path, pixels: Path) -> str:
    """Return what ImageClassifier says of the picture, or why it refuses the file."""
    done = subprocess.run(
        [python, "-c", LOAD, str(model), str(pixels)], capture_output=True, text=True
    )
    if not done.stdout:
        return f"refused: exit code {done.returncode}"
    found = json.loads(done.stdout.splitlines()[-1])
    if "refused" in found:
        return f"refused: {found['refused']}"
    return f"{found['name']} ({found['index']}), {found['score']:.4f}"


def run_litert(model: Path, picture: np.ndarray) -> str:
    """Return the first class and its score as LiteRT computes them."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(model))
    interpreter.allocate_tensors()
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.set_tensor(taken["index"], picture[None].astype(taken["dtype"]))
    interpreter.invoke()
    scores = interpreter.get_tensor(given["index"])[0].astype(np.float64)
    scale, zero = given["quantization"]
    scores = scale * (scores - zero) if scale else scores
    best = int(scores.argmax())
    return f"{best}, {scores[best]:.4f}"


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
