"""The closed loop: what both departments agreed, kept and counted.

follow      after each cycle, for moved people only: judged, handed off, followed up; aggregates beside the rows
reports     what the aggregates say, each number with a link to its records: for pages and commands

Everything is derived from the ledger. Nothing here calls a system.
"""
