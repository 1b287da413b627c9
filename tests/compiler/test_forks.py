"""Children that are forked while another thread records or compiles a step: they do it themselves."""

import os
import threading

import numpy as np
from forks import needs_fork, status_in_child
from loops import RECORDED

from anynet.compiler.numpy import NumpyTarget

ROWS = np.arange(6.0).reshape(3, 2)


def forked_while(busy, free, loop):
    """Return the status of a child that runs a loop which a thread runs in the parent, until it is free."""

    def run():
        np.testing.assert_array_equal(loop(np.zeros(2), (), ROWS, int), [6.0, 9.0])

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert busy.wait(20)
        return status_in_child(run)
    finally:
        free.set()
        thread.join()


@needs_fork
def test_a_thread_records():
    busy, free, here = threading.Event(), threading.Event(), os.getpid()

    def step(carry, shared, row):
        if os.getpid() == here:
            busy.set()
            free.wait(20)
        return carry + row

    assert forked_while(busy, free, RECORDED.loop(step)) == 0


@needs_fork
def test_a_thread_compiles(monkeypatch):
    busy, free, here, program = threading.Event(), threading.Event(), os.getpid(), NumpyTarget.program

    def linger(self, *args, **how):
        if os.getpid() == here:
            busy.set()
            free.wait(20)
        return program(self, *args, **how)

    monkeypatch.setattr(NumpyTarget, "waits", lambda self, graph: 0)
    monkeypatch.setattr(NumpyTarget, "program", linger)
    assert forked_while(busy, free, RECORDED.loop(lambda carry, shared, row: carry + row)) == 0
