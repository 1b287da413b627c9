"""Lists of runs, sweeps and searches, made of the files of their folders."""
