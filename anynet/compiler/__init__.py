"""Recording what a function does with its arrays, so that a backend can do it again, faster."""
