"""The life of a job: spec, plan, submit, watch, and the ledger that remembers."""
