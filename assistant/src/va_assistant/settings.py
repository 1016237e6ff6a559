"""What the assistant reads from its environment, once, at start."""

import os
from pathlib import Path

from pydantic import Field, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict


class AssistantSettings(BaseSettings):
    """Frozen after start; a bad environment lists all its faults at once."""

    model_config = SettingsConfigDict(env_prefix="VA_ASSISTANT_", frozen=True)

    revision: str = Field("", pattern="^[0-9a-f]*$")
    """Which text is served; answers carry it."""

    revision_dir: Path = Path("/etc/virtual-assistant/revision")
    """Folder with `settings.json` and the context files."""

    api_key_file: Path | None = None
    """The API key; unset where the model needs none."""

    drain_seconds: PositiveFloat = 30
    """How long open answers may go on after SIGTERM."""

    max_questions: PositiveInt = 128
    """Questions at work at once, streams too; one more is answered `TooBusy`.
    A thread each: this is what one core carries."""

    gap_seconds: PositiveFloat = 15
    """Longest silence inside an answer that has begun."""

    receive_seconds: PositiveFloat = 15
    """How long a client may take to send its request."""

    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    """Level of the JSON log lines on stderr."""


class ModelServerSettings(BaseSettings):
    """What `va-model` reads."""

    model_config = SettingsConfigDict(env_prefix="VA_MODEL_", frozen=True)

    context_window: PositiveInt = 8192
    """Tokens of one prompt and its answer."""

    threads: PositiveInt = 1
    """Threads that compute."""


def openai_api_key() -> str | None:
    """Return the key that people have set for every tool, used outside of Kubernetes."""
    return os.environ.get("OPENAI_API_KEY")
