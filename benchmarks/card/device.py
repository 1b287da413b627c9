"""Check that a backend can be used here and print its device: ``python -m benchmarks.card.device BACKEND``."""

import sys

import anynet as an

if __name__ == "__main__":
    try:
        print(an.backend(sys.argv[1]))
    except an.BackendError as error:
        sys.exit(f"{error}")
