"""What can be asked of archives and replays."""
