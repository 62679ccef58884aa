"""What this machine is, what it computes, and how a launch of a model runs on it.

``machine`` reads its identity and state, ``runtimes`` lists what can run a model on it, and
``reference`` computes the outputs that other devices are compared with. A launch is a
``child_process`` that is watched for ``disturbance``: ``measuring_child`` with one of the
``openers``, or TFLite's own program (``program_launch``).
"""
