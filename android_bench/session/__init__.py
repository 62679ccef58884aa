"""Use one phone from one process.

phone_session.py goes from the lock to the last setting put back, phone_launch.py launches one
program and judges the launch, selftest.py checks that a benchmark_model is to be trusted on the
phone.
"""
