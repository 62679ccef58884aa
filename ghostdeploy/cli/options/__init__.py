"""The options of the commands, a file for each subject."""
