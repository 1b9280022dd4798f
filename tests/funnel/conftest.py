"""The funnel's tests play in the engine's small world, and hold its sums beside those from scratch."""

from __future__ import annotations

import sys
from pathlib import Path

for folder in ("engine", "ledger"):
    sys.path.insert(0, str(Path(__file__).parents[1] / folder))
