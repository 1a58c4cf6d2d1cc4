"""How Chroma is told who asks: the login stands in its address, as those of Redis and MongoDB do."""

from base64 import b64encode
from urllib.parse import unquote, urlsplit


def without_login(url: str) -> str:
    """The address alone, which may be logged."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def login_header(url: str) -> dict[str, str]:
    """The header that carries the login of an address; none without one."""
    parts = urlsplit(url)
    if parts.username is None:
        return {}
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}
