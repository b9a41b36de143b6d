"""Benchmarks: ours against a peer in the same run, interleaved, medians. Started by ``make bench``, never by tests."""
