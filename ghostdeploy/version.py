"""The version of ghostdeploy."""

__version__ = "0.1.0"
