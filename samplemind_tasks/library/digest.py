"""What tells two requests apart."""

import hashlib

import orjson


def digest(value: object) -> str:
    """64 hexadecimal digits for a JSON value; the order of its fields does not matter."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
