"""The chat dialect: Chat Completions, with completions, embeddings and rerank. Imports no other dialect."""
