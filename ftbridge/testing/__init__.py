"""Plumbing for tests and sandboxes: serving an emulator, checking bodies, job timelines.

Vendor-free. Import the modules themselves (``ftbridge.testing.server`` and so on): only
``server`` needs the extra that brings uvicorn.
"""
