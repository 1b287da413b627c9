"""Building blocks that know nothing of the rest: containers of arrays, checks, random numbers, histories, files."""
