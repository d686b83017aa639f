"""How each AWS protocol reads requests and writes answers: shapes compiled to closures."""
