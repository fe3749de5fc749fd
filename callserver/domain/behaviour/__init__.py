"""What a server may do, as a specification that a published log is checked against.

Each module is about one thing: its states, a table of the moves that are allowed with the reason for each, and
a pure function from a state and an entry to the next state. `checker.py` folds a log through them.

Rule: nothing here imports the server's own state machines or rules. The specification is written from
docs/verifying.md and docs/invariants.md; code that both shared would hide its own faults.
"""
