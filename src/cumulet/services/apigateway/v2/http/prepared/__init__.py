"""What is made ready once when a stage changes: routes, rules, mappings."""
