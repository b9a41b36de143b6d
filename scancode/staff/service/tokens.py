"""Tokens for machines that call ``/api/v1``: shown once, kept as a hash, limited to scopes and a brand."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from scancode.db import affected, new_id
from scancode.errors import Invalid, NotFound
from scancode.i18n import N_
from scancode.staff.models import ApiToken, Staff
from scancode.staff.rules import SCOPES, TokenFacts
from scancode.staff.service.audit import audit

PREFIX = "sct_"
"""Starts every token, so that a scanner for leaked secrets can recognise one."""
USED_EVERY = timedelta(minutes=1)


def issue_token(
    session: Session,
    *,
    name: str,
    scopes: Collection[str],
    brand_id: UUID | None,
    staff_id: UUID,
    actor: str,
    expires_at: datetime | None,
    now: datetime,
) -> tuple[ApiToken, str]:
    """Makes a token; returns its row and the token itself, which nobody can read again later."""
    name = name.strip()
    if not 0 < len(name) <= 80:
        raise Invalid(field="name", problem=N_("1 to 80 characters."))
    chosen = [scope for scope in SCOPES if scope in scopes]
    if not chosen or len(chosen) != len(set(scopes)):
        raise Invalid(field="scopes", problem=N_("Choose at least one right."))
    if expires_at is not None and expires_at <= now:
        raise Invalid(field="expires_at", problem=N_("Choose a day in the future."))
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        id=new_id(now),
        name=name,
        secret_hash=_hash(token),
        staff_id=staff_id,
        brand_id=brand_id,
        scopes=" ".join(chosen),
        created_at=now,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    audit(
        session,
        actor=actor,
        brand_id=brand_id,
        action="token.issue",
        subject=f"token:{row.id}",
        facts={"scopes": chosen, "expires_at": expires_at.isoformat() if expires_at else None},
        now=now,
    )
    return row, token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def find_token(session: Session, *, token: str, now: datetime) -> TokenFacts | None:
    """The machine behind a token; None when it is unknown, over, revoked, or its owner's account is closed.

    In a write transaction it also notes the use, once a minute.
    """
    if not token.startswith(PREFIX) or len(token) > 100:
        return None
    row = session.execute(
        select(ApiToken, Staff.is_active)
        .join(Staff, Staff.id == ApiToken.staff_id)
        .where(
            ApiToken.secret_hash == _hash(token),
            ApiToken.revoked_at.is_(None),
            or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now),
        )
    ).one_or_none()
    if row is None or not row[1]:
        return None
    kept: ApiToken = row[0]
    return TokenFacts(
        id=kept.id,
        name=kept.name,
        brand_id=kept.brand_id,
        scopes=frozenset(kept.scopes.split()),
        staff_id=kept.staff_id,
    )


def note_token_used(session: Session, *, token_id: UUID, now: datetime) -> None:
    """Notes that the token is in use, at most once a minute."""
    stale = or_(ApiToken.used_at.is_(None), ApiToken.used_at < now - USED_EVERY)
    affected(session, update(ApiToken).where(ApiToken.id == token_id, stale).values(used_at=now))


def list_tokens(session: Session, *, brand_id: UUID | None, limit: int = 200) -> list[ApiToken]:
    """The tokens of a brand, or all of them, the newest first."""
    query = select(ApiToken).order_by(ApiToken.revoked_at.is_not(None), ApiToken.id.desc()).limit(limit)
    return list(session.scalars(query if brand_id is None else query.where(ApiToken.brand_id == brand_id)))


def get_token(session: Session, *, token_id: UUID) -> ApiToken:
    row = session.get(ApiToken, token_id)
    if row is None:
        raise NotFound
    return row


def revoke_token(session: Session, *, token_id: UUID, actor: str, now: datetime) -> None:
    """Ends a token; ending it again changes nothing. Raises NotFound."""
    row = get_token(session, token_id=token_id)
    ended = update(ApiToken).where(ApiToken.id == token_id, ApiToken.revoked_at.is_(None)).values(revoked_at=now)
    if affected(session, ended) == 1:
        audit(
            session,
            actor=actor,
            brand_id=row.brand_id,
            action="token.revoke",
            subject=f"token:{token_id}",
            facts={},
            now=now,
        )
