"""Who is asked, how often, and what happens when nobody answers: pure policies over targets.

The story of a call. Its route names targets. `conditions` and `targets` say which of them may answer it and in which
order; `balance` and `stickiness` say which endpoint of a provider comes first. Before it is dialled, `breaker` may say
that it has failed too often of late (`trouble` has the numbers), and `bulkhead` that it is full: then the call waits in
line, or goes on to the next. When an attempt has failed before anything went to the client, `error_class` says what
kind of failure it was, `waits` what wait the provider asked for, and `retry` whether, where and when it is tried again;
`retry_budget` sees to it that a provider that is down is not asked much more than one that is up.

Nothing here has a socket, a clock or a random number: the time is a parameter (integer µs of the monotonic clock, as in
`providers.exchange`; `waits` alone, which reads the provider's words, has seconds), and so is chance. So a whole
outage is a test of some milliseconds. What has a state is used from one event loop, and never awaits: its counts are
exact however many callers there are.
"""
