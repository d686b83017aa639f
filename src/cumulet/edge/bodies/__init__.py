"""What is done to whole bodies: digests checked on the way in, compression on the way out."""
