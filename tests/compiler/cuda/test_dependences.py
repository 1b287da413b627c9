"""Dependences of phases: by the memory that they access, and by indices of the first axis."""

import sys

import pytest


@pytest.fixture
def x(emulated_cupy):
    """A vector of 48 numbers."""
    return sys.modules["cupy"].zeros(48)


def phase(shape, reads=(), writes=()):
    from anynet.compiler.cuda.phases import Phase

    return Phase(shape, tuple(reads), tuple(writes), ())


def access(array, strides, offset=""):
    from anynet.compiler.cuda.phases import Access

    return Access(array, strides, offset)


def test_order_matters_if_one_writes_what_the_other_accesses(x):
    from anynet.compiler.cuda.dependences import footprint

    head, tail = (access(part, (1,)) for part in (x[:24], x[24:]))
    reads, writes = (footprint(p) for p in (phase((24,), [head]), phase((24,), [], [head])))
    assert writes.conflicts(writes)
    assert writes.conflicts(reads)
    assert reads.conflicts(writes)
    assert not reads.conflicts(reads)
    assert not writes.conflicts(footprint(phase((24,), [tail], [tail])))


def test_addresses_of_an_array(x):
    from anynet.compiler.cuda.dependences import AddressRange, address_range

    start = x.data.ptr
    assert address_range(x[2:5]) == address_range(x[4:1:-1]) == AddressRange(start + 16, start + 40)
    assert address_range(x.reshape(6, 8)[1:3, 2:4]) == AddressRange(start + 80, start + 80 + 8 * 10)
    assert not address_range(x[:0]).overlaps(address_range(x))


@pytest.mark.parametrize(
    ("shapes", "written", "read", "offset", "expected"),
    [
        (((6, 8), (6, 8)), (8, 1), (8, 1), "", True),
        (((6, 8), (6, 4)), (8, 1), (8, 2), "", True),  # other elements of the same row
        (((6, 8), (6, 5)), (8, 1), (8, 2), "", False),  # the last one is in the next row
        (((6, 9), (6, 4)), (8, 1), (8, 2), "", False),
        (((6, 8), (6, 8)), (8, 1), (8, 1), "j * 8", False),  # an element that is known when the kernel runs
        (((6, 6), (6, 6)), (8, 1), (1, 8), "", False),
        (((6, 8), (6, 8)), (0, 1), (0, 1), "", False),  # all write the same row
        (((6,), (6,)), (1,), (0,), "", False),
    ],
)
def test_parts_of_the_first_axis(x, shapes, written, read, offset, expected):
    from anynet.compiler.cuda.dependences import independent_along_first_axis as independent

    writer = phase(shapes[0], [], [access(x, written)])
    reader = phase(shapes[1], [access(x, read, offset)])
    assert independent([writer, reader]) is expected
    assert independent([reader, writer]) is expected
    assert independent([reader, phase(shapes[1], [access(x, written)])])  # nothing is written


def test_parts_of_different_lengths_or_places_depend_on_each_other(x):
    from anynet.compiler.cuda.dependences import independent_along_first_axis as independent

    writer = phase((6,), [], [access(x, (1,))])
    assert not independent([phase((n, 2), [], [access(x, (2, 1))]) for n in (3, 4)])
    assert not independent([writer, phase((6,), [access(x[1:], (1,))])])
    assert independent([writer, phase((6,), [access(x[:6], (1,))])])
    assert not independent([writer, phase((), [access(x, ())])])


def test_vectors_of_different_lengths_depend_on_each_other_only_where_they_are_shifted(x):
    from anynet.compiler.cuda.dependences import independent_along_first_axis as independent

    writer = phase((6,), [], [access(x, (1,))])
    assert independent([writer, phase((5,), [access(x, (1,))])])
    assert not independent([writer, phase((5,), [access(x[1:], (1,))])])
