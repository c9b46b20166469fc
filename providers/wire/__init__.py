"""Wire formats, sans-I/O: bytes in, neutral events out. Standard library only; imports nothing else of ours."""
