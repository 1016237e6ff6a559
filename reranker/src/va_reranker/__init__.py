"""The weights of the reranker, `reranker.gguf`; what serves them is `va_assistant.embedded`."""
