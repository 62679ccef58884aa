"""The rules: one file each, listed in ``ghostdeploy.linting.RULES``."""
