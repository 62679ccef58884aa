"""Statistics that bench, eval and gate share: pure functions of the standard library."""
