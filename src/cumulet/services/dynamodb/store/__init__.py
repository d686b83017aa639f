"""Where tables, items, index entries, changes and tokens lie: the only folder that knows keys."""
