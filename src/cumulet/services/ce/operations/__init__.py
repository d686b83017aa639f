"""Operations of Cost Explorer, by noun."""
