"""The press: given a batch and its key it makes codes and print files, and proves them.

It owns the text form of a code, because the press and the service must agree on it. It needs no
network, no database and no web framework, so the same code runs in the service's worker and on a
factory computer that is connected to nothing (``python -m batches``).
"""
