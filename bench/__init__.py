"""Speed and cost of the engine, each figure beside its floor or target. `python -m bench`; never part of the tests."""
