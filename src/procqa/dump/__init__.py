"""From bytes to posts: any container, any row order, hostile content."""
