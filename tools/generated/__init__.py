"""The pages that are written from the code, a function for each."""

NOTE = "<!-- Written by `make docs` from the code. Change the code, not this page. -->\n"
