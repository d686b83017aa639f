"""Messages that leave this machine: a queue on disk, and the SMTP server that takes them."""
