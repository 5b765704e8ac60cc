"""The sections of a training recipe, beside `reward` and `columns`.

model:    {path: Qwen/Qwen3-0.6B}
data:     {source: train.jsonl, test: test.jsonl}
train:    {max_steps: 200, learning_rate: 1e-6, num_generations: 8}     # any key of TRL's GRPOConfig
evaluate: {samples: 4, every: 50}
output:   runs/my-run
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from trainers.signal import Action, Judged, Normalizer, SignalPolicy

TINY = "tiny"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSettings(_Section):
    """The policy."""

    path: str = Field(default=TINY, description="a folder, a hub id, or `tiny`: the embedded model, warm-started here")
    seed: int = Field(default=0, description="seed of the embedded model's weights and warm start")


class DataSettings(_Section):
    """The problems to train on and to be tested on."""

    source: str = Field(
        default=TINY, description="a .jsonl or .parquet file, a folder, a hub data set, or the name of a problem set"
    )
    config: str | None = Field(default=None, description="the hub data set's configuration")
    split: str = Field(default="train", description="the split to train on")
    size: int | None = Field(default=None, ge=1, description="how many rows to train on; by default all")
    seed: int = Field(default=0, description="chooses the rows of a generated problem set")
    test: str | None = Field(default=None, description="where the held-out problems are, when not beside the source")
    test_split: str | None = Field(
        default=None, description="the split to be tested on; by default `test` if there is one"
    )
    test_size: int | None = Field(default=None, ge=1, description="how many held-out problems; by default all")
    system: str | None = Field(default=None, description="a system message before every prompt")
    template: str = Field(
        default="{prompt}",
        pattern=r"\{prompt\}",
        description="the user message; {prompt} stands for the prompt column",
    )
    chat: bool = Field(default=True, description="send prompts as chat messages; false: as plain text")


class EvaluateSettings(_Section):
    """Grading the held-out problems before, during and after training."""

    samples: int = Field(default=1, ge=1, description="answers drawn for each problem")
    temperature: float = Field(default=1.0, ge=0, description="0 takes the likeliest token")
    max_tokens: int | None = Field(default=None, ge=1, description="by default the training's max_completion_length")
    batch: int = Field(default=256, ge=1, description="answers generated at once")
    every: int = Field(default=0, ge=0, description="also grade every so many steps; 0: only before and after")
    every_size: int = Field(default=120, ge=1, description="how many problems are graded on the way")
    seed: int = Field(default=0, description="seed of the answers drawn")


class TrainSettings(_Section):
    """The `train` section: how MARS drives TRL, and every key of TRL's `GRPOConfig`."""

    model_config = ConfigDict(extra="allow", frozen=True)

    mode: Literal["auto", "separate", "composed"] = Field(
        default="auto", description="give TRL each source as a function, or the composed total"
    )
    correction: Literal["none", "bypass"] = Field(
        default="none", description="off-policy correction for rollouts of an earlier policy"
    )
    max_masked_steps: int = Field(
        default=5, ge=1, description="stop after so many steps in a row in which no sample got a reward"
    )
    voice: bool | None = Field(
        default=None,
        description="whether a prompt of which only part of the weight speaks teaches by that part only; by default "
        "where the weights of the task are adapted",
    )
    no_signal: Action = Field(
        default="keep",
        description="prompts whose completions cannot be told apart: `mask` leaves them out of the loss, `replace` "
        "generates for others in their place and masks what is left",
    )
    signal: Judged = Field(
        default="correctness",
        description="what tells completions apart: whether they are right (what shaping says of a prompt that is all "
        "right is then lost), or the total reward",
    )
    normalizer: Normalizer = Field(
        default="kept",
        description="what the loss is divided by after masking: what is kept, so that the step grows by 1 / kept "
        "share, or all that was generated",
    )
    replace_rounds: int = Field(default=1, ge=1, description="how often at most a step generates anew, for `replace`")

    @property
    def signal_policy(self) -> SignalPolicy:
        """What becomes of prompts without signal."""
        return SignalPolicy(self.no_signal, self.signal, self.normalizer, self.replace_rounds)

    @property
    def trl(self) -> dict[str, Any]:
        """The keys meant for `GRPOConfig`."""
        return dict(self.model_extra or {})
