"""What is kept about the money as a whole: the balance at the provider, and comparisons of the books."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scancode.db import affected, insert_once, new_id
from scancode.payouts.models import Comparison, MerchantBalance

ACCOUNT = "wechatpay"


@dataclass(frozen=True)
class BalanceFacts:
    """What is left to pay with, when the provider said so, and what went wrong when it was asked last."""

    available_fen: int | None
    at: datetime | None
    error: str | None
    asked_at: datetime


def keep_balance(session: Session, *, available_fen: int, pending_fen: int, at: datetime, now: datetime) -> None:
    """``at`` is when it was so, which for a balance from a daily file is earlier than ``now``."""
    _keep(session, now, available_fen=available_fen, pending_fen=pending_fen, at=at, error=None)


def keep_balance_error(session: Session, *, error: str, now: datetime) -> None:
    """It could not be asked: the last known balance stays."""
    _keep(session, now, error=error[:60])


def _keep(session: Session, now: datetime, **values: Any) -> None:
    insert_once(session, MerchantBalance, name=ACCOUNT, asked_at=now)
    affected(session, update(MerchantBalance).where(MerchantBalance.name == ACCOUNT).values(asked_at=now, **values))


def find_balance(session: Session) -> BalanceFacts | None:
    row = session.get(MerchantBalance, ACCOUNT)
    return BalanceFacts(row.available_fen, row.at, row.error, row.asked_at) if row else None


def keep_comparison(
    session: Session,
    *,
    actor: str,
    since: datetime,
    facts: Mapping[str, Any],
    differences: Sequence[Mapping[str, Any]],
    now: datetime,
) -> None:
    session.add(
        Comparison(
            id=new_id(now),
            actor=actor,
            since=since,
            at=now,
            facts=json.dumps(facts, sort_keys=True),
            differences=json.dumps(differences),
        )
    )
    session.flush()


@dataclass(frozen=True)
class ComparisonFacts:
    actor: str
    since: datetime
    at: datetime
    facts: dict[str, Any]
    differences: list[dict[str, Any]]


def list_comparisons(session: Session, *, limit: int = 10) -> list[ComparisonFacts]:
    """The newest first."""
    rows = session.scalars(select(Comparison).order_by(Comparison.id.desc()).limit(limit))
    return [
        ComparisonFacts(row.actor, row.since, row.at, json.loads(row.facts), json.loads(row.differences))
        for row in rows
    ]
