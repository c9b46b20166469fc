"""The matrix of what translation does with every documented field, and a case that shows each decision."""
