"""The demo and the rehearsal stage: sandbox systems with a living company in them, synced before one's eyes.

stage    sandboxes by name, and the syncd.toml that connects them     company   who is where, and what people do
judge    do both sides really say the same? by code of its own        scene     the demo itself, start to end

Promise: "converged" is what the sandboxes' own states say, compared field by field by rules that share no code with
the engine. Vendors are named here as data only; their sandboxes are modules like any other.
"""
