"""The assistant: answers questions from a given text."""
