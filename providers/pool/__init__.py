"""Pure policies over targets; the clock is a parameter."""
