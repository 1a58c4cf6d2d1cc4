"""How often something may happen: so many times a second on average, and some at once after a pause."""

import ipaddress
import time

MOST_NAMES = 10_000


class Pace:
    """Counts each name by itself, in this process.

    Kept for a name is one moment: that up to which its turns are used up (the generic cell rate algorithm, which
    lets pass just what a bucket of `burst` tokens does).

    Parameters
    ----------
    per_s : turns a second; 0 for no limit
    burst : turns that may be taken at once
    """

    def __init__(self, per_s: float, burst: int) -> None:
        self._turn_s = 1 / per_s if per_s > 0 else 0.0
        self._ahead_s = self._turn_s * max(burst, 1)
        self._used_up_to: dict[str, float] = {}

    def wait_s(self, name: str) -> float:
        """Seconds until the name may have another turn; 0 when it may now."""
        now = time.monotonic()
        return max(0.0, max(self._used_up_to.get(name, now), now) + self._turn_s - self._ahead_s - now)

    def take(self, name: str) -> float:
        """Take a turn: 0; or the seconds to wait where none is left."""
        if not self._turn_s:
            return 0.0
        wait_s = self.wait_s(name)
        if not wait_s:
            now = time.monotonic()
            self._used_up_to[name] = max(self._used_up_to.get(name, now), now) + self._turn_s
            if len(self._used_up_to) > MOST_NAMES:
                self._forget(now)
        return wait_s

    def _forget(self, now: float) -> None:
        """Names whose turns are all there again; if that does not do, the whole."""
        self._used_up_to = {name: moment for name, moment in self._used_up_to.items() if moment > now}
        if len(self._used_up_to) > MOST_NAMES // 2:
            self._used_up_to.clear()


def neighbourhood(address: str) -> str:
    """An address as one counts it: whoever has an IPv6 address has the 2**64 beside it."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else address
