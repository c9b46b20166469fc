"""The messages dialect: Anthropic Messages. Imports no other dialect."""
