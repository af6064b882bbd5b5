"""What a study has found so far, told while it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable

from latentlab.audit.report import Audit

SECONDS = 3.0
"""How long a study counts on before it tells again; reckoning intervals costs some of that."""


class Partial:
    """Tells what is known so far, now and then.

    Parameters
    ----------
    listener
        Takes what is known; None for nobody.
    seconds
        At least this long is between two tellings.
    """

    def __init__(self, listener: Callable[[Audit], None] | None, seconds: float = SECONDS) -> None:
        self._listener, self._seconds = listener, seconds
        self._last = time.monotonic()

    def tell(self, make: Callable[[], Audit]) -> None:
        """Make and tell what is known so far, where it is time to.

        The more the making costs the rarer it is done: it never takes more than about a fifth of the time.
        """
        if self._listener is None or time.monotonic() - self._last < self._seconds:
            return
        begun = time.monotonic()
        self._listener(make())
        self._last = time.monotonic()
        self._seconds = max(self._seconds, 4.0 * (self._last - begun))
