"""The lowered graph drawn by block and partition, as one HTML page."""
