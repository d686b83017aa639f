"""Archives keep the events of a bus; replays send them to its rules once more."""
