"""What the API itself refuses, and the table of every code that an answer of it may carry."""

from __future__ import annotations

from scancode.campaigns import service as campaigns
from scancode.catalog import pictures
from scancode.catalog.looks import BadFont
from scancode.catalog.rules import BadCheckDigit, BadColour, BadGtin
from scancode.channels import service as channels
from scancode.channels.rotation import BadShifts
from scancode.claims import rules as claims
from scancode.codes.orders import (
    BadOrder,
    CountOutside,
    KindMissing,
    LayoutUnknown,
    OrderNumberMissing,
    ScanHostUnknown,
)
from scancode.codes.rules import MessageNeeded, NoteNeeded, NothingToChange, ReasonNeeded
from scancode.codes.service import (
    BatchNotReady,
    BatchStateRefusal,
    NeverTwice,
    NothingToReplace,
    NotWaiting,
    OrdererUnknown,
    OrderNumberTaken,
    OutsideKit,
    PackGone,
    ProductArchived,
    ReasonMissing,
    SamePerson,
)
from scancode.codes.typed import RangeMissing, RangeOutside, RangeReversed, RangesOverlap, TooManyRanges
from scancode.epcis import service as epcis
from scancode.epcis.captured import BadDocument, DocumentTooLarge, EventUnsupported, ReferenceMissing
from scancode.epcis.rules import BadEpcisQuery, EpcisNotSupported
from scancode.errors import Invalid, NotAllowed, NotFound, Refusal, Unavailable
from scancode.handover import service as handover
from scancode.i18n import N_
from scancode.ledger import service as ledger
from scancode.members.rules import BadPhone, NotAMember
from scancode.members.tags import BadTag, TagInUse, TagTaken, TooManyTags
from scancode.packing import rules as packing
from scancode.reports.rules import BadPeriod, PeriodTooLong
from scancode.staff.service import KeyReused
from scancode.stories import life_orders, points
from scancode.uploads.rules import DiskFull, FilesMissing, TooManyFiles, UploadMoved
from scancode.web.problems import BadRequest, Broken, TooLarge, WrongMethod
from scancode.web.reading import ForgedCode, Mistyped, UnknownCode, Unreadable

MANY_RETRY_S = 30


class TokenMissing(Refusal):
    code = "token_missing"
    text = N_("Send a token: “Authorization: Bearer sct_…”. An administrator makes one in the console.")
    status = 401


class TokenInvalid(Refusal):
    """Unknown, over, revoked, or its owner's account is closed: the asker is not told which."""

    code = "token_invalid"
    text = N_("This token is not valid: it is unknown, has expired or was revoked. Ask an administrator for a new one.")
    status = 401


class ScopeMissing(Refusal):
    """Facts: ``scope``, the one that is needed."""

    code = "scope_missing"
    text = N_("This token lacks the right “{scope}”. Ask an administrator for a token that has it.")
    status = 403


class TooManyCalls(Refusal):
    code = "too_many_calls"
    text = N_("Too many calls. Wait {seconds} seconds, then go on more slowly.")
    status = 429


class NotJson(Refusal):
    code = "content_type"
    text = N_("Send the body as JSON, with “Content-Type: application/json”.")
    status = 415


class NotFiles(Refusal):
    code = "files_type"
    text = N_("Send the file in a form, with “Content-Type: multipart/form-data”.")
    status = 415


class BrokenJson(Refusal):
    code = "json_form"
    text = N_("The body is not JSON that can be read. Check its brackets, quotes and encoding (UTF-8).")
    status = 400


class ProductUnknown(Refusal):
    code = "product_unknown"
    text = N_("There is no such product in your catalogue. Check the GTIN or the id.")
    status = 422


class BrandUnknown(Refusal):
    code = "brand_unknown"
    text = N_("There is no such brand that this token may see.")
    status = 422


class BrandNeeded(Refusal):
    code = "brand_needed"
    text = N_("This token sees every brand: say which one is meant with “brand”.")
    status = 422


