"""The HTTP door: parse, call the library, shape the answer."""
