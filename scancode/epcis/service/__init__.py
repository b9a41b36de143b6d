"""The verbs of EPCIS: telling what happened."""

from scancode.epcis.service.telling import Page, Place, page
from scancode.epcis.service.things import Things

__all__ = ["Page", "Place", "Things", "page"]
