"""scancode: one item, one code. From a signed code on a package to a member and an attributed purchase."""

__version__ = "0.1.0"
