"""syncd: two-way sync between marketing automation and CRM.

Store what each side said. Derive what it means. Decide once, purely. Write down the intent, act, and believe only
what is seen again.
"""

__version__ = "0.1.0"
