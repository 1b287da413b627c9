"""Report pages: one self-contained HTML file about a run, several runs, a sweep or a search, made of their files."""
