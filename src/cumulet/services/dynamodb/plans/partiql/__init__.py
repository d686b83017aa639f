"""PartiQL: statements read, and turned into the plans of the ordinary operations. Pure."""
