"""What requests say and answers show: names, settings, policies, pages, descriptions."""
