"""Measuring latencies: a session under way, its records, and what they say when compared."""
