"""Deciding that a model got slower: pure functions over launch latencies."""
