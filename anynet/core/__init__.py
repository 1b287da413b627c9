"""Foundations: trees of arrays, checks, seeding, random numbers, array types, histories, atomic writes, errors."""
