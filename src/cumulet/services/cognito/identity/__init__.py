"""Identity pools: identities, and credentials of roles for them."""
