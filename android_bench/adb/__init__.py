"""Speak to one phone over the adb program.

client.py finds and runs adb, devices.py lists what is attached; connection.py runs commands on one
phone and waits for it, patience.py says what is done when it vanishes; transfer.py copies files;
phone.py is the Adb that callers use. runs.py keeps programs running without a connection, lock.py
keeps other processes off the phone, failures.py turns adb's words into errors.
"""
