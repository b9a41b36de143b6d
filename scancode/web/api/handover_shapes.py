"""What is asked and answered about sealed packs, links to them, and downloads."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from scancode.web.api.batches import Progress
from scancode.web.api.shapes import Answer, Asked, BrandSlug, text_field

FormWord = Literal["age", "zip"]
ADDRESS_DAYS = "forgotten after some weeks, then null"


class HouseQuery(Asked):
    """Whose print houses."""

    brand: BrandSlug | None = None


class HouseAnswer(Answer):
    """Somebody who prints."""

    id: UUID
    name: str
    has_key: bool = Field(description="whether packs can be sealed for its age key")
    is_active: bool


class HouseList(Answer):
    """Print houses by name."""

    items: list[HouseAnswer]


class Sealing(Asked):
    """For whom a pack is encrypted, and how."""

    house: UUID = Field(description="id of a print house")
    form: FormWord = Field(description="for its age key; or an AES ZIP whose password is in the answer")


class SealedAnswer(Answer):
    """A pack encrypted for a print house."""

    id: UUID
    batch: int
    house: str = Field(description="name of the print house")
    form: FormWord
    state: Literal["queued", "ready", "failed", "cancelled", "gone"]
    file_name: str
    size_bytes: int = Field(description="0 until it is ready")
    sha256: str = Field(description="of the sealed file; empty until it is ready")
    asked_at: datetime
    ready_at: datetime | None
    leaves_at: datetime | None = Field(description="when it leaves the disk")
    progress: Progress | None


class FreshSeal(SealedAnswer):
    """A sealing that was asked for just now."""

    password: str | None = Field(description="of the ZIP; nobody can read it again later. null with `age`")


class SealedList(Answer):
    """Sealed packs, the newest first."""

    items: list[SealedAnswer]


class SealedPath(Asked):
    """Names a sealed pack in an address."""

    sealed_id: UUID


class LinkPath(Asked):
    """Names a link in an address."""

    link_id: UUID


class Linking(Asked):
    """Whom a link is for, and how far it serves. Nothing serves longer or more often than the settings allow."""

    for_whom: Annotated[str, text_field(80, min_length=1, description="a person; stands in the log of downloads")]
    days: Annotated[int, Field(strict=True, ge=1, le=365)] = 7
    downloads: Annotated[int, Field(strict=True, ge=1, le=1000)] = 1


class LinkAnswer(Answer):
    """A link to a sealed pack. Its address and passcode are told once."""

    id: UUID
    sealed: UUID
    for_whom: str
    state: Literal["open", "expired", "revoked", "used_up", "locked", "closed", "gone"]
    created_at: datetime
    expires_at: datetime
    downloads: int
    downloads_max: int


class FreshLink(LinkAnswer):
    """A link that was made just now."""

    url: str = Field(description="send it to the person")
    passcode: str = Field(description="tell it to the person another way; nobody can read it again later")


class LinkList(Answer):
    """Links, the newest first."""

    items: list[LinkAnswer]


class DownloadAnswer(Answer):
    """One client's fetching of a file, however many requests it took."""

    actor: str = Field(description="`link:`, `staff:` or `token:` and an id")
    for_whom: str | None = Field(description="of the link")
    file_name: str
    size_bytes: int
    sent_bytes: int
    requests: int
    address: str | None = Field(description=ADDRESS_DAYS)
    agent: str
    started_at: datetime
    finished_at: datetime | None = Field(description="null until all of it was sent")


class DownloadList(Answer):
    """The last hundred downloads, the newest first."""

    items: list[DownloadAnswer]
