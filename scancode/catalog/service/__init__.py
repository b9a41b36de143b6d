"""The verbs of the catalogue."""

from scancode.catalog.service.brands import (
    SlugTaken,
    change_brand,
    create_brand,
    find_brand,
    get_brand,
    list_brands,
    load_brand,
)
from scancode.catalog.service.gallery import (
    StoredPicture,
    TooManyPictures,
    add_picture,
    find_picture,
    move_picture,
    remove_picture,
)
from scancode.catalog.service.looks import dress, remove_logo, set_logo
from scancode.catalog.service.products import (
    GtinTaken,
    archive_product,
    change_product,
    count_products,
    cover_pictures,
    create_product,
    find_product,
    get_product,
    list_products,
    load_gtins,
    load_page,
)

__all__ = [
    "GtinTaken",
    "SlugTaken",
    "StoredPicture",
    "TooManyPictures",
    "add_picture",
    "archive_product",
    "change_brand",
    "change_product",
    "count_products",
    "cover_pictures",
    "create_brand",
    "create_product",
    "dress",
    "find_brand",
    "find_picture",
    "find_product",
    "get_brand",
    "get_product",
    "list_brands",
    "list_products",
    "load_brand",
    "load_gtins",
    "load_page",
    "move_picture",
    "remove_logo",
    "remove_picture",
    "set_logo",
]
