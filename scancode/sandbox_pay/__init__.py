"""``scancode sandbox-pay``: a payment server that behaves as WeChat Pay v3 does, and misbehaves on request.

It is a process of its own with a book of its own, and shares no line with the adapter that talks to it: what it signs,
verifies, seals and counts it works out by itself, from the provider's documents. ``keys`` are its and the merchant's,
``rules`` what it accepts, ``book`` what it remembers, ``notices`` what it posts, ``faults`` how it misbehaves,
``server`` its doors. It belongs to demos and tests; production refuses to start with it.
"""
