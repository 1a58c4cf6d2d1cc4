"""SampleMind: everything that works without HTTP."""
