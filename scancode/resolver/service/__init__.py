"""The verbs of the resolver."""

from scancode.resolver.service.files import (
    FileFacts,
    FileNameTaken,
    NotASiteFile,
    TooManyFiles,
    add_file,
    list_files,
    load_files,
    remove_file,
)
from scancode.resolver.service.links import (
    SameLink,
    StoredLink,
    TooManyLinks,
    find_links,
    get_link,
    list_links,
    load_links,
    make_default,
    remove_link,
    save_link,
)

__all__ = [
    "FileFacts",
    "FileNameTaken",
    "NotASiteFile",
    "SameLink",
    "StoredLink",
    "TooManyFiles",
    "TooManyLinks",
    "add_file",
    "find_links",
    "get_link",
    "list_files",
    "list_links",
    "load_files",
    "load_links",
    "make_default",
    "remove_file",
    "remove_link",
    "save_link",
]
