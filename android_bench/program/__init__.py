"""The benchmark_model program: its command line, where it is found, and how it is installed."""
