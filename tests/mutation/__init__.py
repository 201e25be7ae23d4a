"""Mutation testing: small faults are put into the code one by one; the tests have to notice.

`python -m tests.mutation` prints, for each part, how many were noticed and lists those that were
not. mutmut (3.8.1, BSD) was tried first: it leaves out decorated functions, so `Request.key`, as
well as constants, and cannot change what a SQL statement means, where most of the ledger is.
"""
