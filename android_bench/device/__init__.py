"""Find out through any shell what a device is, what state it is in, and whether it may be measured.

identity.py and state.py read it all in a round trip each, from cores.py, clusters.py, cpufreq.py,
thermal.py and values.py. affinity.py pins to CPUs and reads back; cooldown.py waits until the
device is fit, by workload.py where it tells no heat; settings.py changes and restores settings;
evidence.py says what speaks against a launch.
"""
