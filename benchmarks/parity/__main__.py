"""``python -m benchmarks.parity``; see `benchmarks.parity.command`."""

from benchmarks import common
from benchmarks.parity.command import main

if __name__ == "__main__":
    common.run(main)
