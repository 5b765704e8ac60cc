"""Grading models with the same reward sources that train them."""
