"""The routes of /v1: parse, call the library, shape the answer."""
