"""What a person reads of a call in mitmweb and mitmproxy: bytes in, text out, and back; no mitmproxy in here."""
