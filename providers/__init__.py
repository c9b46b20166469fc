"""The upstreams: who they are, how they speak, and one call to them as a state machine. Never imports mitmproxy."""
