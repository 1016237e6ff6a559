"""The command line: asks assistants and shows their state."""
