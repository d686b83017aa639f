"""Files into tables: read in batches, and sent so that an interrupted import goes on."""
