"""`PinnedStaging`, with a GPU that copies as late as it may: when somebody waits for the copy."""

import numpy as np
import pytest

from anynet.backends.staging import PinnedStaging

ROWS = 4


class Gpu:
    """Two buffers, and a line of copies; ``log`` tells what happened, in order."""

    def __init__(self):
        self.buffers = [np.zeros((ROWS, 3), np.uint8) for _ in range(2)]
        self.log = []
        self.events = []

    def copy(self, host):
        (number,) = (i for i, buffer in enumerate(self.buffers) if np.shares_memory(buffer, host))
        self.log.append(("copy", number, len(host)))
        event = Event(self, number, host)
        self.events.append(event)
        return event.array, event

    def join(self, event):
        self.log.append(("join", event.number, len(event.host)))

    def finish(self):
        for event in self.events:
            event.synchronize()


class Event:
    def __init__(self, gpu, number, host):
        self.gpu, self.number, self.host = gpu, number, host
        self.array, self.done = np.zeros_like(host), False

    def synchronize(self):
        self.gpu.log.append(("wait", self.number))
        if not self.done:
            self.array[...] = self.host
            self.done = True


@pytest.fixture
def gpu():
    return Gpu()


@pytest.fixture
def staging(gpu):
    return PinnedStaging(gpu.buffers, gpu.copy, gpu.join)


def which(gpu, buffer):
    """The number of the buffer handed out."""
    (number,) = (i for i, own in enumerate(gpu.buffers) if own is buffer)
    return number


def test_buffers_take_turns(gpu, staging):
    numbers = []
    for _ in range(5):
        numbers.append(which(gpu, staging.host()))
        staging.send(ROWS)
    assert numbers in ([0, 1, 0, 1, 0], [1, 0, 1, 0, 1])
    assert [entry[1] for entry in gpu.log if entry[0] == "copy"] == numbers


def test_a_buffer_is_handed_out_again_only_after_its_copy_was_waited_for(gpu, staging):
    for _ in range(6):
        number = which(gpu, staging.host())
        pending = [event for event in gpu.events if event.number == number and not event.done]
        assert pending == []
        staging.send(ROWS)


def test_only_the_buffer_that_is_needed_is_waited_for(gpu, staging):
    """While one is filled, the other moves."""
    for turn in range(6):
        number = which(gpu, staging.host())
        moving = [event.number for event in gpu.events if not event.done]
        assert moving == ([1 - number] if turn else [])
        staging.send(ROWS)
    assert len([entry for entry in gpu.log if entry[0] == "wait"]) == 4  # the first two turns wait for nothing


def test_what_was_sent_is_what_arrives(gpu, staging):
    sent = []
    for k in range(7):
        staging.host()[...] = k
        staging.send(ROWS)
        sent.append(staging.receive())
    gpu.finish()
    for k, array in enumerate(sent):
        np.testing.assert_array_equal(array, np.full((ROWS, 3), k))


def test_arrays_are_received_in_order_each_after_the_gpu_waits_for_its_own_copy(gpu, staging):
    for n in (1, 2):
        staging.host()[...] = n
        staging.send(n)
    assert [entry[0] for entry in gpu.log] == ["copy", "copy"]  # joined when they are needed, not when they are sent
    received = [staging.receive() for _ in range(2)]
    assert [len(array) for array in received] == [1, 2]
    assert gpu.log[2:] == [("join", number, n) for _, number, n in gpu.log[:2]]


@pytest.mark.parametrize("n", [1, 3, ROWS])
def test_the_first_rows_are_sent_and_no_others(gpu, staging, n):
    staging.host()[...] = np.arange(ROWS)[:, None]
    staging.send(n)
    array = staging.receive()
    gpu.finish()
    assert gpu.log[0][2] == n
    np.testing.assert_array_equal(array, np.repeat(np.arange(n)[:, None], 3, axis=1))
