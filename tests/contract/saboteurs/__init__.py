"""Broken connectors: for every rule of the contract, at least one that breaks just it.

A rule that no broken connector fails may be a rule that cannot fail. Each saboteur is the reference connector with one
mistake that real connectors make, on a world in which the mistake shows. A chapter of the contract is a module.
"""

from saboteurs import account, changing, reading, referring, writing
from saboteurs.sabotage import SABOTAGES, Sabotage

__all__ = ["SABOTAGES", "Sabotage", "account", "changing", "reading", "referring", "writing"]
