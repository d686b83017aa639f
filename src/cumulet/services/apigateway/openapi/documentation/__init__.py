"""What people write about the parts of an API: documentation parts and versions of them."""
