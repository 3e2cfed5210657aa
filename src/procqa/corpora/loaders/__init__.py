"""Published files → collections, by the rules of relevance of each benchmark."""
