"""Flows for people: views, marks, comments, commands, replay, and a bound on how many are kept."""
