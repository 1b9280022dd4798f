"""A Salesforce-style org on loopback: stateful, strict, with faults on request.

Promise: never kinder than the vendor (contracts/salesforce.md); what nobody could verify is a switch whose default is
the harder case (`switches.py`). It is no copy of the product: no Apex, no UI, no sharing model, no streaming.
"""
