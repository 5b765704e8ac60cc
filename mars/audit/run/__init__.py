"""`mars audit run`: what a reward taught over a run, from its logged completions."""
