"""This machine: what it is, one process on it, the runtimes that it has, and what they compute."""
