"""Values of shapes as text and bytes: JSON, XML, CBOR, forms, and the patterns of models."""
