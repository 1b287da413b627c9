"""Places where the trials of a search are kept and its processes meet: folders, shared journals, servers."""
