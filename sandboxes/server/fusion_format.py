"""SandboxFusion's requests and answers (https://github.com/bytedance/SandboxFusion), which its clients speak."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, InstanceOf

from sandboxes.server.extraction import ExtractedType

# Text may hold lone surrogates, which models do write; it is only checked to be text.
Text = InstanceOf[str]

CommandStatus = Literal["Finished", "Error", "TimeLimitExceeded"]
RunStatus = Literal["Success", "Failed", "SandboxError"]

# SandboxFusion's name of each language that runs here, and ours.
LANGUAGES = {
    "python": "python",
    "pytest": "python",
    "cpp": "cpp",
    "c": "c",
    "nodejs": "javascript",
    "javascript": "javascript",
    "go": "go",
    "java": "java",
    "rust": "rust",
    "bash": "bash",
}
# The names that SandboxFusion has besides; asking for one is no malformed request.
OTHER_LANGUAGES = frozenset(
    {"go_test", "php", "csharp", "typescript", "sql", "cuda", "lua", "R", "perl", "D_ut", "ruby", "scala", "julia"}
    | {"junit", "kotlin_script", "jest", "verilog", "python_gpu", "lean", "swift", "racket"}
)


class RunCodeRequest(BaseModel):
    """The body of `POST /run_code`."""

    code: Text
    language: Text
    compile_timeout: float = 10.0
    run_timeout: float = 10.0
    memory_limit_MB: int = -1  # noqa: N815
    stdin: Text | None = None
    files: dict[Text, Text | None] = {}
    fetch_files: list[Text] = []
    args: list[Text] = []


class CommandResult(BaseModel):
    """What one command came to. `return_code` is null when it was ended at the time limit, negative for a signal."""

    model_config = ConfigDict(allow_inf_nan=False)

    status: CommandStatus
    execution_time: float | None = None
    return_code: int | None = None
    stdout: Text | None = None
    stderr: Text | None = None


class RunCodeResponse(BaseModel):
    """The answer to `POST /run_code`."""

    status: RunStatus
    message: Text = ""
    compile_result: CommandResult | None = None
    run_result: CommandResult | None = None
    executor_pod_name: Text | None = None
    files: dict[Text, Text] = {}


class SubmitConfig(BaseModel):
    """The `config` of `POST /submit`; fields that do not concern judging are left unread."""

    dataset_type: Text | None = None
    language: Text | None = None
    compile_timeout: float | None = None
    run_timeout: float | None = None
    custom_extract_logic: Text | None = None
    provided_data: dict[str, Any] | list[Any] | None = None
    extra: dict[str, Any] = {}


class SubmitRequest(BaseModel):
    """The body of `POST /submit`."""

    dataset: Text
    id: int | Text
    completion: Text
    config: SubmitConfig = SubmitConfig()


class StdioTest(BaseModel):
    """One test of `provided_data`, as SandboxFusion's CommonOJDataset has it."""

    input: dict[str, Text] = {}
    output: dict[str, Text] = {}


class EvalTest(BaseModel):
    """What one test came to."""

    passed: bool
    exec_info: RunCodeResponse
    test_info: dict[str, Any] | None = None


class EvalResult(BaseModel):
    """The answer to `POST /submit`."""

    id: int | Text
    accepted: bool
    extracted_code: Text
    full_code: Text | None = None
    test_code: Text | None = None
    tests: list[EvalTest]
    extracted_type: ExtractedType | None = None
    extra: dict[str, Any] | None = None


def overall_status(compiled: CommandResult | None, ran: CommandResult | None) -> RunStatus:
    """Success when no command failed in the sandbox or ran out of time, and each ended with 0."""
    results = [result for result in (compiled, ran) if result is not None]
    if any(result.status == "Error" for result in results):
        return "SandboxError"
    return "Success" if all(result.status == "Finished" and not result.return_code for result in results) else "Failed"
