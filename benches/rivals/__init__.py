"""Porism against other stores of vectors, in one run on one machine."""
