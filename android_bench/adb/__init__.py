"""One phone over the adb program: its connection, commands, files, runs and lock."""
