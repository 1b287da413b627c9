"""``python -m benchmarks.card``; see `benchmarks.card.command`."""

import sys

try:
    from benchmarks import common
    from benchmarks.card.command import main
except ModuleNotFoundError as error:
    name = f"{error.name}".partition(".")[0]
    todo = (
        "pip install '.[app,fast]' or, without network, carry what python -m benchmarks.card --wheels lists elsewhere"
    )
    sys.exit(f"{name} is not installed here; {todo}")

if __name__ == "__main__":
    common.run(main)
