"""Operations on who may use APIs: authorizers, API keys, usage plans, what was used."""
