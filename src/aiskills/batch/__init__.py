"""The night job: an inbox of files in, a store of scored offers out, each offer exactly once.

`run.run_batch` takes what came in; `rescore`, `purge`, `migrate` and `repair` rewrite the store;
`status.status_of` tells how it is. The order in which things are written, and why nothing is lost
or doubled when a run dies, is told in docs/reliability.md.
"""
