"""The chassis that every vendor's sandbox sits on: virtual time, faults, a server and its control channel.

Promise: a sandbox is a real HTTP server whose time, faults and state a test holds in its hand. It knows nothing of any
vendor: those live beside their connectors (`connectors/<vendor>/sandbox*.py`). It is for tests, the demo and
rehearsals, listens on loopback, and is no copy of any vendor's product.
"""
