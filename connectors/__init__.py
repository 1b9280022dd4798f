"""Connectors: the code that speaks to one kind of system each. The engine imports none of them by name."""
