"""Pure signal code: bytes in, features out. Importing this package alone loads no signal library."""

ANALYSIS_VERSION = 2
"""Raised whenever a measured value may change; a raised version re-runs `analyze` and nothing else."""
