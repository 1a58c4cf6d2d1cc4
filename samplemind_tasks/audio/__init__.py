"""Pure signal code: bytes in, features out. Importing this package alone loads no signal library."""

ANALYSIS_VERSION = 3
"""Raised whenever a measured value may change; a raised version re-runs `analyze` and nothing else."""

RATE_HZ = 22_050
"""Everything but the level is measured on one mono signal of this rate."""
MELS = 128
"""Bands of the shared mel spectrum."""
