"""Images as a network's input: decoding, normalization, labels and examples."""
