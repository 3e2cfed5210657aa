"""Runs the command line: ``python -m procqa``."""

from procqa.cli import main

if __name__ == "__main__":
    main()
