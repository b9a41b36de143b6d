"""The verbs of diversion: territories, looking for what surfaced outside, and working on a case."""

from scancode.diversion.service.cases import (
    STEPS,
    CaseFacts,
    case_scans,
    count_cases,
    get_case,
    list_cases,
    notes_of,
    regions_of_case,
    work_on,
)
from scancode.diversion.service.looking import look
from scancode.diversion.service.terms import load_terms
from scancode.diversion.service.territories import (
    all_territories,
    own_territory,
    put_file,
    set_territory,
    territories_of,
)

__all__ = [
    "STEPS",
    "CaseFacts",
    "all_territories",
    "case_scans",
    "count_cases",
    "get_case",
    "list_cases",
    "load_terms",
    "look",
    "notes_of",
    "own_territory",
    "put_file",
    "regions_of_case",
    "set_territory",
    "territories_of",
    "work_on",
]
