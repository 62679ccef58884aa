"""Read what benchmark_model prints.

parse.py puts together what latencies.py, profile.py and delegates.py find in the lines of lines.py;
complaints.py says what speaks against a log.
"""
