"""How the tests of client programs run them."""

from tests.clients.conftest import program, run

__all__ = ["program", "run"]
