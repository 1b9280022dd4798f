"""SOQL: text to tree (`tokens`, `tree`, `parser`), tree to rows (`literals`, `scope`, `conditions`, `results`).

Promise: what Salesforce would refuse is refused, with its code and its picture of the place; nothing is ignored. What
it does not do, and says so: child sub-selects, TYPEOF, date functions, WITH, FOR, HAVING. Contract section 4.3.
"""
