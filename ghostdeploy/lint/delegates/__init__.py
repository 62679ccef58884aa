"""What the delegates of TFLite take, and into which partitions a graph falls by it."""
