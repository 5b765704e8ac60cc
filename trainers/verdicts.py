"""The graded answers of a run as a file, so that a resumed run and its page still have them."""

from __future__ import annotations

import json
from pathlib import Path

from mars.types import Reward, Sample
from trainers.evaluation import Evaluation, Graded


def write_evaluation(file: Path, evaluation: Evaluation) -> None:
    """Write every answer with its verdict, one a line; the first line holds what is true of all."""
    lines = [json.dumps({"seconds": evaluation.seconds})]
    for answer in evaluation.answers:
        sample = answer.sample
        record = {
            "problem": answer.problem,
            "prompt": sample.prompt,
            "completion": sample.completion,
            "reference": sample.reference,
            "task": sample.task,
            "correct": answer.correct,
            "mars": answer.reward.to_dict(),
        }
        lines.append(json.dumps(record, default=str))
    file.write_text("\n".join(lines) + "\n")


def read_evaluation(file: Path) -> Evaluation:
    """Read what `write_evaluation` wrote."""
    head, *records = [json.loads(line) for line in file.read_text().splitlines()]
    answers = tuple(
        Graded(
            record["problem"],
            Sample(record["completion"], record["prompt"], record["reference"], record["task"]),
            Reward.from_dict(record["mars"]),
            record["correct"],
        )
        for record in records
    )
    return Evaluation(answers, head["seconds"])
