"""What the server shows to a reader: templates, one style sheet, and Markdown made inert."""
