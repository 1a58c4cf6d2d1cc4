"""Who may ask what: keys and their scopes, as the API, the command line and the stores know them."""

import ipaddress
import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

LOCAL_USER = "local"
"""The owner of the library that needs no key. A key can be made for it at any time."""
USER = r"^[a-z0-9]([a-z0-9._-]{0,30}[a-z0-9])?$"
KEY_ID = r"^[0-9a-f]{12}$"
MOST_KEYS = 1_000
"""A gateway has this many at most that are not revoked and have not expired."""


class Scope(StrEnum):
    """What a key is good for; each includes the one before it."""

    READ = "read"
    """Look, search, listen and export."""
    WRITE = "write"
    """Add, change and delete what belongs to its user."""
    ADMIN = "admin"
    """Keys of all users, and the queues."""

    def covers(self, needed: "Scope") -> bool:
        """Whether what needs the other scope may be done with this one."""
        order = list(Scope)
        return order.index(self) >= order.index(needed)


class Caller(BaseModel):
    """Who sends a request."""

    model_config = ConfigDict(frozen=True)

    user: str
    scope: Scope
    key_id: str | None
    """None on a gateway that this machine alone can reach, where nobody needs a key."""


KEYLESS = Caller(user=LOCAL_USER, scope=Scope.ADMIN, key_id=None)


def _plain_name(user: str) -> str:
    if not re.fullmatch(USER, user):
        raise ValueError("write lower-case letters and digits, with . _ - between them")
    return user


_FROZEN = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class NewKey(BaseModel):
    """A key to be made."""

    model_config = _FROZEN

    user: Annotated[str, AfterValidator(_plain_name), Field(max_length=32, json_schema_extra={"pattern": USER})]
    """Whose library it opens; a user is there as soon as a key names it."""
    scope: Scope = Scope.WRITE
    """`read`, `write` or `admin`."""
    name: Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
    """What it is for, such as the device it lies on."""
    expires_at: AwareDatetime | None = None
    """From when on it is refused; null: never."""


class KeyView(NewKey):
    """A key, without its secret."""

    id: Annotated[str, StringConstraints(pattern=KEY_ID)]
    """The middle part of the key; no secret."""
    created_at: datetime
    last_used_at: datetime | None
    """To the minute; null: never."""
    revoked_at: datetime | None

    def ended_before(self, moment: datetime) -> bool:
        """Whether it was revoked or had expired by then."""
        return any(ended is not None and ended <= moment for ended in (self.revoked_at, self.expires_at))


class CreatedKey(KeyView):
    """A new key. Its text is shown this once and kept nowhere."""

    key: str
    """Send it as `Authorization: Bearer KEY`."""


class KeyList(BaseModel):
    """Every key, the newest first. Revoked and expired ones are listed for 90 days more."""

    model_config = _FROZEN

    keys: list[KeyView]


NO_KEYS = (
    "whoever asks this gateway needs a key, and there is none: "
    "samplemind keys create --user NAME --scope admin --name WHERE"
)
"""Why a gateway that others can reach does not start."""
WHOLE_DISK = (
    "others could have any folder of this machine analysed, and hear it: "
    "name the folders in SAMPLEMIND_ROOTS, or with samplemind up --root FOLDER"
)
"""Why it does not start either."""


def is_loopback(host: str) -> bool:
    """Whether a name or an address means this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
