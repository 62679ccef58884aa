"""The options of the commands: a frozen dataclass and a file for each subject."""
