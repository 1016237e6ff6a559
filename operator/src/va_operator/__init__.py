"""The operator: watches VirtualAssistant objects, decides, applies."""
