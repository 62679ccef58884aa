"""A stand-in for TFLite's benchmark_model that runs the model for real, on ai_edge_litert.

It takes the flags of ``flags.Flags`` and prints what the program of LiteRT 2.1.0 prints, in its
lines, streams and exit codes: the parameters that were set, failures of loading, warm-up and
regular runs, timings, memory. It needs a Python that has ai-edge-litert and numpy.

What the Python interface cannot give is not made up: with op profiling the regular runs are one
row, the whole graph; ``--xnnpack_force_fp16`` is reported, but computes in float32.

``standin.write_standin`` packs this folder into one executable file. It runs where nothing else
of ghostdeploy is, so its modules import nothing but each other.
"""
