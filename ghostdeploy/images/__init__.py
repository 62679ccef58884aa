"""Images as a network's input: found, decoded, preprocessed, labelled; and made-up examples."""
