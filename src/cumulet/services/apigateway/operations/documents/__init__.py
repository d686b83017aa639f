"""Operations on documents: import and export of APIs, their documentation."""
