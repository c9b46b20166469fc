"""The record of every exchange: one SQLite file, written by one thread, read by anyone. Knows nothing of mitmproxy."""
