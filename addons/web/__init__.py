"""The page at /patchbay/ and the API behind it: what is asked is answered here, and shown to this machine alone."""
