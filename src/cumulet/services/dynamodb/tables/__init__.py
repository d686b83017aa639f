"""Tables as they are used: schemas checked, compiled for speed, described, changed."""
