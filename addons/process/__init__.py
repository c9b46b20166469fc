"""The process itself: sockets, descriptors, output, signals, and how late the event loop is."""
