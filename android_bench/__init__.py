"""The device side of a latency measurement: launch TFLite's benchmark_model and read its log.

Standard library only, so that it runs wherever Python does; it knows nothing of ghostdeploy.
"""
