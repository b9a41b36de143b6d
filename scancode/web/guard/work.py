"""Proof of work (ALTCHA): a number that takes a computer a second to find and us a moment to check.

Made, checked and paid off here, without another service; whoever has done it carries a pass for half an hour.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from altcha import v1
from itsdangerous import BadSignature, Signer

from scancode.db import new_id
from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.web.guard.counts import Shelf

PASS_COOKIE = "sw"  # noqa: S105  its name
PASS_LIVES = timedelta(minutes=30)
LIVES = timedelta(minutes=10)
SPENT_MAX = 20_000
PAYLOAD_MAX = 2_000


class WorkWrong(Refusal):
    code = "work_wrong"
    text = N_("The check of your browser did not succeed. Please open the page again.")
    status = 400


class Question(TypedDict):
    """The browser shall find the number up to ``maxnumber`` for which SHA-256 of salt and number is ``challenge``."""

    algorithm: str
    challenge: str
    maxnumber: int
    salt: str
    signature: str


class Work:
    """Asks, checks, and remembers what was used. The last key asks and signs; all of them check passes."""

    def __init__(self, keys: list[bytes], *, cost: int, shelf: Shelf | None = None) -> None:
        self._cost = cost
        self._shelf = shelf
        self._key = hmac.digest(keys[-1], b"scancode.work", "sha256").hex()
        derived = [hmac.digest(key, b"scancode.pass", "sha256") for key in keys]
        self._signer = Signer(derived, key_derivation="none", digest_method=hashlib.sha256)
        self._spent: dict[str, None] = {}
        self._lock = threading.Lock()

    def ask(self, *, now: datetime) -> Question:
        options = v1.ChallengeOptions(
            algorithm="SHA-256", max_number=self._cost, hmac_key=self._key, expires=now + LIVES
        )
        made = v1.create_challenge(options)
        return Question(
            algorithm="SHA-256",
            challenge=made.challenge,
            maxnumber=self._cost,
            salt=made.salt,
            signature=made.signature,
        )

    def check(self, payload: str, *, now: datetime) -> str:
        """A pass for a right answer that nobody used before. Raises WorkWrong."""
        answer = _read(payload)
        is_right, _ = v1.verify_solution(answer, self._key, check_expires=True)
        if not is_right or not self._take_once(answer.signature):
            raise WorkWrong
        plain = f"{new_id(now).hex}-{int((now + PASS_LIVES).timestamp())}"
        return self._signer.sign(plain).decode()

    def read_pass(self, text: str | None, *, now: datetime) -> str | None:
        """The id of a pass that is good at this moment."""
        try:
            plain = self._signer.unsign(text or "").decode("ascii")
            identity, _, until = plain.partition("-")
            return identity if datetime.fromtimestamp(int(until), UTC) > now else None
        except (BadSignature, ValueError):
            return None

    def _take_once(self, signature: str) -> bool:
        if self._shelf is not None:
            with suppress(Exception):  # without the others' memory there is still our own
                return self._shelf.take_once(signature, lives_s=int(LIVES.total_seconds()) + 60)
        with self._lock:
            if signature in self._spent:
                return False
            while len(self._spent) >= SPENT_MAX:
                self._spent.pop(next(iter(self._spent)))
            self._spent[signature] = None
            return True


def _read(payload: str) -> v1.Payload:
    """What the browser sent. Raises WorkWrong for anything of another form."""
    if not payload or len(payload) > PAYLOAD_MAX:
        raise WorkWrong
    try:
        found = json.loads(base64.b64decode(payload, validate=True))
        texts = [found[name] for name in ("challenge", "salt", "signature")]
        number = found["number"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise WorkWrong from error
    if not all(isinstance(text, str) and text.isascii() for text in texts) or not isinstance(number, int):
        raise WorkWrong
    challenge, salt, signature = texts
    return v1.Payload("SHA-256", challenge, number, salt, signature)
