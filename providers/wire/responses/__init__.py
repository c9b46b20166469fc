"""The responses dialect: OpenAI Responses. Imports no other dialect."""
