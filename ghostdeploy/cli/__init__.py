"""Every click command, a file for each kind. The only place that prints or exits."""
