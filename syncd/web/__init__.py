"""The dashboard: pages for the people of both departments, over the ledger.

site       what pages stand on: files, ledger, sessions, acts     gate     who may do what; every response's headers
app        addresses to pages                                     serving  the server, alone or beside the daemon
pages/     one file a page: ledger in, facts and tables out       table    rows for people, and as CSV
render     templates and how values are written                   acts     what people ask for, and what became of it

Pages read; only `acts` acts, by the very path that commands take. Nothing is fetched from anywhere else.
"""
