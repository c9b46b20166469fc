"""Load: what must hold when there is too much of it, or somebody else is slow or down; `scripts/bench load` runs it.

Strategy: each scenario (a module of its own) has a fake upstream (`lanes`, a process), a fresh `scripts/serve` with a
registry of its own (`stand`) and a load maker (`calls`, in the benchmark's own process). The upstream has lanes, one
for each provider of the registry, whose conduct is changed while it runs, and which count what they got. Load is open:
a call begins when it is due, whatever became of the ones before, and its time counts from then. What was found is set
beside the bar that it must keep (`findings`).
"""
