"""Readers for what teams already have: logs of calls to a model, exported by other tools.

Each is a format that can be read (``--from``) and not written. They are lenient about the shape
of messages, since the logs hold what many clients sent, and strict about meaning: what is not
understood is an error with its line, never left out.
"""
