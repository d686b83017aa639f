"""Certificates of the installation, and the TLS of host names that users gave to it."""
