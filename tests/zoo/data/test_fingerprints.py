"""Fingerprints of arrays: any change is seen."""

import numpy as np
import pytest
import xxhash

from zoo.data.fingerprints import fingerprint

WORDS = 8192


@pytest.mark.parametrize(
    ("dtype", "shape"), [("float32", (0,)), ("float32", (3, 1)), ("int16", (7, 6001))]
)
def test_a_fingerprint_is_that_of_type_shape_and_bytes_in_one_piece(dtype, shape):
    values = (100 * np.random.default_rng(0).normal(size=shape)).astype(dtype)
    content = f"{values.dtype.str}{shape}".encode() + values.tobytes()
    assert fingerprint(values) == xxhash.xxh128_hexdigest(content)


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
