"""``python -m ftbridge``."""

from ftbridge.cli import main

main()
