"""``python -m benchmarks.ranks``; see `benchmarks.ranks.command`."""

from benchmarks import common
from benchmarks.ranks.command import main

if __name__ == "__main__":
    common.run(main)
