"""Threefry-2x32, a counter-based generator of random words, in array API operations."""

from anynet.core.typing import Array

ROUNDS = 20
"""Number of rounds of Threefry-2x32, the default of its authors, JAX and TensorFlow. The faster variant, 13 rounds,
takes a third less time, but fails a BigCrush test according to the documentation of GROMACS (for 2x64)."""

_ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
_PARITY = 0x1BD11BDA


def threefry2x32(
    key: tuple[Array, Array], counter: tuple[Array, Array | int], rounds: int = ROUNDS
) -> tuple[Array, Array]:
    """Return the two random words of each counter.

    Words are int32 that wrap, because PyTorch has little arithmetic of uint32 and JAX has no int64 by default. All
    operations are additions, exclusive ors and shifts, whose lowest 32 bits are right even if a compiler computes with
    64.

    Parameters
    ----------
    key : tuple of two arrays of int32
        Words of the key, of one dimension or more: NumPy warns if its scalars overflow.
    counter : tuple of an array of int32 and an array of int32 or int
        Words of the counter, broadcast against the key.
    rounds : int
        20, or 13 for the faster variant.

    Returns
    -------
    tuple of two arrays of int32

    References
    ----------
    Salmon, Moraes, Dror, Shaw (2011), section 3.3; test vectors in kat_vectors of Random123.
    """
    keys = (*key, key[0] ^ key[1] ^ _PARITY)
    a, b = counter[0] + key[0], key[1] + counter[1]
    for r in range(1, rounds + 1):
        a = a + b
        b = _rotate(b, _ROTATIONS[(r - 1) % 8]) ^ a
        if r % 4 == 0:
            j = r // 4
            a = a + keys[j % 3]
            b = b + (keys[(j + 1) % 3] + j)
    return a, b


def _rotate(x: Array, left: int) -> Array:
    """Rotate bits to the left; the mask removes copies of the sign from the arithmetic shift."""
    return (x << left) | ((x >> (32 - left)) & ((1 << left) - 1))
