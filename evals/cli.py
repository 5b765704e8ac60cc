"""`mars eval`: grade a model on benchmarks with the reward sources that train it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    benchmarks: Annotated[list[str], typer.Argument(help="Benchmarks, such as tiny.", show_default=False)],
    model: Annotated[str, typer.Option("--model", "-m", help="A model's folder, or its hub id.", show_default=False)],
    recipe: Annotated[
        Path | None, typer.Option("--recipe", "-r", help="Its reward section grades, in place of the benchmark's own.")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Change the reward: reward.key=value; may be repeated.")
    ] = None,
    imports: Annotated[
        list[str] | None,
        typer.Option("--import", help="A module or .py file that registers sources; may be repeated."),
    ] = None,
    samples: Annotated[
        int | None, typer.Option("--samples", "-k", min=1, help="Samples a problem; by default the benchmark's.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(min=0, help="Sampling temperature; 0 is greedy. By default the benchmark's.")
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Longest completion in tokens; by default the benchmark's.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N problems.")] = None,
    seed: Annotated[int, typer.Option(help="Chooses the samples.")] = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="Completions written at a time.")] = 64,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, cuda:1, mps; by default the first accelerator there is.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A folder for records.jsonl and result.json.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON, and nothing else.")] = False,
) -> None:
    """Grade a model on benchmarks, and print avg@k with its interval."""
    # Everything is checked before the model is loaded, and the model before anything is written.
    from evals import session

    plans = session.plan(benchmarks, recipe, overrides or [], imports or [])
    asked = session.Asked(samples, temperature, max_tokens, seed, limit, batch_size)
    session.run_all(plans, asked, model, device, output, as_json=as_json)
