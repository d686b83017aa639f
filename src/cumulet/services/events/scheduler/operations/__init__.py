"""The operations of the Scheduler, by what they are about."""
