"""A pool's processes end with the one that started them, and not at a Control-C while they have nothing to do."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from anynet.app.reports.tasks import _run_in_process, _start_process

PROGRAM = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from anynet.app.reports.tasks import end_with_parent

if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=end_with_parent)
    print(pool.submit(os.getpid).result(), flush=True)
    pool.submit(time.sleep, 600)
    time.sleep(600)
"""


def test_they_end_with_it(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    with subprocess.Popen([sys.executable, tmp_path / "program.py"], stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        os.kill(child, 0)  # it is there
        parent.kill()
    for _ in range(600):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.kill(child, 9)
    raise AssertionError("the pool's process is still there after a minute")


def test_a_process_without_work_lets_control_c_pass():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_start_process) as pool:
        process = pool.submit(os.getpid).result()
        for _ in range(2):
            os.kill(process, signal.SIGINT)
            assert pool.submit(_run_in_process, []).exception() is not None  # an empty stack is none
            assert pool.submit(os.getpid).result() == process
