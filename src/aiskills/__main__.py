"""`python -m aiskills` does what `aiskills` does."""

from aiskills.cli import main

main()
