"""Policy documents: those that AWS publishes, and what is asked of everybody else's."""
