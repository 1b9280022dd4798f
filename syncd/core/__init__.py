"""Decisions, pure: no I/O, no clock, no chance. Everything a decision needs is gathered before it is asked for."""
