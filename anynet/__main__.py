"""``python -m anynet``."""

from anynet.cli import main

main()
