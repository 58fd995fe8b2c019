"""Fingerprints of arrays: by whole numbers of Python, and any change is seen."""

import hashlib

import numpy as np
import pytest

from zoo.data.fingerprints import fingerprint

WORDS = 8192


def by_whole_numbers(values):
    """The formula in Python's integers, words and weights from their bytes."""
    raw = np.random.PCG64(1).random_raw(WORDS)
    weights = [int(each) | 1 for each in raw]
    content = values.tobytes()
    words = [int.from_bytes(content[k : k + 8], "little") for k in range(0, len(content) - 7, 8)]
    whole = len(words) // WORDS * WORDS
    blocks = [words[k : k + WORDS] for k in range(0, whole, WORDS)]
    digest = hashlib.sha256(f"{values.dtype.str}{values.shape}".encode())
    groups = [blocks[k : k + 64] for k in range(0, len(blocks), 64)]
    for group in (*groups, [words[whole:]]):
        for shift in (0, 32):
            for block in group:
                each = sum(w * (v >> shift) for w, v in zip(weights, block, strict=False))
                digest.update((each % 2**64).to_bytes(8, "little"))
    digest.update(content[8 * len(words) :])
    return digest.hexdigest()[:32]


@pytest.mark.parametrize(
    "shape", [(0,), (1,), (3, 1), (2 * WORDS,), (4 * WORDS + 5, 1), (7, 6001), (131 * WORDS,)]
)
@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_a_fingerprint_is_its_formula(shape, dtype):
    values = (100 * np.random.default_rng(0).normal(size=shape)).astype(dtype)
    assert fingerprint(values) == by_whole_numbers(values)


def test_every_bit_every_place_the_shape_and_the_type_count():
    values = np.random.default_rng(0).normal(size=4 * WORDS + 3).astype(np.float32)
    marks = {fingerprint(values), fingerprint(values[:, None]), fingerprint(values.view("int32"))}
    bits = values.view(np.uint32)
    places = (0, 1, 2 * WORDS - 1, 2 * WORDS, len(bits) - 2, len(bits) - 1)
    for place in places:
        for bit in (0, 15, 31):
            bits[place] ^= np.uint32(1 << bit)
            marks.add(fingerprint(values))
            bits[place] ^= np.uint32(1 << bit)
    swapped = values.copy()
    swapped[[2, 4]] = swapped[[4, 2]]
    marks |= {fingerprint(swapped), fingerprint(values[::-1])}
    assert len(marks) == 3 + 3 * len(places) + 2 and {len(each) for each in marks} == {32}
    assert fingerprint(values) == fingerprint(values.copy()) == fingerprint(values[::1])
    assert fingerprint(np.asfortranarray(values.reshape(1, -1).T)) == fingerprint(values[:, None])
