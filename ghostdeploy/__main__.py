"""``python -m ghostdeploy`` and the console script."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the console script. An interruption during the imports is one, too.

    A copy that lacks a package must not end with 1, which says that a check said no.
    """
    try:
        from ghostdeploy.cli.app import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    except ImportError as error:
        message = (
            f"error: ghostdeploy is not installed whole: {error}; run: pip install ghostdeploy"
        )
        sys.stderr.write(message + "\n")
        sys.exit(3)
    run()


if __name__ == "__main__":
    main()
