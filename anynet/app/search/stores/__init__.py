"""Where the trials of a search are kept and its processes meet: its folder, a shared journal, a database or Redis."""
