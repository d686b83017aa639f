"""What requests ask for, worked out before the store is touched, and how answers are made."""
