"""The console: pages for people, served by the cloud itself.

The pages are a client like any other: scripts in the browser sign AWS requests with credentials of
their own. What is here serves the files, and hands out those credentials to who has a right to
them (`sign_in.py`).
"""

from cumulet.console.surface import ConsoleSurface

__all__ = ["ConsoleSurface"]
