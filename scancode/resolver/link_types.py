"""The link types of GS1's Web Vocabulary that a product may have, in the words of a person who chooses one."""

from __future__ import annotations

import re

from scancode.i18n import N_

VOCABULARY = "https://ref.gs1.org/voc/"
DEFAULT, DEFAULT_MULTI, PRODUCT_PAGE = "defaultLink", "defaultLinkMulti", "pip"
DESCRIBED_BY = "describedby"
"""A relation that IANA registers, for our own page where the brand has a page of product information elsewhere."""

LINK_TYPES = {
    "pip": N_("Product information page"),
    "instructions": N_("Instructions"),
    "quickStartGuide": N_("Quick start guide"),
    "tutorial": N_("Tutorial"),
    "relatedVideo": N_("Video"),
    "ingredientsInfo": N_("Ingredients"),
    "nutritionalInfo": N_("Nutrition"),
    "allergenInfo": N_("Allergens"),
    "recipeInfo": N_("Recipes"),
    "whatsInTheBox": N_("What is in the box"),
    "consumerHandlingStorageInfo": N_("Handling and storage"),
    "safetyInfo": N_("Safety information"),
    "certificationInfo": N_("Certificates"),
    "traceability": N_("Where it comes from"),
    "recallStatus": N_("Recall status"),
    "sustainabilityInfo": N_("Sustainability"),
    "recyclingInfo": N_("Recycling"),
    "repairInfo": N_("Repair"),
    "reuseInfo": N_("Re-use"),
    "disassemblyInfo": N_("Taking it apart"),
    "handlingEndOfLife": N_("At the end of its life"),
    "productPassport": N_("Product passport"),
    "support": N_("Support"),
    "serviceInfo": N_("Service and maintenance"),
    "faqs": N_("Questions and answers"),
    "registerProduct": N_("Registering a purchase"),
    "hasRetailers": N_("Where to buy"),
    "purchaseSuppliesOrAccessories": N_("Supplies and accessories"),
    "promotion": N_("Promotion"),
    "activityIdeas": N_("Ideas for using it"),
    "review": N_("Reviews"),
    "leaveReview": N_("Leaving a review"),
    "socialMedia": N_("Social media"),
    "homepage": N_("Home page of the company"),
    "epil": N_("Patient information leaflet"),
    "smpc": N_("Summary of product characteristics"),
    "smartLabel": N_("SmartLabel"),
    "verificationService": N_("Verification service for machines"),
    "masterData": N_("Master data for machines"),
    "epcis": N_("EPCIS repository"),
    "jws": N_("Digital signature (JWS)"),
}
FOR_MACHINES = frozenset({"verificationService", "masterData", "epcis", "jws"})
"""What no person wants to look at."""
_ASKED = re.compile(r"(?:gs1:|https?://(?:ref\.|www\.)?gs1\.org/voc/)([A-Za-z]{2,40})")


def read_link_type(asked: str) -> str | None:
    """The name of a type asked for as ``gs1:pip`` or by its address in the vocabulary; None for any other text."""
    if asked == DESCRIBED_BY:
        return asked
    found = _ASKED.fullmatch(asked)
    return found[1] if found else None


def relation(link_type: str) -> str:
    """The name of a type within a linkset."""
    return link_type if link_type == DESCRIBED_BY else VOCABULARY + link_type
