"""The mitmproxy addons: each reads a flow, calls pure code, writes the flow."""
