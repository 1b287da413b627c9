"""``python -m benchmarks.time_to_accuracy``; see `benchmarks.time_to_accuracy.command`."""

from benchmarks import common
from benchmarks.time_to_accuracy.command import main

if __name__ == "__main__":
    common.run(main)
