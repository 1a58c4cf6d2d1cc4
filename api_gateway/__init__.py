"""The HTTP door: parse, call the library, shape the answer."""

import gc

gc.set_threshold(50_000)
"""Loading the application makes half a million objects that stay; looking through them meanwhile is a tenth of it."""
