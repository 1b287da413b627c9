"""Places where the trials of a search are kept and its processes meet: a folder, a shared journal, a database, Redis."""
