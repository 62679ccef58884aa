"""One function per verb of the command line, without its options and without printing."""
