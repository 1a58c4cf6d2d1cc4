"""How many jobs of a user may be open at once: more are refused, and what is taken in is done."""

import asyncio
import time
from collections import Counter

from samplemind_tasks.errors import TooMany
from samplemind_tasks.store.ledger import Ledger

ASKED_EVERY_S = 1.0


class Admission:
    """Counts open jobs by user. MongoDB is asked once in a while; what is taken in between is counted on.

    Each gateway process counts for itself, so that a few more get in where there are several.

    Parameters
    ----------
    most : open jobs of one user
    """

    def __init__(self, ledger: Ledger, most: int) -> None:
        self._ledger = ledger
        self._most = most
        self._open: Counter[str] = Counter()
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()

    async def take_in(self, user_id: str) -> None:
        """Count one more job of the user.

        Raises
        ------
        TooMany : so many are open already.
        """
        if self._is_old():
            async with self._asking:
                if self._is_old():
                    self._open = await self._ledger.open_jobs()
                    self._asked_at = time.monotonic()
        if self._open[user_id] >= self._most:
            message = f"{self._open[user_id]} of your jobs are open: ask again when some have ended"
            raise TooMany(message, code="too_many_jobs")
        self._open[user_id] += 1

    def _is_old(self) -> bool:
        return time.monotonic() - self._asked_at > ASKED_EVERY_S
