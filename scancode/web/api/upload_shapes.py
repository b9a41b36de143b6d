"""What is sent with a file, and how its upload is told about."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from flask_openapi import FileStorage
from pydantic import Field

from scancode.codes.rules import VoidReason
from scancode.packing.rules import CAPACITY_MAX
from scancode.web.api.batches import Progress
from scancode.web.api.shapes import Answer, Asked, BatchNumber, BrandSlug, Cursor, Limit, Moment, text_field
from scancode.web.api.shipments import KindWord

KindName = Literal["packing", "check", "life", "shipment"]
"""What is sent to ``/uploads``; files of members are sent to their tag."""
AnyKind = Literal["packing", "check", "life", "shipment", "tags"]
StateName = Literal[
    "waiting", "running", "read", "confirmed", "done", "refused", "cancelled", "undoing", "undone"
]  # fmt: skip
VerbName = Literal["activate", "deactivate", "void", "recall", "restore"]
File = Annotated[FileStorage, Field(description="CSV, text or XLSX")]
Size = Annotated[int, Field(strict=True, ge=1, le=CAPACITY_MAX)]
Flag = Annotated[bool, Field(strict=True)]


class AssociationFile(Asked):
    """A line's association file: columns item, case, pallet."""

    file: File
    batch: BatchNumber | None = Field(None, description="only where the item column holds serials: of this batch")
    case_size: Size | None = Field(None, description="items in a case")
    pallet_size: Size | None = Field(None, description="cases on a pallet")
    may_be_short: Flag = Field(True, description="cases and pallets may hold fewer")
    brand: BrandSlug | None = None


class ReturnedFiles(Asked):
    """Files that came back from a print house: CSV, text, XLSX, or ZIP of them; all of a job together."""

    files: list[FileStorage] = Field(description="repeat the field for each file")
    batch: BatchNumber | None = Field(None, description="when the files must hold the whole of this batch")
    brand: BrandSlug | None = None


class LifeFile(Asked):
    """Codes of one batch whose life is to change: a code, an address or a serial on each line."""

    file: File
    batch: Annotated[int, Field(strict=True, ge=0, le=(1 << 25) - 1, examples=[1234567])]
    verb: VerbName = Field(description="`restore` needs the right `batches:restore`, too")
    reason: VoidReason = Field(VoidReason.OTHER, description="of `void`; `other` needs a note")
    message_zh: str = text_field(300, default="", description="of `recall`")
    message_en: str = text_field(300, default="", description="of `recall`")
    note: str = text_field(300, default="", description="kept in the history of these codes")
    at: Moment | None = Field(None, description="when it shall happen; as soon as it is confirmed if left out")


class ShipmentFile(Asked):
    """Codes to be shipped, one on each line; a case or a pallet means all in it."""

    file: File
    number: str = text_field(60, min_length=1, description="your delivery note; each is used once")
    kind: KindWord = "out"
    channel_id: UUID | None = Field(None, description="not for a return")
    store_id: UUID | None = None
    note: str = text_field(200, default="")
    move: Flag = Field(False, description="take codes out of an earlier shipment")
    leave_out_dead: Flag = Field(False, description="send the others without void ones")
    brand: BrandSlug | None = None


class LineProblem(Answer):
    """What is wrong with a line of a file."""

    line: int
    column: str
    code: str = Field(description="machine code of the problem", examples=["twice"])
    problem: str = Field(description="the same as a sentence")
    cell: str


class UploadAnswer(Answer):
    """Files that were sent together, and what became of them."""

    id: UUID
    kind: AnyKind
    name: str = Field(description="of the first file")
    state: StateName = Field(description="`read` waits for `confirm`: see `result.count`")
    asked_at: datetime
    ended_at: datetime | None
    rows: int = Field(description="lines that were read")
    problems: int = Field(description="how many lines are wrong, or faults a check found")
    first_problems: list[LineProblem] = Field(description="the first 20; all of them stand in the report")
    refusal: str | None = Field(description="why nothing of it was taken in, as a sentence")
    result: dict[str, Any] = Field(
        description="what it did, by kind: counts of `cases`, `pallets`, `runs`; `verdict` and `counts` of a check; "
        "`count`, `ranges`, `order` of a change of life; `shipment`, `number`, `count` of a shipment; "
        "`found`, `changed` of a file of members"
    )
    progress: Progress | None


class UploadPage(Answer):
    """Uploads, the newest first."""

    items: list[UploadAnswer]
    next: str | None = Field(description="`cursor` of the next page; null on the last")


class UploadQuery(Asked):
    """Which uploads to list."""

    kind: KindName | None = None
    brand: BrandSlug | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class UploadPath(Asked):
    """Names an upload in an address."""

    upload_id: UUID


class ReportQuery(Asked):
    """Which form of the report."""

    form: Literal["csv", "json"] = Field("csv", description="`json` of checks alone")
