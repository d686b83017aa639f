"""Operations of custom domains, their base paths, and client certificates."""
