"""Gunicorn's threaded worker, for many short requests at once: scans and claims that are there together are written
together, by one thread that reads them all, instead of by as many threads that wait for each other.

The *gatherer* watches the connections on which a request may begin. What is whole, short and known to the front is
begun at once; the steps that it asks for (scans to record, claims to make) form a group, the group is written by one
*hand*, and the answers go out. Everything else goes to gunicorn's pool of threads as ever: other pages, large or slow
requests, what Flask has to answer, what a group left out. Requests are read and answers framed by gunicorn's own code.

When the database does not answer soon, the gatherer goes on without it: what comes then waits in the pool, each for
itself, and the group is answered when its hand comes back, or is told to come again after ``scan_stall_s`` or
``claim_stall_s``.
"""
