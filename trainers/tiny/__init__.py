"""A model, a tokenizer and a task small enough to be part of the code, so that every command runs with no download.

    task.py         "run a little machine": its rules, its problems, the two ways to answer
    tokenizer.py    one token a character, and the marks of a chat
    model.py        a Qwen3 of 0.4 million parameters
    warm_start.py   teaches the model to answer, fast or slow at random; reinforcement learning goes on from there

Nothing is imported here: the task needs the standard library alone, the rest needs torch.
"""
