"""How often something happened within the present window of time, by key: exact within a process, and with Redis near
enough among all of them. A dictionary and a lock: a request spends about a microsecond here."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from scancode.sealing import Sealer

if TYPE_CHECKING:
    from redis import Redis

KEYS_MAX = 50_000
"""Keys of one window, so that a storm of new ones costs no memory."""
SHARED_MAX = 5_000
TIMEOUT_S = 0.5
_REST = "the rest"


class Shelf:
    """The counts of all processes, in Redis. Keys are hashed: no address lies there."""

    def __init__(self, url: str, sealer: Sealer) -> None:
        self._url = url
        self._sealer = sealer
        self._redis: Redis | None = None

    def _connected(self) -> Any:
        if self._redis is None:
            from redis import Redis  # an extra of the program

            self._redis = Redis.from_url(self._url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        return self._redis

    def add_all(self, names: Sequence[str], counts: Sequence[int], *, lives_s: int) -> list[int]:
        """Adds to each and returns their sums, in one round trip."""
        hashed = [f"scancode:count:{self._sealer.digest(name, purpose='count')[:32]}" for name in names]
        with self._connected().pipeline(transaction=False) as pipe:
            for name, count in zip(hashed, counts, strict=True):
                pipe.incrby(name, count)
                pipe.expire(name, lives_s)
            answers = pipe.execute()
        return [int(answer) for answer in answers[::2]]

    def take_once(self, name: str, *, lives_s: int) -> bool:
        """True for the first who asks for this name, among all processes."""
        key = f"scancode:once:{self._sealer.digest(name, purpose='count')[:32]}"
        return bool(self._connected().set(key, 1, nx=True, ex=lives_s))

    def close(self) -> None:
        if self._redis is not None:
            self._redis.close()


class Counts:
    """One sort of thing that is counted. Of keys beyond ``keys_max`` in a window each counts as the first time: on the
    day of a great campaign nobody is refused for what others do. With ``is_strict`` they are counted together."""

    def __init__(self, name: str, window_s: int, *, keys_max: int = KEYS_MAX, is_strict: bool = False) -> None:
        self._name = name
        self._window_s = window_s
        self._keys_max = keys_max
        self._is_strict = is_strict
        self._lock = threading.Lock()
        self._window = -1
        self._own: dict[Hashable, int] = {}
        self._others: dict[Hashable, int] = {}
        self._unshared: dict[Hashable, int] = {}

    def add(self, key: Hashable, at: float) -> int:
        """One more at ``at`` (seconds since 1970); how many it makes in this window."""
        window = int(at // self._window_s)
        with self._lock:
            if window != self._window:
                self._window, self._own, self._others, self._unshared = window, {}, {}, {}
            if key not in self._own and len(self._own) >= self._keys_max:
                if not self._is_strict:
                    return 1
                key = _REST
            count = self._own[key] = self._own.get(key, 0) + 1
            self._unshared[key] = self._unshared.get(key, 0) + 1
            return count + self._others.get(key, 0)

    def get(self, key: Hashable, at: float) -> int:
        """How many there were in this window."""
        if int(at // self._window_s) != self._window:
            return 0
        return self._own.get(key, 0) + self._others.get(key, 0)

    def share(self, shelf: Shelf) -> None:
        """Tells the others what came since the last time, and learns what they have. Raises what Redis raises; what was
        to be told is told the next time then."""
        with self._lock:
            window, taken = self._window, dict(list(self._unshared.items())[:SHARED_MAX])
            for key in taken:
                del self._unshared[key]
        if not taken:
            return
        names = [f"{self._name}:{window}:{key}" for key in taken]
        try:
            sums = shelf.add_all(names, list(taken.values()), lives_s=self._window_s + 60)
        except Exception:
            self._give_back(window, taken)
            raise
        with self._lock:
            if window == self._window:
                for key, total in zip(taken, sums, strict=True):
                    self._others[key] = max(0, total - self._own[key] + self._unshared.get(key, 0))

    def _give_back(self, window: int, taken: dict[Hashable, int]) -> None:
        with self._lock:
            if window == self._window:
                for key, count in taken.items():
                    self._unshared[key] = self._unshared.get(key, 0) + count


class Allowance:
    """So many a second, in this process."""

    def __init__(self, a_second: int) -> None:
        self.clock = time.monotonic
        self._a_second = a_second
        self._left = float(a_second)
        self._at = self.clock()
        self._lock = threading.Lock()

    def take(self) -> bool:
        with self._lock:
            now = self.clock()
            self._left = min(self._a_second, self._left + (now - self._at) * self._a_second)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True
