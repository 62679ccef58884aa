"""Every click command, a file for each kind. The only place that prints or exits.

A command is a frozen dataclass of its arguments (``options.arguments``) and a function of one such
value: it builds the request that the command's function in ``ghostdeploy.commands`` takes, and
prints what comes back. What a command needs is imported when it runs: importing everything would
make ``ghostdeploy --help`` several times slower.
"""
