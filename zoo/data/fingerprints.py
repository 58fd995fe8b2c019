"""Fingerprints of arrays: equal ones for equal bytes, at memory speed."""

import numpy as np
import xxhash


def fingerprint(values: np.ndarray) -> str:
    """128 bits that arrays share whose type, shape and bytes are the same (XXH3, Collet 2019).

    It tells copies and changes in a 25th of the time of SHA-256; it is no signature, as whoever
    wants two arrays that share it can make them.

    Args:
        values: numbers of any shape.

    Returns:
        32 hexadecimal digits.
    """
    digest = xxhash.xxh3_128(f"{values.dtype.str}{values.shape}".encode())
    digest.update(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
