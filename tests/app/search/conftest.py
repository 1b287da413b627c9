"""Processes that work on searches."""

import multiprocessing
import os
import sys

import pytest


@pytest.fixture(scope="module")
def forking():
    """Processes that need not import anything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["search_worker"])
    with pytest.MonkeyPatch.context() as patch:  # the server has no other way to find it
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        context.Process(target=int).start()
    return context
