"""Measure a latency on a device: launch TFLite's benchmark_model there and read its log.

Which folder answers which question, each built on those after it:

session/  How does one process use one phone, from the lock to the last setting put back?
program/  Which benchmark_model is it, where does it come from, and what is its command line?
device/   What is this device, what state is it in, and what speaks against a launch?
adb/      How does a command or file get to the phone, and what if the phone vanishes?
log/      What did the program's output say?
errors.py What can go wrong?

Standard library only, so that it runs wherever Python does; it knows nothing of ghostdeploy.
"""
