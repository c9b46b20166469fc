"""The benchmarks: programs that measure and print a table; `scripts/bench` runs them.

Strategy of `proxy`: a fake llama-server (`upstream`, a process of its own) and a load generator (`caller`, in the
benchmark's own process) speak hand-made HTTP/1.1 over plain asyncio protocols, so that they are far from being the
limit. Between them stand, one after another, the ways that are compared (`ways`). In every round each figure
(`figures`) is measured once for each way, so that what disturbs the machine disturbs all; ratios are taken within a
round, medians over the rounds (`summary`). Every answer is checked (`answers`), and what is wrong with one is shown
beside the numbers.
"""
