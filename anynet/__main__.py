"""``python -m anynet``."""

from anynet.app.cli import main

main()
