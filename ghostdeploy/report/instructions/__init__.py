"""Reports of the instructions that an emulated core executed; times are in the other reports."""