class FileGone(Refusal):
    code = "file_gone"
    text = N_("This file was made, but is not on this server any more. Ask the operator to restore it.")
    status = 410


class PartBeyond(Refusal):
    code = "part_beyond"
    text = N_("The file ends before the part that “Range” asks for.")
    status = 416


REFUSALS: tuple[type[Refusal], ...] = (
    BadRequest,
    BrokenJson,
    BadEpcisQuery,
    BadDocument,
    TokenMissing,
    TokenInvalid,
    ScopeMissing,
    SamePerson,
    claims.HeldSameEyes,
    NotAllowed,
    NotFound,
    NotAMember,
    Unreadable,
    Mistyped,
    UnknownCode,
    ForgedCode,
    channels.NoSuchBatch,
    WrongMethod,
    OrderNumberTaken,
    ProductArchived,
    BatchNotReady,
    NothingToChange,
    NotWaiting,
    BatchStateRefusal,
    NeverTwice,
    NothingToReplace,
    OutsideKit,
    life_orders.OrderMoved,
    UploadMoved,
    handover.KitDecided,
    handover.NotSealing,
    handover.SealedNotReady,
    handover.NotOffline,
    handover.KitOverlaps,
    handover.KitOtherHouse,
    epcis.EventIdTaken,
    epcis.ThingsDead,
    epcis.OtherParent,
    channels.BatchNotShippable,
    channels.DeadCodes,
    channels.AlreadyShipped,
    channels.NotShipped,
    channels.AlreadyReceived,
    channels.ShipmentNumberTaken,
    channels.PlaceOff,
    TagTaken,
    TooManyTags,
    TagInUse,
    claims.NotHeld,
    claims.HeldCodeClosed,
    claims.TooLateToLook,
    claims.PrizeGone,
    channels.NameTaken,
    campaigns.CampaignNotFound,
    campaigns.WrongState,
    ledger.Overdrawn,
    ledger.Frozen,
    points.CauseUsed,
    packing.AlreadyInside,
    packing.AlreadyPacked,
    packing.NotPacked,
    packing.ContainerFull,
    packing.ContainerClosed,
    packing.WrongCount,
    packing.DeadUnit,
    packing.OtherProduct,
    FileGone,
    PackGone,
    TooLarge,
    DocumentTooLarge,
    NotJson,
    NotFiles,
    PartBeyond,
    Invalid,
    ProductUnknown,
    BrandUnknown,
    BrandNeeded,
    BadGtin,
    BadCheckDigit,
    BadOrder,
    OrderNumberMissing,
    ScanHostUnknown,
    LayoutUnknown,
    CountOutside,
    KindMissing,
    OrdererUnknown,
    ReasonMissing,
    ReasonNeeded,
    MessageNeeded,
    NoteNeeded,
    RangeMissing,
    RangeReversed,
    RangeOutside,
    RangesOverlap,
    TooManyRanges,
    life_orders.TargetEmpty,
    life_orders.TooManyBatches,
    life_orders.TimePast,
    FilesMissing,
    TooManyFiles,
    BadPhone,
    BadTag,
    BadShifts,
    BadColour,
    BadFont,
    pictures.PictureTooLarge,
    pictures.PictureTooSmall,
    pictures.NotAPicture,
    points.BadPoints,
    points.ReasonMissing,
    claims.HeldReasonMissing,
    handover.HouseClosed,
    handover.NoRecipient,
    KeyReused,
    EventUnsupported,
    ReferenceMissing,
    epcis.EpcUnknown,
    epcis.PlaceUnknown,
    channels.NothingToShip,
    packing.NotAContainer,
    packing.WrongKind,
    packing.UnitOutside,
    packing.BadCapacity,
    BadPeriod,
    PeriodTooLong,
    TooManyCalls,
    Broken,
    EpcisNotSupported,
    Unavailable,
    claims.ClaimsStopped,
    DiskFull,
)
"""By status. Clients may rely on these codes; sentences may change."""
