"""Have a benchmark_model, and tell it what to measure.

command_line.py writes its command line, local_run.py runs it on this machine. fetch.py downloads
the published one into the cache (cache.py), install.py puts one on a phone, abi.py checks that it
fits.
"""
