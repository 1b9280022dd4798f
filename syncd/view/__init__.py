"""What the ledger holds, in the shapes that commands print and pages show: `docs/cli.md` documents them.

Promise: reading only, and bounded: lists take a limit, plans are streamed. Times leave as ISO 8601 in UTC.
"""
