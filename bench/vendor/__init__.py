"""Two vendors that answer as fast as they can: pre-rendered pages, limits off, a process of their own.

They speak just what the connectors ask when everything goes well, and judge nothing: the sandboxes do that.
"""
