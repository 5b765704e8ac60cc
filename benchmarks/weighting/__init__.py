"""What the weighting strategies do to training: real GRPO runs of the embedded model in four worlds.

python -m benchmarks.weighting [--worlds W ...] [--strategies S ...] [--seeds N ...] [--steps N] [--jobs N]

styles.py     the styles of answers that a reward can ask for
warm.py       the policy that every run of a seed starts from
sources.py    what is rewarded
worlds.py     the four rewards, and what each strategy is told of them
runs.py       one run, kept as one file
results.py    the files read back: accuracy, style, weights, by step
report.py     tables of means over seeds with intervals, and verdicts beside the static sum
plots.py      the curves as SVG
"""
