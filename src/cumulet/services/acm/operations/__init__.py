"""Operations of Certificate Manager."""
