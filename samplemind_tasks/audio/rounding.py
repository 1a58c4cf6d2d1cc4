"""How exact the told numbers are."""

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

SIGNIFICANT_DIGITS = 6
"""Finer than any of it is measured."""
_SMALLEST_EXPONENT = -250.0
"""Beyond, the scale would overflow; such a number is left as it is."""


def rounded(values: Doubles) -> Doubles:
    """Round finite numbers of any shape to six significant digits."""
    magnitude = np.abs(values)
    exponent = np.floor(np.log10(np.where(magnitude > 0.0, magnitude, 1.0)))
    scale = 10.0 ** (SIGNIFICANT_DIGITS - 1 - np.maximum(exponent, _SMALLEST_EXPONENT))
    return np.asarray(np.rint(values * scale) / scale)
