"""`python -m cumulet` is the `cumulet` command."""

from cumulet.cli.main import main

main()
