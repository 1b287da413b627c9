"""A search as other processes make it: ``python search_worker.py FOLDER [GO]``, which waits for the file GO."""

import sys
import time
import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path

from matplotlib.figure import Figure

from anynet.app.config import Config
from anynet.app.search import Range, search
from anynet.app.search.stores import shared_store
from anynet.data import sources
from anynet.data.synthetic import draw

BASE = Config(data="synthetic", train="400", val="100", hidden="20", epochs=2)
SPACE = {"lr": Range(1e-3, 1e-1), "batch_size": Range(20, 100)}
TRIALS = 8
LEASE_SECONDS = 2.0


def whole(folder, trials=TRIALS, base=BASE, **options):
    return search(base, SPACE, folder, trials=trials, prune=False, **options)


def many(folder, trials, **options):
    """Search with trials that take a tenth of a second."""
    base = replace(BASE, hidden="5", epochs=8, compile="off", evaluate_train="never")
    return whole(folder, trials, base, **options)


def outcomes(trials):
    """All that does not depend on the clock."""
    return sorted(trial._replace(seconds=0) for trial in trials)


@cache
def draw_few(seed):
    return draw(seed, per_batch=100)


def wait_for(file):
    while not file.exists():
        time.sleep(0.01)


def share(folder, trials, storage, go):
    """Work on a search in a process of its own, beside others, as soon as the file is there."""
    warnings.simplefilter("ignore")
    Figure.savefig = lambda figure, file, **options: Path(file).touch()
    sources.draw = draw_few
    shared_store.LEASE_SECONDS = LEASE_SECONDS
    wait_for(go)
    many(folder, trials, storage=storage)


if __name__ == "__main__":
    sources.draw = draw_few
    folder, *go = map(Path, sys.argv[1:])
    for file in go:
        print("ready", flush=True)
        wait_for(file)
    whole(folder)
