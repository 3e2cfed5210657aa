"""Documents made searchable by words and by vectors."""
