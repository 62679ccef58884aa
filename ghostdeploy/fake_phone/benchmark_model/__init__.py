"""A stand-in for TFLite's benchmark_model."""
