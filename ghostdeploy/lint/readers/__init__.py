"""Model files as neutral graphs: one reader a format, weights left behind."""
