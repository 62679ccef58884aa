"""``python -m ghostdeploy`` and the console script."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the console script. An interruption during the imports is one, too."""
    try:
        from ghostdeploy.cli.app import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
