"""The life of one call as a state machine: no sockets, no clock, no mitmproxy. Imports wire and errors only."""
