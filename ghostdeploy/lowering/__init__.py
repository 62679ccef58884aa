"""From a spec to proven model files: deploy form → ONNX → TFLite → parity → sidecar."""
