"""Model cards: ``README.md`` of runs and sweeps, in the form of the Hugging Face Hub, made of their files."""
