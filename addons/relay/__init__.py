"""The relay: what carries a call between client and provider, inside mitmproxy's HTTP layers."""
