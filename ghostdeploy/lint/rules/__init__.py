"""The rules: one file each, listed in ``ghostdeploy.lint.RULES``."""
