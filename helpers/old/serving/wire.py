"""The bodies of requests, as pydantic models: what is accepted, and which values make sense.

Unknown arguments are refused, and so is what this server does not do (penalties, `logit_bias`, images): an argument
that is accepted and ignored would let the client believe in something that did not happen. Arguments that only carry
the client's own notes (`user`, `metadata`, `prompt_cache_key`) are accepted. Types are strict: "5" and true are no 5.

What it does not do: check against the model (is there such a model, is the prompt too long?).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator


def whole_text(text: str) -> str:
    """Raises ValueError for half a surrogate pair, which JSON can spell and no tokenizer can read."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("The text holds half a surrogate pair, which is no character") from None
    return text


Text = Annotated[str, AfterValidator(whole_text)]
Tokens = Annotated[int, Field(ge=1, le=1_000_000)]
Seed = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Stop = Text | Annotated[list[Annotated[Text, Field(min_length=1)]], Field(max_length=16)]
Zero = Annotated[float, Field(ge=-2, le=2)]


class Body(BaseModel):
    """A request: unknown arguments are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, protected_namespaces=())


class Part(BaseModel):
    """Something inside a request that clients send back as they got it, with more fields than are read here."""

    model_config = ConfigDict(extra="ignore", strict=True)


# Conversations -------------------------------------------------------------------------------------------------------


class Content(Part):
    """A part of a message. This model reads text only."""

    type: str
    text: Text | None = None
    refusal: Text | None = None


class CalledFunction(Part):
    name: Text
    arguments: Text = "{}"


class ToolCall(Part):
    id: str | None = None
    type: Literal["function"] = "function"
    function: CalledFunction


class Message(Part):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Text | list[Content] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None


class Function(Part):
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
    description: Text | None = None
    parameters: dict[str, Any] | None = None


class Tool(Part):
    type: Literal["function"]
    function: Function


class NamedFunction(Part):
    name: str


class NamedTool(Part):
    """`tool_choice` for one tool: {"type": "function", "function": {"name": …}}."""

    type: Literal["function"]
    function: NamedFunction


class JsonSchema(Part):
    name: str = "reply"
    schema_: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None


class ResponseFormat(Part):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class StreamOptions(Part):
    include_usage: bool | None = None


class Sampled(Body):
    """What the APIs that write text have in common."""

    model: str = "chat"
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = Field(
        None, description="0 takes the likeliest token each time, which is this server's default unless it is set."
    )
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    stream: bool | None = None
    user: str | None = None

    def sampling(self, default_temperature: float) -> dict[str, Any]:
        """For `Ask`."""
        given = self.temperature is not None
        return {
            "temperature": float(self.temperature if given else default_temperature),
            "top_p": 1.0 if self.top_p is None else float(self.top_p),
        }


class Chosen(Sampled):
    """What the two older APIs have in common."""

    n: Annotated[int, Field(ge=1, le=128)] | None = None
    seed: Seed | None = None
    stop: Stop | None = None
    stream_options: StreamOptions | None = None
    frequency_penalty: Zero | None = None
    presence_penalty: Zero | None = None
    logit_bias: dict[str, Any] | None = None

    @field_validator("frequency_penalty", "presence_penalty")
    @classmethod
    def _none(cls, value: float | None) -> float | None:
        if value:
            raise ValueError("This server applies no penalties: leave it out, or at 0")
        return value

    @field_validator("logit_bias")
    @classmethod
    def _empty(cls, value: dict | None) -> dict | None:
        if value:
            raise ValueError("This server does not change the odds of single tokens: leave it out")
        return value

    @property
    def stops(self) -> tuple[str, ...]:
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return tuple(word for word in stop if word)


class ChatRequest(Chosen):
    """`POST /v1/chat/completions`."""

    messages: Annotated[list[Message], Field(min_length=1)]
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None
    tools: Annotated[list[Tool], Field(max_length=64)] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = Field(None, description="Accepted; a reply holds one call at most.")
    metadata: dict[str, Any] | None = None
    store: bool | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None


# Responses -----------------------------------------------------------------------------------------------------------


class Item(Part):
    """An input of /v1/responses: a message, a call that the model made, or what the call gave."""

    type: Literal["message", "function_call", "function_call_output", "reasoning"] = "message"
    role: Literal["system", "developer", "user", "assistant"] | None = None
    content: Text | list[Content] | None = None
    name: Text | None = None
    arguments: Text | None = None
    call_id: str | None = None
    output: Text | list[Content] | None = None


class FlatTool(Function):
    """A tool of /v1/responses, whose function is not an object of its own."""

    type: Literal["function"]


class FlatNamedTool(Part):
    type: Literal["function"]
    name: str


class TextFormat(Part):
    type: Literal["text", "json_object", "json_schema"]
    name: str = "reply"
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    strict: bool | None = None


class TextOptions(Part):
    format: TextFormat | None = None


class ResponsesRequest(Sampled):
    """`POST /v1/responses`."""

    input: Text | Annotated[list[Item], Field(min_length=1)]
    instructions: Text | None = None
    previous_response_id: str | None = None
    max_output_tokens: Tokens | None = None
    text: TextOptions | None = None
    tools: Annotated[list[FlatTool], Field(max_length=64)] | None = None
    tool_choice: Literal["none", "auto", "required"] | FlatNamedTool | None = None
    store: bool | None = None
    metadata: dict[str, Any] | None = None
    parallel_tool_calls: bool | None = Field(None, description="Accepted; a reply holds one call at most.")
    truncation: Literal["disabled"] | None = None
    background: Literal[False] | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None


# Embeddings ----------------------------------------------------------------------------------------------------------


class EmbeddingRequest(Body):
    """`POST /v1/embeddings`."""

    model: str = "embedder"
    input: Text | Annotated[list[Text], Field(min_length=1)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Field(ge=1)] | None = None
    user: str | None = None
