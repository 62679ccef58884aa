"""``python -m ghostdeploy`` and the console script."""

from ghostdeploy.cli import main

if __name__ == "__main__":
    main()
