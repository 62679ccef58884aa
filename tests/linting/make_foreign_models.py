"""Model files that other converters make: ground truth that is not ours.

``python tests/linting/make_foreign_models.py`` writes tests/linting/foreign_models again, gzipped;
TensorFlow 2.19.0 made what is there. It takes minutes, and the tests read what it made. The weights
are all alike, so that the files are small: the linter looks at what they belong to.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).with_name("foreign_models")

# application, side, whether the batch is left free, options, precisions
APPLICATIONS = {
    "mobilenetv2": ("MobileNetV2", 96, True, {"alpha": 0.35}, ("fp32", "dynamic", "int8")),
    "mobilenetv3small": ("MobileNetV3Small", 64, False, {"alpha": 0.75}, ("fp32", "int8")),
    "mobilenetv3large": ("MobileNetV3Large", 64, False, {"alpha": 0.75}, ("dynamic",)),
    "efficientnetb0": ("EfficientNetB0", 64, True, {"include_top": False}, ("int8",)),
    "nasnetmobile": ("NASNetMobile", 64, False, {"include_top": False}, ("fp32",)),
}


def main(folder: Path) -> None:
    import tf_keras

    write(folder / "padded_fp32.tflite", padded(tf_keras), (1, 32, 32, 3), "fp32")
    for name, (application, side, free, options, precisions) in APPLICATIONS.items():
        build = getattr(tf_keras.applications, application)
        network = build(weights=None, input_shape=(side, side, 3), **options)
        shape = (None if free else 1, side, side, 3)
        for precision in precisions:
            write(folder / f"{name}_{precision}.tflite", network, shape, precision)


def padded(keras):
    """Explicit zero padding of three kinds: SAME's own, what SAME does not do, a max pool's."""
    layers = keras.layers
    image = keras.Input((32, 32, 3), batch_size=1)
    x = layers.ZeroPadding2D(((0, 1), (0, 1)), name="foldable_pad")(image)
    x = layers.Conv2D(8, 3, strides=2, activation="relu")(x)
    x = layers.ZeroPadding2D(((1, 1), (1, 1)), name="needed_pad")(x)
    x = layers.Conv2D(8, 3, strides=2, activation="relu")(x)
    x = layers.ZeroPadding2D(((0, 1), (0, 1)), name="pool_pad")(x)
    return keras.Model(image, layers.MaxPool2D(3, 2)(x))


def write(path: Path, network, shape: tuple[int | None, ...], precision: str) -> None:
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2 as frozen,
    )

    signature = [tf.TensorSpec(shape, tf.float32, name="image")]
    network.set_weights([even(weights) for weights in network.get_weights()])
    network.trainable = False
    concrete = tf.function(network, input_signature=signature).get_concrete_function()
    # Frozen first, the converter takes a twentieth of the time.
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen(concrete)])
    if precision != "fp32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "int8":
        image = np.random.RandomState(0).uniform(0, 1, (1, *shape[1:])).astype(np.float32)
        converter.representative_dataset = lambda: [[image]]
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(converter.convert(), 9, mtime=0))


def even(weights: np.ndarray) -> np.ndarray:
    """One value for all: a kernel's such that what it gives is about as large as what it takes."""
    taken = np.prod(weights.shape[:-1]) if weights.ndim > 1 else 1
    return np.full(weights.shape, 0.5 / np.sqrt(max(1, taken)), weights.dtype)


if __name__ == "__main__":
    main(FOLDER)
